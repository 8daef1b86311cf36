"""Linear-NAF's greedy policy in the published format."""

import numpy as np
from numpy.typing import NDArray

from naf_robot.learning.autograd_learner import affine_arrays
from naf_robot.learning.linear_naf.networks import LinearNaf


def policy_arrays(network: LinearNaf) -> dict[str, NDArray[np.float32]]:
    """One affine layer, `w0` and `b0`; tanh follows."""
    return affine_arrays([network.mu])
