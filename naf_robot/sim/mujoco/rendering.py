"""Pictures of a simulated camera. Needs OpenGL without a screen: EGL where nothing else is asked for."""

import os
import sys
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from naf_robot.core.errors import SimulationError
from naf_robot.sim.camera import SimulatedCameraConfig

CAMERA = "camera"  # name in the model
GL = "MUJOCO_GL"  # MuJoCo's own choice of how to render, in the environment
LIGHT = (0.4, 0.5, 0.2)  # ambient, diffuse and specular part of the light that comes with the camera
MAX_GEOMS = 2000
WITHOUT = ("SHADOW", "REFLECTION", "SKYBOX", "FOG", "HAZE")  # what costs most of the time and shows nothing


def add_camera(spec: mujoco.MjSpec, config: SimulatedCameraConfig, height: int, width: int) -> None:
    """Put the camera into the world of `spec`, for pictures of `height` x `width`."""
    camera = spec.worldbody.add_camera(name=CAMERA, pos=list(config.position), fovy=np.degrees(config.field_of_view))
    quaternion = np.zeros(4)
    axes = config.optical_axes() * (1.0, -1.0, -1.0)  # MuJoCo's cameras look along their -z, with y up
    mujoco.mju_mat2Quat(quaternion, axes.ravel())
    camera.quat = quaternion
    spec.visual.quality.offsamples = config.multisampling
    spec.visual.global_.offheight, spec.visual.global_.offwidth = height, width
    light = spec.visual.headlight
    light.ambient, light.diffuse, light.specular = ([part] * 3 for part in LIGHT)


class CameraRenderer:
    """Renders the camera of one compiled model, for every state of it, in the thread that made it.

    Raises:
        SimulationError: this machine cannot render; what to install.
    """

    def __init__(self, model: mujoco.MjModel, height: int, width: int) -> None:
        self._gl = _gl_context(width, height)
        self._gl.make_current()
        self._model = model
        self._scene = mujoco.MjvScene(model, maxgeom=MAX_GEOMS)
        for name in WITHOUT:
            self._scene.flags[getattr(mujoco.mjtRndFlag, f"mjRND_{name}")] = 0
        self._option = mujoco.MjvOption()
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._camera.fixedcamid = model.camera(CAMERA).id
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._rectangle = mujoco.MjrRect(0, 0, width, height)
        self._pixels = np.empty((height, width, 3), np.uint8)

    def picture(self, data: mujoco.MjData) -> NDArray[np.uint8]:
        """What the camera sees of `data`, uint8 (H, W, 3): red, green, blue."""
        self._gl.make_current()
        mujoco.mjv_updateScene(
            self._model, data, self._option, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, self._scene
        )
        mujoco.mjr_render(self._rectangle, self._scene, self._context)
        mujoco.mjr_readPixels(self._pixels, None, self._rectangle, self._context)
        return self._pixels[::-1].copy()  # OpenGL begins at the bottom


def _gl_context(width: int, height: int) -> Any:
    """A context of `MUJOCO_GL`, else of EGL on Linux and of the system's own elsewhere."""
    wanted = os.environ.get(GL, "").lower()
    try:
        if wanted in ("", "egl") and sys.platform == "linux":
            from mujoco.egl import GLContext
        elif wanted == "osmesa":
            from mujoco.osmesa import GLContext
        else:
            from mujoco.gl_context import GLContext
        return GLContext(width, height)
    except Exception as error:  # of the driver's own kinds: ImportError, AttributeError, RuntimeError, GLError, ...
        reason = " ".join(str(error).split()).partition(". ")[0] or type(error).__name__
        raise SimulationError(
            f"the simulated camera cannot render with {wanted or 'EGL'}: {reason}; install EGL (Debian and Ubuntu: "
            f"apt install libegl1 libgl1-mesa-dri), or set {GL} to what this machine has: egl, osmesa or glfw"
        ) from error
