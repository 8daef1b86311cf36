"""What travels: batches of steps, their acknowledgements and policy parameters."""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.errors import CodecError, NafRobotError
from naf_robot.core.frames import Frames
from naf_robot.core.records import STEP_DTYPES, PolicyParameters, StepBatch
from naf_robot.experience.contract import Contract, check_run
from naf_robot.experience.envelope import Envelope, decode, encode

SEPARATOR = ","  # between names of robots, which hold none
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")  # of a policy kind or a robot in policy parameters
OBSERVATION, OFFSETS, EXTRA = "observation.", "offsets.", "extra."
FLAGS = ("has_action", "closing", "terminated", "truncated", "greedy", "success")  # columns of `flags`, bool
NUMBERS = ("episode", "step", "policy_version")  # columns of `numbers`, int64
SINGLE = tuple(name for name in STEP_DTYPES if name not in FLAGS + NUMBERS)  # arrays of their own


@dataclass(frozen=True)
class ExperienceMessage:
    """One batch of a collector, numbered without gaps; `first_step` counts all its steps."""

    collector: str
    sequence: int
    first_step: int
    batch: StepBatch


@dataclass(frozen=True)
class Acknowledgement:
    """Batches that the trainer of run `run_id` holds durably, and how far its training is.

    `collectors` and `sequences` go together: batch `sequences[i]` of `collectors[i]`. One message
    answers everything that was committed at once, so that a fleet does not get a message for each batch. A `refusal`
    is the reason why the named batches were rejected; their collectors then stop collecting.
    """

    collectors: tuple[str, ...]
    sequences: tuple[int, ...]
    updates: int
    transitions: int
    refusal: str = ""
    run_id: str = ""

    def of(self, collector: str) -> tuple[int, ...]:
        """Numbers of the batches of `collector`."""
        return tuple(n for name, n in zip(self.collectors, self.sequences, strict=True) if name == collector)


def encode_experience(message: ExperienceMessage, contract: Contract) -> bytes:
    """Bytes of an experience message."""
    batch = message.batch
    arrays: dict[str, NDArray] = {name: getattr(batch, name) for name in SINGLE}
    arrays["flags"] = np.stack([getattr(batch, name) for name in FLAGS], axis=1)
    arrays["numbers"] = np.stack([getattr(batch, name) for name in NUMBERS], axis=1)
    arrays |= {OBSERVATION + name: array for name, array in batch.observation.items()}
    arrays |= {EXTRA + name: array for name, array in batch.extra.items()}
    for name, frames in batch.images.items():
        arrays |= {OBSERVATION + name: frames.data, OFFSETS + name: frames.offsets}
    metadata: dict[str, object] = {
        "run": contract.run_id,
        "task": contract.task,
        "observation_spec": contract.observation_spec,
        "collector": message.collector,
        "sequence": message.sequence,
        "first_step": message.first_step,
    }
    if batch.images:
        quality = f" quality {contract.jpeg_quality}" if contract.frame_format == "jpeg" else ""
        metadata["frames"] = contract.frame_format + quality
    return encode("experience", arrays, metadata)


def decode_experience(data: bytes, contract: Contract, max_bytes: int, open_frames: bool = False) -> ExperienceMessage:
    """Read and check an experience message; with `open_frames` every picture too, as is due to a stranger's.

    Raises:
        CodecError: malformed, of another schema, not finite, of wrong shapes, or a picture that is none.
        SpecMismatchError: made for another run, task or observation spec.
    """
    envelope = decode(data, "experience", max_bytes, contract.check)
    try:
        batch = _batch(envelope.arrays, contract)
        batch.validate(contract.steps)
        if open_frames and batch.images:
            _open_frames(batch, contract)
    except (NafRobotError, KeyError, IndexError, TypeError) as error:
        raise CodecError(f"experience message: {error}") from None
    if len(batch) == 0:
        raise CodecError("experience message holds no step")
    return ExperienceMessage(
        envelope.text("collector"), envelope.integer("sequence"), envelope.integer("first_step"), batch
    )


def _batch(arrays: dict[str, NDArray], contract: Contract) -> StepBatch:
    """The arrays of a message as steps; `StepBatch.validate` judges them."""
    images = {array.name for array in contract.steps.observation.images}
    expected = {*SINGLE, "flags", "numbers", *(OFFSETS + name for name in images)}
    expected |= {OBSERVATION + array.name for array in contract.steps.observation.arrays}
    expected |= {EXTRA + column.name for column in contract.steps.extra}
    if arrays.keys() != expected:
        missing, unknown = sorted(expected - arrays.keys()), sorted(arrays.keys() - expected)
        raise CodecError(f"arrays missing: {missing[:5]}, unknown: {[name[:40] for name in unknown[:5]]}")
    flags, numbers = arrays["flags"], arrays["numbers"]
    if flags.shape[1:] != (len(FLAGS),) or numbers.shape[1:] != (len(NUMBERS),):
        raise CodecError(f"flags must have the columns {FLAGS} and numbers {NUMBERS}")
    named = {name.removeprefix(OBSERVATION): a for name, a in arrays.items() if name.startswith(OBSERVATION)}
    return StepBatch(
        observation={name: array for name, array in named.items() if name not in images},
        images={name: Frames(named[name], arrays[OFFSETS + name]) for name in sorted(images)},
        extra={name.removeprefix(EXTRA): array for name, array in arrays.items() if name.startswith(EXTRA)},
        **{name: arrays[name] for name in SINGLE},
        **dict(zip(FLAGS, flags.T, strict=True)),
        **dict(zip(NUMBERS, numbers.T, strict=True)),
    )


def _open_frames(batch: StepBatch, contract: Contract) -> None:
    from naf_robot.core.images import decode_image

    for spec in contract.steps.observation.images:
        frames = batch.images[spec.name]
        for index in range(len(frames)):
            decode_image(frames[index], spec)


def encode_acknowledgement(message: Acknowledgement) -> bytes:
    """Bytes of an acknowledgement."""
    return encode(
        "acknowledgement",
        {"sequences": np.asarray(message.sequences, dtype=np.int64)},
        {
            "run": message.run_id,
            "collectors": SEPARATOR.join(message.collectors),
            "updates": message.updates,
            "transitions": message.transitions,
            "refusal": message.refusal,
        },
    )


def decode_acknowledgement(data: bytes, contract: Contract | None = None) -> Acknowledgement:
    """Read an acknowledgement; with a `contract` also check that it is of the same run.

    Raises:
        CodecError: malformed.
        RunMismatchError: of another run.
    """

    def admit(envelope: Envelope) -> None:
        if contract is not None:
            check_run(envelope, contract.run_id)

    envelope = decode(data, "acknowledgement", 1024 * 1024, admit)
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
        envelope.text("run"),
    )


def encode_parameters(parameters: PolicyParameters) -> bytes:
    """Bytes of policy parameters."""
    return encode(
        "policy_parameters",
        parameters.arrays,
        {
            "run": parameters.run_id,
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
        SpecMismatchError: made for another run, task or observation spec.
    """
    envelope = decode(data, "policy_parameters", admit=contract.check if contract is not None else None)
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
        run_id=envelope.text("run"),
        kind=kind,
        addressee=addressee,
    )


def byte_array(data: bytes) -> NDArray[np.uint8]:
    """`data` as a vector of uint8 without a copy."""
    return np.frombuffer(data, dtype=np.uint8)
