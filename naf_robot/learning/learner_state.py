"""What every learner's state is made of: named tensors, a random generator, the number of updates."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from naf_robot.core.errors import CheckpointError

GENERATOR, UPDATES = "generator", "updates"


def state_arrays(tensors: dict[str, Tensor], generator: torch.Generator, updates: int) -> dict[str, NDArray]:
    """Copies of `tensors` by name, the generator's state and the number of updates."""
    arrays: dict[str, NDArray] = {name: tensor.detach().cpu().numpy().copy() for name, tensor in tensors.items()}
    arrays[GENERATOR] = generator.get_state().numpy().copy()
    arrays[UPDATES] = np.asarray(updates, np.int64)
    return arrays


@torch.no_grad()
def load_arrays(state: dict[str, NDArray], tensors: dict[str, Tensor], generator: torch.Generator) -> int:
    """Write `state` into `tensors` and `generator`; returns its number of updates.

    Raises:
        CheckpointError: arrays that are missing or of another shape; nothing was changed.
    """
    expected = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    expected |= {GENERATOR: tuple(generator.get_state().shape), UPDATES: ()}
    found = {name: np.shape(array) for name, array in state.items()}
    if found != expected:
        wrong = sorted({name for name, _ in found.items() ^ expected.items()})
        raise CheckpointError(f"learner state does not fit this configuration: {', '.join(wrong)}")
    for name, tensor in tensors.items():
        tensor.copy_(torch.from_numpy(np.array(state[name], np.float32)))
    generator.set_state(torch.from_numpy(np.array(state[GENERATOR], np.uint8)))
    return int(state[UPDATES])
