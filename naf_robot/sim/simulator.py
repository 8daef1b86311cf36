"""The protocol of a simulator: it steps the worlds of one or more robots by one control period."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError
from naf_robot.core.records import FloatArray
from naf_robot.core.types import FractionBelowOne, NonNegativeFloat, NonNegativeInt, PositiveFloat, UnitInterval
from naf_robot.sensing.signals import Signals
from naf_robot.sim.camera import SimulatedCameraConfig


class ImperfectionConfig(Config, frozen=True):
    """Imperfections of real arms; everything is off by default."""

    position_noise: NonNegativeFloat = 0.0  # standard deviation of measured positions [rad]
    velocity_noise: NonNegativeFloat = 0.0  # standard deviation of measured velocities [rad/s]
    sensor_delay_periods: NonNegativeInt = 0  # whole control periods until a reading arrives
    dropout: FractionBelowOne = 0.0  # probability that what arrives in a period is lost
    actuator_lag_s: NonNegativeFloat = 0.0  # time constant of the first-order velocity response [s]


class SimulatorConfig(Config, frozen=True):
    """Physics of the simulated robots."""

    physics_step_s: PositiveFloat = 0.005  # time step of the integrator; it divides the control period
    max_servo_effort: PositiveFloat = 60.0  # [N m], highest effort of a servo, but for those of heavy arms, which have
    # what accelerates their joints; the URDF's limit where that is lower
    full_effort_error: PositiveFloat = 1.0  # [rad/s] velocity error at which a servo gives its full effort
    joint_armature: NonNegativeFloat = 0.1  # motor and gear inertia seen at the joint [kg m^2]
    gravity_compensation: UnitInterval = 1.0  # share of the gravity on the arm, and on its gripper, that is compensated
    max_speed: PositiveFloat = 50.0  # [rad/s]; joint speed beyond which the simulation has diverged
    scene: dict[str, Any] = msgspec.field(default_factory=dict)  # the record of the task's scene
    camera: SimulatedCameraConfig = msgspec.field(default_factory=SimulatedCameraConfig)
    imperfections: ImperfectionConfig = msgspec.field(default_factory=ImperfectionConfig)


class Simulator(Protocol):
    """Robots' worlds that advance together, each robot addressed by name.

    Errors of every implementation: `UnknownNameError` for a robot that it has not, `SimulationError` for a command
    that is not n finite numbers (the last one stays) and for a simulation that diverged.
    """

    robots: tuple[str, ...]
    control_period_s: float

    @property
    def frames(self) -> Mapping[str, str]:
        """Frame of a sensor's readings by its name, where that is not the robot's base."""
        ...

    @property
    def time_s(self) -> float:
        """Simulated time since construction [s]."""
        ...

    def command(self, robot: str, velocity: FloatArray) -> None:
        """Set joint velocities (n,) [rad/s]; like ros2_control's, they hold until the next command."""
        ...

    def command_gripper(self, robot: str, effort: FloatArray) -> None:
        """Set the efforts (m,) of the gripper's joints, [N m] or [N]; they hold until the next command.

        Raises:
            SimulationError: the robot's gripper is not moved here, or not m finite numbers; the last ones stay.
        """
        ...

    def step(self) -> None:
        """Advance every world by one control period."""
        ...

    def signals(self, robot: str) -> Signals:
        """What the robot's sensors say now: joint states and whatever the scene adds.

        Arrays are named as the specs of `sensing.registry`. A gripper that is moved adds its state, and the geometries
        that the world was asked for their poses. A stream's readings are those that arrived in the last period; their
        stamps are times of this simulator.
        """
        ...

    def reset(self, robot: str, goal_position: FloatArray | None, at_home: bool) -> None:
        """Reset the scene around `goal_position` (3,) [m]; with `at_home` also put the arm at home."""
        ...

    def calibrations(self, robot: str) -> Mapping[str, Config]:
        """What an operator would find by calibrating the robot's sensors, by their names."""
        ...

    def reseed(self, seed: int) -> None:
        """Restart every random stream, so that everything after the next reset depends on `seed` alone."""
        ...


def steps_per_period(control_period_s: float, physics_step_s: float) -> int:
    """How many physics steps make one control period.

    Raises:
        ConfigError: the physics step does not divide the control period.
    """
    count = round(control_period_s / physics_step_s)
    if count < 1 or abs(count * physics_step_s - control_period_s) > 1e-9:
        raise ConfigError(
            f"the physics step {physics_step_s} s must divide the control period {control_period_s} s; "
            f"for example {control_period_s / max(count, 1)} s does"
        )
    return count
