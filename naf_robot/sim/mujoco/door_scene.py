"""The scene `door`: a door with closing spring, lever and latch before the arm, and the IMU on its back."""

from collections.abc import Sequence
from dataclasses import dataclass

import mujoco
import numpy as np

from naf_robot.core.config import Config
from naf_robot.core.records import FloatArray
from naf_robot.core.seeding import stream
from naf_robot.sensing.sensor import STAMPS
from naf_robot.sensing.signals import Signals
from naf_robot.sim.mujoco.door_imu import DoorImus
from naf_robot.sim.mujoco.door_model import FRAME, HINGE_JOINT, LATCH, LEVER, LEVER_JOINT, PANEL, build_door
from naf_robot.sim.scenes.door import DoorPhysics, DoorSceneConfig
from naf_robot.sim.scenes.door_calibration import calibrate


@dataclass
class _Joint:
    position: int  # index in qpos
    velocity: int  # index in qvel
    index: int  # of the joint


class DoorScene:
    """Implements `sim.mujoco.scenes.Scene`. One instance serves several robots, each with a door of its own."""

    def __init__(
        self, config: DoorSceneConfig, seed: int = 0, numbers: Sequence[int] = (0,), imus: DoorImus | None = None
    ) -> None:
        self.config = config
        self.frames = {"door_imu": config.imu.frame} if config.imu is not None else {}
        self._seed = seed
        self._imus = DoorImus(config.imu, seed, numbers) if imus is None and config.imu is not None else imus
        self._first = tuple(numbers[:1]) if numbers[0] else ()  # scenes of other arms draw doors of their own
        self._random = stream(seed, "door", "physics", *self._first)
        self._physics: dict[int, DoorPhysics] = {}  # by identity of the robot's data
        self._applied: DoorPhysics | None = None

    def build(self, spec: mujoco.MjSpec) -> None:
        """Add the door."""
        build_door(spec, self.config)

    def bind(self, model: mujoco.MjModel) -> None:
        """Look up the door's addresses."""
        self._hinge = _joint(model, HINGE_JOINT)
        self._lever = _joint(model, LEVER_JOINT)
        self._latch = model.equality(LATCH).id
        self._frame = model.body(FRAME).mocapid[0]
        self._panel_body, self._lever_body = model.body(PANEL).id, model.body(LEVER).id
        self._panel_geom, self._bar_geom = model.geom(PANEL).id, model.geom(LEVER).id
        if self._imus is not None:
            self._imus.bind(model)
        self._panel_inertia = model.body_inertia[self._panel_body].copy()
        self._bar_size = model.geom_size[self._bar_geom].copy()
        self._bar_place = model.geom_pos[self._bar_geom].copy()

    def place(
        self, model: mujoco.MjModel, data: mujoco.MjData, goal_position: FloatArray | None, at_home: bool
    ) -> None:
        """Place the door's frame at `goal_position` (3,) [m], base frame, closed and latched; draw its physics.

        A door that is there already is not reset unless the arm is put at home too: its spring
        closes it, as with a real one.
        """
        moved = goal_position is not None and not np.allclose(goal_position, data.mocap_pos[self._frame])
        if id(data) in self._physics and not moved and not at_home:
            return
        if goal_position is not None:
            data.mocap_pos[self._frame] = np.asarray(goal_position)
        for joint in (self._hinge, self._lever):
            data.qpos[joint.position] = 0.0
            data.qvel[joint.velocity] = 0.0
        data.eq_active[self._latch] = 1
        self._physics[id(data)] = self.config.variation.sample(self.config.physics, self._random)
        self._apply(model, data)
        if self._imus is not None:
            self._imus.restart(data)

    def before_step(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Move the bolt: out while the lever is past its release angle, in again once the door is closed."""
        self._apply(model, data)
        lever, hinge = data.qpos[self._lever.position], data.qpos[self._hinge.position]
        data.eq_active[self._latch] = self.config.latch.next(bool(data.eq_active[self._latch]), lever, hinge)
        if self._imus is not None:
            self._imus.before_step(data)

    def signals(self, model: mujoco.MjModel, data: mujoco.MjData) -> Signals:
        """True angles and orientation of the door, and the IMU's readings since the last call.

        Raises:
            SimulationError: the door's energy exceeds `max_energy`.
        """
        angle = float(data.qpos[self._hinge.position])
        self.config.check_energy(self.physics(data), angle, float(data.qvel[self._hinge.velocity]))
        w, x, y, z = data.xquat[self._panel_body]
        signals = {
            "door_angle": np.array([angle]),
            "handle_angle": data.qpos[[self._lever.position]].copy(),
            "door_orientation": np.array([x, y, z, w]),
        }
        if self._imus is not None:
            signals["door_imu"], signals["door_imu" + STAMPS] = self._imus.rows(data)
        return signals

    def calibrations(self, number: int) -> dict[str, Config]:
        """The mounting of the IMU, found by the guided routine on a door of the same kind without an arm."""
        from naf_robot.sim.mujoco.door_by_hand import DoorByHand  # which has a scene itself

        return {} if self.config.imu is None else {"door_imu": calibrate(DoorByHand(self.config, self._seed, number))}

    def reseed(self, seed: int) -> None:
        """Restart the draws of the doors' physics from `seed`; the errors of an IMU are kept, as for a real device."""
        self._random = stream(seed, "door", "physics", *self._first)

    def latched(self, data: mujoco.MjData) -> bool:
        """Whether the bolt is in."""
        return bool(data.eq_active[self._latch])

    def physics(self, data: mujoco.MjData) -> DoorPhysics:
        """The physics of the door that belongs to `data`."""
        return self._physics[id(data)]

    def _apply(self, model: mujoco.MjModel, data: mujoco.MjData) -> None:
        """Robots share one compiled model: set its parameters to this robot's door before its world steps."""
        physics = self._physics[id(data)]
        if physics is self._applied:
            return
        self._applied = physics
        for joint, spring, damping, friction in (
            (self._hinge, physics.hinge_spring, physics.hinge_damping, physics.hinge_friction),
            (self._lever, physics.lever_spring, physics.lever_damping, physics.lever_friction),
        ):
            model.jnt_stiffness[joint.index] = spring
            model.dof_damping[joint.velocity] = damping
            model.dof_frictionloss[joint.velocity] = friction
        model.qpos_spring[self._lever.position] = -physics.lever_preload
        nominal = self.config.physics
        model.body_mass[self._panel_body] = physics.panel_mass
        model.body_inertia[self._panel_body] = self._panel_inertia * (physics.panel_mass / nominal.panel_mass)
        model.geom_size[self._bar_geom] = self._bar_size * physics.lever_scale
        model.geom_pos[self._bar_geom] = self._bar_place * physics.lever_scale
        for geom in (self._panel_geom, self._bar_geom):
            model.geom_friction[geom, 0] = physics.surface_friction


def _joint(model: mujoco.MjModel, name: str) -> _Joint:
    joint = model.joint(name)
    return _Joint(int(joint.qposadr[0]), int(joint.dofadr[0]), int(joint.id))
