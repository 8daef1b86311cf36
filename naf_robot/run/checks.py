"""Checks of a composed configuration before anything is written: against each other, the arm and the machine.

Each check is a generator of sentences, one per problem, each with what would be right.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from naf_robot.arm.control.velocity_control import VelocityControl
from naf_robot.arm.model.inverse import nearest_posture
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.projection.projection import SafetyProjection, SafetyStatus
from naf_robot.core.clock import SteadyClock
from naf_robot.core.errors import ConfigError, NafRobotError
from naf_robot.core.records import FloatArray
from naf_robot.run.checks_of_run import OF_RUN, device, evaluation, sources
from naf_robot.run.config import RunConfig
from naf_robot.run.goals import drawn_goals, outermost, starts
from naf_robot.run.robot import RobotConfig
from naf_robot.run.run_config import arms_of
from naf_robot.run.worlds import make_simulator
from naf_robot.sensing.registry import SENSORS, make_sensor
from naf_robot.sim.registry import SIMULATORS

Problems = Iterator[str]
DEGREES = 180.0 / math.pi
ABSURD = 10.0  # times every joint's limit: the unit is another one
CARELESS = 0.03  # [m] by which a target may lie beyond what the sphere admits: success has a tolerance of its own


class Problem(NamedTuple):
    """What a check found."""

    check: str
    sentence: str


class Robot:
    """One robot with what is made of its configuration, each once and not before it is needed."""

    def __init__(self, name: str, config: RobotConfig) -> None:
        self.name, self.config = name, config

    @cached_property
    def model(self) -> ArmModel:
        """Its kinematics."""
        return self.config.arm.model()

    @cached_property
    def projection(self) -> SafetyProjection:
        """Its safety projection."""
        return SafetyProjection(self.model, self.config.safety)

    @property
    def home(self) -> FloatArray:
        """Its home posture (n,) [rad]."""
        return np.asarray(self.config.arm.home)


def check(config: RunConfig) -> list[str]:
    """Run every check; what the arms' descriptions assume, in sentences.

    Raises:
        ConfigError: the first problem, and how many more there are.
    """
    robots = robots_of(config)
    found = problems(config, robots)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise ConfigError(found[0].sentence + more)
    return list(dict.fromkeys(note for robot in robots for note in robot.model.description.notes))


def check_trainer(config: RunConfig) -> list[str]:
    """Check what concerns a trainer alone, on a machine without arms and simulator; no notes.

    Raises:
        ConfigError: the first problem.
    """
    for sentence in (*device(config), *evaluation(config), *sources(config)):
        raise ConfigError(sentence)
    return []


def robots_of(config: RunConfig) -> list[Robot]:
    """One robot for each different arm, safety and backend."""
    return [Robot(name, config.robot(name)) for name in arms_of(config)]


def problems(config: RunConfig, robots: Sequence[Robot] | None = None) -> list[Problem]:
    """Everything that the checks find; those of the arm only where its description is sound."""
    found: list[Problem] = []
    robots = robots_of(config) if robots is None else robots
    for name, of_run in OF_RUN.items():
        found += [Problem(name, sentence) for sentence in of_run(config)]
    for robot in robots:
        before = len(found)
        for name, of_robot in OF_ROBOT.items():
            if len(found) == before or name not in NEEDS_SOUND_ARM:
                found += [Problem(name, sentence) for sentence in of_robot(config, robot)]
    return found


def joints_differ(config: RunConfig, robot: Robot) -> Problems:
    """No joint is controlled twice."""
    joints = robot.config.arm.joints
    for joint in dict.fromkeys(joint for joint in joints if joints.count(joint) > 1):
        yield f"robots.{robot.name}.arm.joints has {joint!r} {joints.count(joint)} times; name each joint once"


def stated_limits(config: RunConfig, robot: Robot) -> Problems:
    """Every joint has a speed limit, from the URDF or the configuration, and limits that do not contradict."""
    try:
        _ = robot.projection
    except ConfigError as error:
        yield f"robots.{robot.name}: {error}"


def home_within_limits(config: RunConfig, robot: Robot) -> Problems:
    """The home posture is within the joints' position limits."""
    limits = robot.projection.limits
    for joint, home, low, high in zip(
        robot.model.joint_names, robot.home, limits.min_position, limits.max_position, strict=True
    ):
        if low <= home <= high:
            continue
        in_degrees = abs(home) > math.pi and low <= home / DEGREES <= high
        guess = f"; in degrees it would be within: write {home / DEGREES:.4g}" if in_degrees else ""
        yield (
            f"robots.{robot.name}.arm.home has {home:g} rad for {joint!r}, outside its limits of "
            f"{low:.4g} to {high:.4g} rad{guess}"
        )


def home_in_workspace(config: RunConfig, robot: Robot) -> Problems:
    """At home the tool is inside the sphere and out of what it must keep out of."""
    tool = robot.model.tool_position(robot.home)
    yield from _outside(robot, tool, "at home the tool", "arm.home")


def targets_reachable(config: RunConfig, robot: Robot) -> Problems:
    """Sampled goals are inside the workspace of the tool, and the outermost ones within the reach of the arm."""
    drawn = drawn_goals(config)
    for name, points in drawn.items():
        for point in points:
            found = list(_outside(robot, point, f"a {name} of task {config.task_name!r}", "task", CARELESS))
            if found:
                yield found[0]
                return
    for name, points in drawn.items():
        for point in outermost(points):
            _, distance = nearest_posture(
                robot.model, robot.projection.limits, point, starts(robot.home, robot.projection.limits)
            )
            if not distance <= CARELESS:
                yield (
                    f"a {name} of task {config.task_name!r} is at {_text(point)} m, and within its joint limits "
                    f"{robot.name!r} comes no nearer to it than {distance:.3g} m: change task or the limits"
                )
                return


def action_velocity(config: RunConfig, robot: Robot) -> Problems:
    """The speed of a full action is of the order of the joints' velocity limits."""
    fastest = float(robot.model.limits().max_velocity.max())
    asked = config.collector.action_velocity
    if asked > ABSURD * fastest:
        guess = f"; as degrees per second it would be {asked / DEGREES:.3g}" if asked / DEGREES <= fastest else ""
        yield (
            f"collector.action_velocity {asked:g} rad/s is far beyond the fastest joint of {robot.name!r}, "
            f"{fastest:.3g} rad/s{guess}"
        )


def projection_at_home(config: RunConfig, robot: Robot) -> Problems:
    """The safety projection works for this arm: it has a result at home."""
    zero = np.zeros(robot.model.size)
    result = robot.projection.project(robot.home, zero, zero, zero, config.make_task().control_period_s)
    if result.status is SafetyStatus.INTERNAL_ERROR:
        yield f"the safety projection of {robot.name!r} fails at home: check the arm's description"


def velocity_control(config: RunConfig, robot: Robot) -> Problems:
    """Velocity control can be made for this arm: its thresholds and required sensors are known."""
    settings = config.control_settings(robot.name, config.simulated_time)
    try:
        VelocityControl(robot.projection, settings, SteadyClock(), config.is_real(robot.name))
    except NafRobotError as error:
        yield f"robots.{robot.name}.velocity_control: {error}"
    topics = {make_sensor(name).topic for name in SENSORS}
    for sensor in settings.sensor_limits_s:
        if sensor not in topics:
            yield (
                f"robots.{robot.name}.velocity_control.sensor_limits_s names the sensor {sensor!r}, which is unknown; "
                f"valid: {', '.join(sorted(topics))}"
            )


def simulated_arm(config: RunConfig, robot: Robot) -> Problems:
    """The simulator can build the arm and its scene."""
    backend = robot.config.backend
    if backend not in SIMULATORS or SIMULATORS[backend].missing() is not None:
        return
    try:
        make_simulator(config, (robot.name,))
    except NafRobotError as error:
        yield f"the simulated world of {robot.name!r} cannot be built: {error}"


OF_ROBOT: dict[str, Callable[[RunConfig, Robot], Problems]] = {
    "joints_differ": joints_differ,
    "stated_limits": stated_limits,
    "home_within_limits": home_within_limits,
    "home_in_workspace": home_in_workspace,
    "targets_reachable": targets_reachable,
    "action_velocity": action_velocity,
    "projection_at_home": projection_at_home,
    "velocity_control": velocity_control,
    "simulated_arm": simulated_arm,
}
NEEDS_SOUND_ARM = {
    "stated_limits",
    "home_within_limits",
    "home_in_workspace",
    "targets_reachable",
    "projection_at_home",
    "velocity_control",
    "simulated_arm",
}


def _outside(robot: Robot, point: FloatArray, what: str, key: str, tolerance: float = 0.0) -> Problems:
    """Sentences about `point` (3,) [m], base frame, where the robot's tool may not be."""
    safety = robot.config.safety
    where = f"{_text(point)} m"
    sphere, centre = safety.sphere, np.asarray(safety.sphere.centre)
    distance, admitted = float(np.linalg.norm(point - centre)), sphere.radius - sphere.margin
    if not distance <= admitted + tolerance:
        yield (
            f"{what} is at {where}, {distance:.3g} m from the centre of the sphere of {robot.name!r}, which admits "
            f"{admitted:.3g} m: change {key} or robots.{robot.name}.safety.sphere"
        )
    for plane in safety.half_spaces:
        normal = np.asarray(plane.normal) / np.linalg.norm(plane.normal)
        if not float(normal @ point) >= plane.offset - tolerance:
            yield f"{what} is at {where}, beyond half-space {plane.name!r} of {robot.name!r}: change {key} or the plane"
    for box in safety.keep_out_boxes:
        if all(low < value < high for low, value, high in zip(box.min_corner, point, box.max_corner, strict=True)):
            yield f"{what} is at {where}, inside keep-out box {box.name!r} of {robot.name!r}: change {key} or the box"


def _text(point: FloatArray) -> str:
    return f"({', '.join(f'{round(float(value), 3) + 0.0:g}' for value in point)})"
