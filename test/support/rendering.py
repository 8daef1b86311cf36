"""Whether this machine can render pictures of a simulated camera, and if not, why."""

from functools import cache

import mujoco
import pytest

from naf_robot.core.errors import SimulationError
from naf_robot.run.config import resolve
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


def skip_if_it_cannot_render(task: str) -> None:
    """Skip a test of a task with a camera on a machine that cannot render."""
    if "camera" in resolve(task).make_task().sensors and why_not():
        pytest.skip(why_not())
