"""How the steps of a spec lie in a message: arrays by name, the small columns of one dtype side by side."""

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.errors import CodecError
from naf_robot.core.frames import Frames
from naf_robot.core.records import STEP_DTYPES, StepBatch, StepSpec

OBSERVATION, OFFSETS, EXTRA = "observation.", "offsets.", "extra."
FLAGS = ("has_action", "closing", "terminated", "truncated", "greedy", "success")  # columns of `flags`, bool
NUMBERS = ("episode", "step", "policy_version")  # columns of `numbers`, int64
SINGLE = tuple(name for name in STEP_DTYPES if name not in FLAGS + NUMBERS)  # arrays of their own


class StepArrays:
    """The names of a spec's arrays, made once: a fleet sends many batches."""

    def __init__(self, spec: StepSpec) -> None:
        arrays = spec.observation.arrays
        self._observation = {a.name: OBSERVATION + a.name for a in arrays if not a.is_image}
        self._images = {a.name: (OBSERVATION + a.name, OFFSETS + a.name) for a in arrays if a.is_image}
        self._extra = {column.name: EXTRA + column.name for column in spec.extra}
        self._expected = {*SINGLE, "flags", "numbers", *self._observation.values(), *self._extra.values()}
        self._expected.update(*self._images.values())

    @staticmethod
    def pack(batch: StepBatch) -> dict[str, NDArray]:
        """The arrays of a message that holds `batch`."""
        arrays: dict[str, NDArray] = {name: getattr(batch, name) for name in SINGLE}
        arrays["flags"] = np.stack([getattr(batch, name) for name in FLAGS], axis=1)
        arrays["numbers"] = np.stack([getattr(batch, name) for name in NUMBERS], axis=1)
        arrays |= {OBSERVATION + name: array for name, array in batch.observation.items()}
        arrays |= {EXTRA + name: array for name, array in batch.extra.items()}
        for name, frames in batch.images.items():
            arrays |= {OBSERVATION + name: frames.data, OFFSETS + name: frames.offsets}
        return arrays

    def unpack(self, arrays: dict[str, NDArray]) -> StepBatch:
        """The arrays of a message as steps; `StepBatch.validate` judges them.

        Raises:
            CodecError: arrays of other names than the spec's, or rows of flags or numbers of another width.
        """
        if arrays.keys() != self._expected:
            missing, unknown = sorted(self._expected - arrays.keys()), sorted(arrays.keys() - self._expected)
            raise CodecError(f"arrays missing: {missing[:5]}, unknown: {[name[:40] for name in unknown[:5]]}")
        flags, numbers = arrays["flags"], arrays["numbers"]
        if flags.shape[1:] != (len(FLAGS),) or numbers.shape[1:] != (len(NUMBERS),):
            raise CodecError(f"flags must have the columns {FLAGS} and numbers {NUMBERS}")
        # Columns lie apart in the message; what reads them again and again is faster on rows.
        columns = dict(zip(FLAGS, np.ascontiguousarray(flags.T), strict=True))
        columns |= zip(NUMBERS, np.ascontiguousarray(numbers.T), strict=True)
        return StepBatch(
            observation={name: arrays[key] for name, key in self._observation.items()},
            images={name: Frames(arrays[data], arrays[offsets]) for name, (data, offsets) in self._images.items()},
            extra={name: arrays[key] for name, key in self._extra.items()},
            **{name: arrays[name] for name in SINGLE},
            **columns,
        )
