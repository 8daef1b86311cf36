"""SAC's greedy policy, tanh of the mean, in the published format."""

import numpy as np
from numpy.typing import NDArray
from torch import nn

from naf_robot.learning.autograd_learner import affine_arrays
from naf_robot.learning.sac.networks import Gaussian


def policy_arrays(actor: Gaussian) -> dict[str, NDArray[np.float32]]:
    """Hidden layers and the mean's head; the deviation is left out."""
    return affine_arrays([*(layer for layer in actor.layers if isinstance(layer, nn.Linear)), actor.mean])
