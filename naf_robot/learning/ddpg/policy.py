"""DDPG's policy in the published format."""

import numpy as np
from numpy.typing import NDArray
from torch import nn

from naf_robot.learning.autograd_learner import affine_arrays
from naf_robot.learning.ddpg.networks import Actor


def policy_arrays(actor: Actor) -> dict[str, NDArray[np.float32]]:
    """The actor's affine layers."""
    return affine_arrays([layer for layer in actor.layers if isinstance(layer, nn.Linear)])
