"""The scene `pick_place`: a stick with a free joint, held from above by a string that only pulls."""

from collections.abc import Sequence

import mujoco
import numpy as np

from naf_robot.core.config import Config
from naf_robot.core.records import FloatArray
from naf_robot.sensing.signals import Signals
from naf_robot.sim.scenes.pick_place import TWINE, WOOD, PickPlaceSceneConfig

STICK, TOP, ANCHOR, STRING, MARKER = "stick", "stick_top", "string_anchor", "string", "goal"
TURNING = 0.005  # [m^2] damping about the stick's axes over that along them
UPRIGHT = (1.0, 0.0, 0.0, 0.0)


class PickPlaceScene:
    """Implements `sim.mujoco.scenes.Scene`. Whoever asks for an episode has the stick hung up again at rest."""

    def __init__(self, config: PickPlaceSceneConfig, seed: int = 0, numbers: Sequence[int] = ()) -> None:
        self._config = config
        self.frames: dict[str, str] = {}

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add stick, string and marker."""
        config, world = self._config, spec.worldbody
        half = config.stick_length / 2.0
        stick = world.add_body(name=STICK, pos=config.stick_position)
        joint = stick.add_freejoint(name=STICK)
        joint.damping = [config.air_damping, 0.0, 0.0]
        stick.add_geom(
            name=STICK,
            type=mujoco.mjtGeom.mjGEOM_CAPSULE,
            size=[config.stick_radius, half - config.stick_radius, 0.0],
            rgba=WOOD,
            mass=config.stick_mass,
            condim=4,  # so that two fingers hold it against turning
            friction=[config.stick_friction, 0.01, 0.0001],
            priority=1,  # its friction counts, whatever the arm's shapes have
        )
        stick.add_site(name=TOP, pos=[0.0, 0.0, half])
        world.add_site(name=ANCHOR, pos=config.anchor)
        string = spec.add_tendon(name=STRING, limited=1, range=[0.0, config.string_length], rgba=TWINE)
        string.width = config.string_radius
        string.wrap_site(ANCHOR)
        string.wrap_site(TOP)
        marker = world.add_body(name=MARKER, mocap=True)
        marker.add_geom(
            type=mujoco.mjtGeom.mjGEOM_SPHERE,
            size=[config.marker_radius, 0.0, 0.0],
            rgba=list(config.marker_colour),
            contype=0,
            conaffinity=0,
        )

    def bind(self, model: mujoco.MjModel) -> None:
        """Look up the stick and the marker."""
        joint = model.joint(STICK)
        self._qpos, self._qvel = int(joint.qposadr[0]), int(joint.dofadr[0])
        self._marker = model.body(MARKER).mocapid[0]
        turning = self._config.air_damping * TURNING
        model.dof_damping[self._qvel + 3 : self._qvel + 6] = turning

    def place(
        self, model: mujoco.MjModel, data: mujoco.MjData, goal_position: FloatArray | None, at_home: bool
    ) -> None:
        """Move the marker, and hang the stick up at rest."""
        if goal_position is not None:
            data.mocap_pos[self._marker] = np.asarray(goal_position)
        data.qpos[self._qpos : self._qpos + 7] = (*self._config.stick_position, *UPRIGHT)
        data.qvel[self._qvel : self._qvel + 6] = 0.0

    def before_step(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Nothing moves by itself."""

    def signals(self, model: mujoco.MjModel, data: mujoco.MjData) -> Signals:
        """Nothing but the poses of geometries, which the world reads."""
        return {}

    def calibrations(self, number: int) -> dict[str, Config]:
        """No sensors."""
        return {}

    def reseed(self, seed: int) -> None:
        """Nothing is drawn."""
