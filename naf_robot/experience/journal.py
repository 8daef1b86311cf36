"""One step as bytes: for the record of a running episode, in memory and in the outbox's journal.

Sizes follow from the spec, integrity from the database: these bytes never leave the file. A row of the journal is
an observation and, from the second on, the outcome of the step before: so one row holds what one control tick
brought, and every observation stands in one row.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.errors import CodecError
from naf_robot.core.frames import Frames
from naf_robot.core.records import STEP_DTYPES, StepBatch, StepSpec

OF_OBSERVATION = ("episode", "step", "policy_version", "greedy", "success", "stamp_s")
OF_OUTCOME = ("action", "requested_action", "reward", "reward_terms", "has_action")
OF_CLOSING = ("closing", "terminated", "truncated")
LENGTH_BYTES = 8  # before each picture


class JournalRow(NamedTuple):
    """What one control tick brought."""

    observation: bytes
    outcome: bytes | None  # of the step before; None for an episode's first observation


class StepLayout(NamedTuple):
    """The memory of an observation and of an outcome, and the cameras."""

    observation: np.dtype
    outcome: np.dtype
    vectors: tuple[str, ...]
    extra: tuple[str, ...]
    images: tuple[str, ...]


@lru_cache(maxsize=16)
def layout_of(spec: StepSpec) -> StepLayout:
    """The layout of the steps of `spec`."""
    vectors = [a for a in spec.observation.arrays if not a.is_image]
    widths = {"action": spec.action_size, "requested_action": spec.action_size, "reward_terms": len(spec.reward_names)}
    fields: list[tuple[str, Any, tuple[int, ...]]] = [(f"observation.{a.name}", a.dtype, a.shape) for a in vectors]
    fields += [(f"extra.{column.name}", column.dtype, column.shape) for column in spec.extra]
    fields += [(name, STEP_DTYPES[name], ()) for name in OF_OBSERVATION]
    outcome = [(name, STEP_DTYPES[name], (widths[name],) if name in widths else ()) for name in OF_OUTCOME]
    return StepLayout(
        np.dtype(fields),
        np.dtype(outcome),
        tuple(a.name for a in vectors),
        tuple(column.name for column in spec.extra),
        tuple(a.name for a in spec.observation.images),
    )


def batch_of(
    layout: StepLayout,
    observations: NDArray,
    outcomes: NDArray,
    pictures: Sequence[Mapping[str, bytes]],
    end: tuple[bool, bool] | None = None,
) -> StepBatch:
    """Steps of records of `layout`; with an `end` (terminated, truncated) the last of them is the closing one."""
    flags = np.zeros((len(OF_CLOSING), len(observations)), np.bool_)
    if end is not None:
        flags[:, -1] = True, *end
    columns: dict[str, Any] = {name: observations[name].copy() for name in OF_OBSERVATION}
    columns |= {name: outcomes[name].copy() for name in OF_OUTCOME}
    columns |= zip(OF_CLOSING, flags, strict=True)
    return StepBatch(
        observation={name: observations[f"observation.{name}"].copy() for name in layout.vectors},
        images={name: Frames.of([row[name] for row in pictures]) for name in layout.images},
        extra={name: observations[f"extra.{name}"].copy() for name in layout.extra},
        **columns,
    )


def pack_observation(record: NDArray, pictures: Mapping[str, bytes], layout: StepLayout) -> bytes:
    """An observation as the journal holds it."""
    if not layout.images:
        return record.tobytes()
    parts = [record.tobytes()]
    for name in layout.images:
        parts += [len(pictures[name]).to_bytes(LENGTH_BYTES, "little"), pictures[name]]
    return b"".join(parts)


def recovered(rows: Sequence[tuple[bytes, bytes | None]], spec: StepSpec, is_begun: bool) -> StepBatch | None:
    """The steps of a journal, the last observation closing them (truncated); None if nothing can be learned.

    `is_begun`: earlier steps of the episode are in batches, so that a single observation closes it.

    Raises:
        CodecError: a row of another length than the spec implies, or without its outcome.
    """
    if len(rows) < (1 if is_begun else 2):
        return None
    layout = layout_of(spec)
    observations = np.zeros(len(rows), layout.observation)
    outcomes = np.zeros(len(rows), layout.outcome)
    pictures = []
    for index, (observation, outcome) in enumerate(rows):
        size = layout.observation.itemsize
        if len(observation) < size:
            raise CodecError(f"a journalled observation has {len(observation)} bytes, {size} were expected")
        observations[index] = np.frombuffer(observation[:size], layout.observation)[0]
        pictures.append(_pictures(observation[size:], layout))
        if index > 0:
            if outcome is None or len(outcome) != layout.outcome.itemsize:
                raise CodecError(f"journalled step {index - 1} lacks its outcome of {layout.outcome.itemsize} bytes")
            outcomes[index - 1] = np.frombuffer(outcome, layout.outcome)[0]
    return batch_of(layout, observations, outcomes, pictures, (False, True))


def _pictures(data: bytes, layout: StepLayout) -> dict[str, bytes]:
    pictures, start = {}, 0
    for name in layout.images:
        begin = start + LENGTH_BYTES
        end = begin + int.from_bytes(data[start:begin], "little")
        pictures[name] = data[begin:end]
        start = end
    if start != len(data):
        raise CodecError(f"the pictures of a journalled observation have {len(data)} bytes, {start} were expected")
    return pictures
