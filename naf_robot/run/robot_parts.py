"""What a run's configuration means for one of its robots: arm, simulator, sensors, actions and ticks."""

from dataclasses import replace

from naf_robot.arm.control.actions import BoundActions
from naf_robot.arm.model.config import ArmConfig
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.model.limits import JointLimits
from naf_robot.run.config import RunConfig
from naf_robot.sensing.registry import JOINT_STATES, make_sensor, make_sensors, providers
from naf_robot.sensing.sensor import Sensor
from naf_robot.sensing.tick import TickAssembler, TickLimits
from naf_robot.tasks.scripted.policy import ScriptedArm
from naf_robot.tasks.scripted.registry import make_scripted
from naf_robot.tasks.scripted.residual import PolicyActions, Residual, Unchanged

LOSSY_WAIT_S = 0.03  # wall time to wait for a simulated reading that may have been lost on purpose


def arm_of(config: RunConfig, robot: str) -> ArmConfig:
    """The arm of `robot`."""
    return config.robot(robot).arm


def backend_of(config: RunConfig, robot: str) -> str:
    """The simulator that `robot` is in."""
    return config.robot(robot).backend


def state_sensor(config: RunConfig, robot: str) -> Sensor:
    """The sensor that every control tick needs: the joint states."""
    sensor = make_sensor(JOINT_STATES, arm_of(config, robot).joints, config.sensors)
    return replace(sensor, topic=config.robot(robot).joint_states_topic)


def task_sensors(config: RunConfig, robot: str) -> tuple[Sensor, ...]:
    """The sensors that the task needs besides."""
    return make_sensors(config.make_task().sensors, arm_of(config, robot).joints, config.sensors)


def sensor_nodes(config: RunConfig, robot: str) -> list[str]:
    """The executables that must run so that the task's sensors publish."""
    return [provider.executable for provider in providers(task_sensors(config, robot))]


def camera_robots(config: RunConfig) -> list[str]:
    """The real robots whose node `camera` runs: those whose camera has a source."""
    return [name for name, robot in config.robots.items() if robot.real and robot.camera.source]


def bound_actions(config: RunConfig, model: ArmModel, limits: JointLimits) -> BoundActions:
    """The task's actions on an arm with these limits."""
    return config.make_task().action_spec.bind(model, limits, config.collector.action_velocity)


def policy_actions(config: RunConfig, model: ArmModel, actions: BoundActions) -> PolicyActions:
    """What the policy's actions stand for: those of the task, or corrections of its scripted policy.

    Raises:
        ConfigError: the task has no scripted policy to correct.
    """
    if not config.residual.scale:
        return Unchanged()
    return Residual(make_scripted(config.make_task(), ScriptedArm(model, actions)), config.residual.scale)


def action_size(config: RunConfig) -> int:
    """Number of an action's numbers."""
    return config.make_task().action_spec.size(config.joint_count)


def tick_assembler(config: RunConfig, robot: str, lockstep: bool) -> TickAssembler:
    """What makes control ticks of a robot's readings.

    The joint states may be as old as the velocity controller allows. The answer to the last request is waited for
    half as long as the simulator waits, or half a period out of lockstep, and simulated readings half as long as that;
    but only briefly where the simulator is configured to drop some.
    """
    period_s, answer_s = config.make_task().control_period_s, config.simulation.answer_timeout_s
    control, imperfections = config.robot(robot).velocity_control, config.simulator.imperfections
    limits = TickLimits(
        state_age_s=control.joint_states_limit_s,
        answer_wait_s=answer_s / 2.0 if lockstep else period_s / 2.0,
        sensor_wait_s=min(answer_s / 4.0, LOSSY_WAIT_S) if imperfections.dropout else answer_s / 4.0,
        sensor_lag_s=imperfections.sensor_delay_periods * period_s,
        future_s=control.future_s,
        jump_s=control.jump_s,
    )
    return TickAssembler(state_sensor(config, robot), task_sensors(config, robot), period_s, lockstep, limits)
