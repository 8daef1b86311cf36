"""What is measured of one robot before it runs: description, limits, home, targets, cost of a step, simulated arm."""

import time
from collections.abc import Callable, Iterator

import numpy as np

from naf_robot.arm.model.inverse import nearest_posture
from naf_robot.core.errors import NafRobotError
from naf_robot.core.records import FloatArray
from naf_robot.run.checks import CARELESS, Robot, problems
from naf_robot.run.config import RunConfig
from naf_robot.run.findings import Finding, problem, warning
from naf_robot.run.goals import drawn_goals, outermost, starts
from naf_robot.run.worlds import make_simulator
from naf_robot.sim.simulator import Simulator

Findings = Iterator[Finding]
STEPS = 200  # of the safety projection that are timed
KINEMATICS_CALLS = 2000
SLOW_SHARE = 0.1  # of the control period that a step may cost at its 99th percentile
TRIED_SPEED = 0.2  # [rad/s] at which each joint of a simulated arm is tried, or half of its limit
TRIED_PERIODS = 10
FOLLOWS, FROZEN = 0.9, 0.5  # shares of the asked speed below which an arm follows badly, and not at all
SINGULAR = 0.05  # [m] least singular value of the tool's Jacobian: below it the tool hardly moves in one direction
NEAR_LIMIT = 0.05  # [rad] from a limit within which home leaves little room


def arm_findings(config: RunConfig, name: str) -> list[Finding]:
    """Everything about robot `name`; what needs a sound arm only where the cheap checks find nothing."""
    robot = Robot(name, config.robot(name))
    one = config.with_robots(name)
    found = list(_description(robot))
    wrong = problems(one, [robot])
    found += [problem(each.check.replace("_", " "), each.sentence) for each in wrong]
    if wrong:
        found.append(warning("measurements", "not made, because of the problems above", "mend them and check again"))
        return found
    for measure in (_limits, _home, _targets, _self_collision, _projection):
        found += measure(one, robot)
    if not robot.config.real:
        found += _simulated(one, robot)
    return found


def _description(robot: Robot) -> Findings:
    description = robot.model.description
    yield Finding(
        "description", f"{description.source}: {robot.model.size} joints, tool frame {robot.model.tool_frame}"
    )
    for note in description.notes:
        yield warning("description", note)


def _limits(config: RunConfig, robot: Robot) -> Findings:
    limits, stated = robot.projection.limits, robot.model.limits()
    narrowed = (limits.min_position > stated.min_position) | (limits.max_position < stated.max_position)
    slower = limits.max_velocity < stated.max_velocity
    yield Finding(
        "limits",
        f"speeds {_range(limits.max_velocity)} rad/s, accelerations {_range(limits.max_acceleration)} rad/s^2; "
        f"narrower than the description's: positions of {int(narrowed.sum())} joints, speeds of {int(slower.sum())}",
    )
    fast = config.collector.action_velocity > limits.max_velocity
    if fast.any():
        names = ", ".join(np.array(robot.model.joint_names)[fast])
        yield warning(
            "limits",
            f"a full action asks for {config.collector.action_velocity:g} rad/s, more than {names} may do",
            "set collector.action_velocity to their limit",
        )


def _home(config: RunConfig, robot: Robot) -> Findings:
    limits, sphere = robot.projection.limits, robot.config.safety.sphere
    tool, jacobian = robot.model.tool_jacobian(robot.home)
    inside = sphere.radius - sphere.margin - float(np.linalg.norm(tool - sphere.centre))
    room = np.minimum(robot.home - limits.min_position, limits.max_position - robot.home)
    yield Finding(
        "home",
        f"tool at ({', '.join(f'{value:.3f}' for value in tool)}) m, {inside:.3f} m inside the sphere; "
        f"{room.min():.2f} rad from the nearest joint limit",
    )
    if room.min() < NEAR_LIMIT:
        joint = robot.model.joint_names[int(room.argmin())]
        yield warning("home", f"{joint} is {room.min():.3f} rad from its limit", "choose a home with more room")
    if (least := float(np.linalg.svd(jacobian, compute_uv=False)[-1])) < SINGULAR:
        yield warning(
            "home",
            f"near a singular posture: in one direction the tool moves {least:.3f} m per rad only",
            "bend the elbow or the wrist",
        )


def _targets(config: RunConfig, robot: Robot) -> Findings:
    for name, points in drawn_goals(config).items():
        far, singular, touching = 0.0, np.inf, np.inf
        watched = robot.projection.path_limits.self_collision
        for point in outermost(points):
            posture, distance = nearest_posture(
                robot.model, robot.projection.limits, point, starts(robot.home, robot.projection.limits)
            )
            far = max(far, distance)
            singular = min(singular, float(np.linalg.svd(robot.model.tool_jacobian(posture)[1], compute_uv=False)[-1]))
            if watched is not None and watched.names:
                touching = min(touching, float(watched.distances(posture).min()))
        text = f"the outermost {name}s of {config.task_name} are reached within the joint limits, to {far * 1e3:.1f} mm"
        yield Finding("targets", text) if far < CARELESS else problem("targets", text)
        if singular < SINGULAR:
            yield warning("targets", "the outermost ones are near singular postures", "move the targets nearer")
        if touching < robot.config.safety.self_collision.stop_distance:
            yield warning(
                "targets", f"in a posture that reaches one, links are {touching:.3f} m apart", "look at the targets"
            )


def _self_collision(config: RunConfig, robot: Robot) -> Findings:
    for text in robot.projection.warnings:
        yield warning("self-collision", text)
    watched = robot.projection.path_limits.self_collision
    if watched is None or not watched.names:
        return
    distances, settings = watched.distances(robot.home), robot.config.safety.self_collision
    nearest = int(distances.argmin())
    text = f"{len(watched.names)} pairs of shapes watched; nearest at home: {watched.names[nearest]}, "
    text += f"{distances[nearest] * 1e3:.0f} mm"
    if distances[nearest] <= settings.stop_distance + settings.margin:
        yield problem(
            "self-collision",
            f"{text}, where {settings.stop_distance + settings.margin:g} m is the least",
            "choose another home, or disable the pair in an SRDF (arm.srdf) if it cannot touch",
        )
    elif distances[nearest] < settings.slow_distance:
        yield warning(
            "self-collision",
            f"{text}: the arm is slow there, below {settings.slow_distance:g} m",
            "choose another home, or disable the pair in an SRDF (arm.srdf) if it cannot touch",
        )
    else:
        yield Finding("self-collision", text)


def _projection(config: RunConfig, robot: Robot) -> Findings:
    """Steps of an ideally tracking arm under random commands, timed in processor time of this thread."""
    random, projection, period_s = np.random.default_rng(0), robot.projection, config.make_task().control_period_s
    position, sent, spent = robot.home, np.zeros(robot.model.size), []
    for _ in range(STEPS):
        desired = random.uniform(-1.0, 1.0, robot.model.size) * projection.limits.max_velocity
        begin = time.thread_time()
        sent = projection.project(position, sent, desired, sent, period_s).velocity
        spent.append(time.thread_time() - begin)
        position = position + period_s * sent
    begin = time.thread_time()
    for _ in range(KINEMATICS_CALLS):
        robot.model.tool_jacobian(position)
    unit = (time.thread_time() - begin) / KINEMATICS_CALLS
    median, high = np.percentile(spent, (50, 99))
    text = f"{median * 1e3:.2f} ms at the median, {high * 1e3:.2f} ms at the 99th percentile "
    text += f"({median / unit:.0f} and {high / unit:.0f} calls of kinematics with Jacobian)"
    if not projection.compiled:
        text += ", in Python: with a C compiler on the machine it would take a third of it"
    if high > SLOW_SHARE * period_s:
        yield warning(
            "projection step",
            f"{text}, of a period of {period_s * 1e3:.0f} ms",
            "use simpler or fewer collision shapes",
        )
    else:
        yield Finding("projection step", text)


def _simulated(config: RunConfig, robot: Robot) -> Findings:
    try:
        simulator = make_simulator(config, (robot.name,))
    except NafRobotError as error:
        yield problem("simulated arm", str(error))
        return
    contacts: Callable[[str], list[str]] | None = getattr(simulator, "contacts", None)
    if contacts is not None and (touching := contacts(robot.name)):
        yield problem("contacts", f"at home {', '.join(touching)} touch in simulation", "see arm.srdf, or another home")
    elif contacts is not None:
        yield Finding("contacts", "none at home in simulation")
    shares = np.array([_tracking(simulator, robot, joint) for joint in range(robot.model.size)])
    worst = robot.model.joint_names[int(shares.argmin())]
    text = f"every joint follows, at least with {shares.min():.0%} of the asked speed ({worst})"
    if shares.min() < FROZEN:
        slow = ", ".join(
            f"{name} {share:.0%}" for name, share in zip(robot.model.joint_names, shares, strict=True) if share < FROZEN
        )
        yield problem(
            "simulated arm", f"share of the asked speed: {slow}", "look at effort limits, inertia and contacts"
        )
    elif shares.min() < FOLLOWS:
        yield warning("simulated arm", text, "look at the effort limits")
    else:
        yield Finding("simulated arm", text)


def _tracking(simulator: Simulator, robot: Robot, joint: int) -> float:
    """Share of the asked speed that one joint has after some periods from rest at home, towards its farther limit."""
    limits = robot.projection.limits
    asked = np.zeros(robot.model.size)
    upwards = limits.max_position[joint] - robot.home[joint] > robot.home[joint] - limits.min_position[joint]
    asked[joint] = min(TRIED_SPEED, limits.max_velocity[joint] / 2.0) * (1.0 if upwards else -1.0)
    simulator.reset(robot.name, None, at_home=True)
    simulator.command(robot.name, asked)
    for _ in range(TRIED_PERIODS):
        simulator.step()
    return float(simulator.signals(robot.name)["joint_velocity"][joint] / asked[joint])


def _range(values: FloatArray) -> str:
    low, high = float(values.min()), float(values.max())
    return f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
