"""A hinge of the door with its spring, damping and dry friction, exerted as torques before each physics step."""

from dataclasses import dataclass

from naf_robot.sim.gazebo.server import ModelJoint
from naf_robot.sim.scenes.door import DoorPhysics, DoorSceneConfig
from naf_robot.sim.scenes.door_parts import LEVER_MASS, door_parts


@dataclass
class DoorJoint:
    """Its state after the last physics step, and what acts on it."""

    joint: ModelJoint
    inertia: float  # [kg m^2], about the axis
    spring: float  # [N m/rad]
    rest: float  # [rad], where the spring is slack
    damping: float  # [N m s/rad]
    friction: float  # [N m]
    step_s: float
    angle: float = 0.0  # [rad]
    speed: float = 0.0  # [rad/s]
    acceleration: float = 0.0  # [rad/s^2], mean over the last step

    @classmethod
    def hinge(cls, joint: ModelJoint, config: DoorSceneConfig, physics: DoorPhysics, step_s: float) -> "DoorJoint":
        """The one that the panel turns on."""
        own = door_parts(config, "", "").hinge.armature
        inertia = physics.panel_mass * config.geometry.panel_width**2 / 3.0 + own
        spring, damping, friction = physics.hinge_spring, physics.hinge_damping, physics.hinge_friction
        return cls(joint, inertia, spring, 0.0, damping, friction, step_s)

    @classmethod
    def lever(cls, joint: ModelJoint, config: DoorSceneConfig, physics: DoorPhysics, step_s: float) -> "DoorJoint":
        """The one that the lever turns on; its spring is wound at rest."""
        own = door_parts(config, "", "").lever_hinge.armature
        inertia = LEVER_MASS * (physics.lever_scale * config.geometry.lever_length) ** 2 / 3.0 + own
        spring, damping, friction = physics.lever_spring, physics.lever_damping, physics.lever_friction
        return cls(joint, inertia, spring, -physics.lever_preload, damping, friction, step_s)

    def read(self) -> None:
        """Take the state that the physics came to."""
        self.angle, before, self.speed = self.joint.position(), self.speed, self.joint.velocity()
        self.acceleration = (self.speed - before) / self.step_s

    def before_step(self, put: bool) -> None:
        """Exert the torques of the next step; with `put` be closed and at rest at its start."""
        if put:
            self.joint.put(0.0, 0.0)
            self.angle = self.speed = self.acceleration = 0.0
        else:
            self.read()
        stopping = self.inertia * self.speed / self.step_s  # the torque that would end the motion within the step
        friction = max(-self.friction, min(self.friction, stopping))
        damped = self.damping * self.speed / (1.0 + self.damping * self.step_s / self.inertia)
        self.joint.exert(-self.spring * (self.angle - self.rest) - damped - friction)

    def limit(self, lower: float, upper: float) -> None:
        """Limits of the angle [rad] from the next step on."""
        self.joint.limit(lower, upper)
