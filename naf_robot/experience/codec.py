"""What travels: batches of transitions, their acknowledgements and policy parameters."""

import re
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.errors import CodecError, NafRobotError, SpecMismatchError
from naf_robot.core.records import PolicyParameters, TransitionBatch
from naf_robot.experience.envelope import Envelope, decode, encode

SEPARATOR = ","  # between names of robots, which hold none
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")  # of a policy kind or a robot in policy parameters


@dataclass(frozen=True)
class Contract:
    """What both ends must agree on: the task and its sizes; its words stand in every message."""

    task: str
    observation_spec: str
    observation_size: int
    action_size: int
    reward_names: tuple[str, ...]

    def check(self, envelope: Envelope) -> None:
        """Refuse an envelope made for another task or observation spec.

        Raises:
            SpecMismatchError: naming both sides.
        """
        for key, own in (("task", self.task), ("observation_spec", self.observation_spec)):
            theirs = envelope.text(key)
            if theirs != own:
                raise SpecMismatchError(f"{envelope.kind} message is of {key} {theirs!r}; this process has {own!r}")


@dataclass(frozen=True)
class ExperienceMessage:
    """One batch of a collector, numbered without gaps; `first_transition` counts all its transitions."""

    collector: str
    sequence: int
    first_transition: int
    batch: TransitionBatch


@dataclass(frozen=True)
class Acknowledgement:
    """Batches that the trainer holds durably, and how far its training is.

    `collectors` and `sequences` go together: batch `sequences[i]` of `collectors[i]`. One message
    answers everything that was committed at once, so that a fleet's robots are not each told of every batch by
    itself. With a `refusal` the batches named are not held, and it says why; their collectors then stop collecting.
    """

    collectors: tuple[str, ...]
    sequences: tuple[int, ...]
    updates: int
    transitions: int
    refusal: str = ""

    def of(self, collector: str) -> tuple[int, ...]:
        """Numbers of the batches of `collector`."""
        return tuple(n for name, n in zip(self.collectors, self.sequences, strict=True) if name == collector)


def encode_experience(message: ExperienceMessage, contract: Contract) -> bytes:
    """Bytes of an experience message."""
    return encode(
        "experience",
        {field.name: getattr(message.batch, field.name) for field in fields(TransitionBatch)},
        {
            "task": contract.task,
            "observation_spec": contract.observation_spec,
            "collector": message.collector,
            "sequence": message.sequence,
            "first_transition": message.first_transition,
        },
    )


def decode_experience(data: bytes, contract: Contract, max_bytes: int) -> ExperienceMessage:
    """Read and check an experience message.

    Raises:
        CodecError: malformed, of another schema, not finite, or of wrong shapes.
        SpecMismatchError: made for another task or observation spec.
    """
    envelope = decode(data, "experience", max_bytes)
    contract.check(envelope)
    names = {field.name for field in fields(TransitionBatch)}
    if set(envelope.arrays) != names:
        raise CodecError(f"experience message must hold {sorted(names)}, got {sorted(envelope.arrays)}")
    batch = TransitionBatch(**envelope.arrays)
    try:
        batch.validate(contract.observation_size, contract.action_size)
    except (NafRobotError, IndexError, TypeError) as error:
        raise CodecError(f"experience message: {error}") from None
    if len(batch) == 0 or batch.reward_terms.shape[1] != len(contract.reward_names):
        raise CodecError(f"experience message needs transitions with reward terms {contract.reward_names}")
    return ExperienceMessage(
        envelope.text("collector"), envelope.integer("sequence"), envelope.integer("first_transition"), batch
    )


def encode_acknowledgement(message: Acknowledgement) -> bytes:
    """Bytes of an acknowledgement."""
    return encode(
        "acknowledgement",
        {"sequences": np.asarray(message.sequences, dtype=np.int64)},
        {
            "collectors": SEPARATOR.join(message.collectors),
            "updates": message.updates,
            "transitions": message.transitions,
            "refusal": message.refusal,
        },
    )


def decode_acknowledgement(data: bytes) -> Acknowledgement:
    """Read an acknowledgement.

    Raises:
        CodecError: malformed.
    """
    envelope = decode(data, "acknowledgement", 1024 * 1024)
    sequences = envelope.arrays.get("sequences")
    if sequences is None or sequences.dtype != np.int64 or sequences.ndim != 1:
        raise CodecError("acknowledgement message: 'sequences' must be a vector of int64")
    names = envelope.text("collectors")
    collectors = tuple(names.split(SEPARATOR)) if names else ()
    if len(collectors) != len(sequences):
        raise CodecError(f"acknowledgement message: {len(sequences)} batches of {len(collectors)} collectors")
    return Acknowledgement(
        collectors,
        tuple(int(n) for n in sequences),
        envelope.integer("updates"),
        envelope.integer("transitions"),
        envelope.text("refusal"),
    )


def encode_parameters(parameters: PolicyParameters) -> bytes:
    """Bytes of policy parameters."""
    return encode(
        "policy_parameters",
        parameters.arrays,
        {
            "task": parameters.task,
            "observation_spec": parameters.observation_spec,
            "version": parameters.version,
            "updates": parameters.updates,
            "transitions": parameters.transitions,
            "policy_kind": parameters.kind,
            "addressee": parameters.addressee,
        },
    )


def decode_parameters(data: bytes, contract: Contract | None = None) -> PolicyParameters:
    """Read policy parameters; with a `contract` also check whom they are for.

    Raises:
        CodecError: malformed, or not finite.
        SpecMismatchError: made for another task or observation spec.
    """
    envelope = decode(data, "policy_parameters")
    if contract is not None:
        contract.check(envelope)
    for name, array in envelope.arrays.items():
        if array.dtype != np.float32 or not np.isfinite(array).all():
            raise CodecError(f"policy parameters: array {name!r} must be finite float32")
    kind = envelope.metadata.get("policy_kind", "mlp")  # parameters from before there were kinds: mlp, for all
    addressee = envelope.metadata.get("addressee", "")
    for name, text in (("policy_kind", kind), *([("addressee", addressee)] if addressee else [])):
        if not NAME.fullmatch(text):
            raise CodecError(f"policy parameters: {name} must be a name of a-z, 0-9 and _, got {text[:40]!r}")
    return PolicyParameters(
        arrays=envelope.arrays,
        version=envelope.integer("version"),
        task=envelope.text("task"),
        observation_spec=envelope.text("observation_spec"),
        updates=envelope.integer("updates"),
        transitions=envelope.integer("transitions"),
        kind=kind,
        addressee=addressee,
    )


def byte_array(data: bytes) -> NDArray[np.uint8]:
    """`data` as a vector of uint8 without a copy."""
    return np.frombuffer(data, dtype=np.uint8)
