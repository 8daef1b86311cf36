"""Stored steps as columns of a table: one row for each step, plain names, nothing left out."""

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.frames import Frames
from naf_robot.core.records import STEP_DTYPES, StepBatch, StepSpec
from naf_robot.experience.contract import Contract

METADATA = "naf_robot"  # key of what stands beside the columns


class Column(NamedTuple):
    """One column: its name, the type of an element, and how many there are in a row; pictures are bytes."""

    name: str
    dtype: np.dtype | None  # None: the bytes of a compressed picture
    size: int | None  # None: one value, no list


def columns_of(steps: StepSpec) -> list[Column]:
    """The columns of `steps` in their order, behind that of the collector.

    `reward_terms` has one column for each term. An array of several dimensions stands flat in its row, in the order
    of C; `metadata_of` has its shape.
    """
    widths = {"action": steps.action_size, "requested_action": steps.action_size}
    found = []
    for name, dtype in STEP_DTYPES.items():
        if name == "reward_terms":
            found += [Column(f"reward.{term}", dtype, None) for term in steps.reward_names]
        else:
            found.append(Column(name, dtype, widths.get(name)))
    for array in steps.observation.arrays:
        name = f"observation.{array.name}"
        found.append(
            Column(name, None, None)
            if array.is_image
            else Column(name, np.dtype(array.dtype), array.size if array.shape else None)
        )
    for extra in steps.extra:
        size = int(np.prod(extra.shape)) if extra.shape else None
        found.append(Column(f"extra.{extra.name}", np.dtype(extra.dtype), size))
    return found


def values_of(batch: StepBatch, steps: StepSpec) -> Iterator[NDArray | Frames]:
    """What `batch` has of each column, in the order of `columns_of`: shape (N,) or (N, size), or N pictures."""
    count = len(batch)
    for name in STEP_DTYPES:
        values = getattr(batch, name)
        if name == "reward_terms":
            yield from (values[:, term] for term in range(len(steps.reward_names)))
        else:
            yield values
    for array in steps.observation.arrays:
        if array.is_image:
            yield batch.images[array.name]
        else:
            values = batch.observation[array.name]
            yield values.reshape(count, -1) if array.shape else values
    for extra in steps.extra:
        values = batch.extra[extra.name]
        yield values.reshape(count, -1) if extra.shape else values


def metadata_of(contract: Contract) -> dict[str, str]:
    """What the columns mean, as one JSON text: task, run, and of each observed array shape, unit, frame and bounds."""
    arrays: list[dict[str, Any]] = [
        {"name": a.name, "shape": list(a.shape), "dtype": a.dtype, "unit": a.unit, "frame": a.frame}
        | {side: value for side, value in (("low", a.low), ("high", a.high)) if np.isfinite(value)}
        for a in contract.steps.observation.arrays
    ]
    document = {
        "task": contract.task,
        "run": contract.run_id,
        "observation_spec": contract.observation_spec,
        "observation": arrays,
        "rewards": list(contract.reward_names),
        "extra": [{"name": e.name, "shape": list(e.shape), "dtype": e.dtype} for e in contract.steps.extra],
    }
    return {METADATA: json.dumps(document)}
