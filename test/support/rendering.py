"""Whether this machine can render pictures of a simulated camera, and if not, why."""

from functools import cache

import mujoco
import pytest

from naf_robot.core.errors import SimulationError
from naf_robot.sim.camera import SimulatedCameraConfig
from naf_robot.sim.mujoco.rendering import CameraRenderer, add_camera


@cache
def why_not() -> str:
    """The reason, empty where it can."""
    spec = mujoco.MjSpec()
    add_camera(spec, SimulatedCameraConfig(), 8, 8)
    try:
        CameraRenderer(spec.compile(), 8, 8)
    except SimulationError as error:
        return str(error)
    return ""


needs_rendering = pytest.mark.skipif(bool(why_not()), reason=why_not() or "it can")
