"""What is found about the driver of a real arm, from what was observed of it on the graph. Without ROS."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from naf_robot.core.records import FloatArray
from naf_robot.run.findings import Finding, problem, warning
from naf_robot.run.robot import RobotConfig

Findings = Iterator[Finding]
STATES_PER_PERIOD = 2.0  # joint states that each control period should have
WITHOUT_COMMANDS = {  # what the arm does by kind of output; with any other kind it goes on moving
    "trajectory": "the arm brakes by itself: every trajectory ends at rest",
    "position": "the arm stops at the last position, abruptly",
}
SAME_CLOCK_S = 0.02  # by which the driver's stamps may be ahead of this machine's clock
MOVED_SHARE = 0.5  # of the asked motion that a joint must make
OTHERS_SHARE = 0.3  # of the asked motion that every other joint may make
REST_WITHIN_S = 0.5


@dataclass(frozen=True)
class State:
    """One message of joint states."""

    names: tuple[str, ...]
    position: tuple[float, ...]  # [rad]
    velocity: tuple[float, ...]  # [rad/s]
    stamp_s: float
    received_s: float  # on the clock of this machine


@dataclass(frozen=True)
class Observed:
    """What was seen of a driver within `duration_s`; nodes by their full names."""

    duration_s: float
    states: Sequence[State] = ()
    state_topics: Sequence[str] = ()  # with joint states, anywhere on the graph
    state_publishers: Sequence[str] = ()
    command_listeners: Sequence[str] = ()
    command_writers: Sequence[str] = ()
    controller_joints: Sequence[str] | None = None  # of the controller's parameter; None: no answer


@dataclass(frozen=True)
class Motion:
    """What a trial of each joint, one after the other, has shown."""

    asked: FloatArray  # (n,) [rad] motion that each joint was asked for, alone
    made: FloatArray  # (n, n) [rad] motion of all joints in the trial of each
    rest_s: dict[str, float | None]  # until the arm stood, by how it was stopped; None: it did not


def driver_findings(robot: RobotConfig, control_period_s: float, seen: Observed) -> list[Finding]:
    """Everything about the driver of `robot` while nothing moves."""
    return [*_states(robot, control_period_s, seen), *_commands(robot, seen), *_controller(robot, seen)]


def _states(robot: RobotConfig, period_s: float, seen: Observed) -> Findings:
    topic = robot.joint_states_topic
    if not seen.states:
        others = ", ".join(seen.state_topics) or "none"
        yield problem(
            "joint states",
            f"no message on {topic!r} of the robot's namespace within {seen.duration_s:.0f} s; "
            f"joint states are published on: {others}",
            "start the driver in the namespace of the robot's name, or set driver.joint_states",
        )
        return
    names = {name for state in seen.states for name in state.names}
    if missing := [joint for joint in robot.arm.joints if joint not in names]:
        yield problem(
            "joint names",
            f"joint states have no {', '.join(missing)}; they have {', '.join(sorted(names))}",
            "give arm.joints the names that the driver publishes",
        )
        return
    more = len(names - set(robot.arm.joints))
    yield Finding("joint names", f"all {len(robot.arm.joints)} joints are there, and {more} others")
    own = [state for state in seen.states if set(state.names) & set(robot.arm.joints)]
    unmeasured = sorted({n for s in own for n in s.names if len(s.velocity) != len(s.names) and n in robot.arm.joints})
    if unmeasured:
        yield problem(
            "joint states",
            f"no velocities of {', '.join(unmeasured)}",
            "let joint_state_broadcaster publish the velocity interfaces",
        )
    yield from _times(robot, period_s, own, seen.duration_s)
    publishers = sorted(set(seen.state_publishers))
    text = f"published by {', '.join(publishers) or 'a node that is not known'}"
    if len(publishers) > 1:
        yield warning(
            "publishers",
            f"joint states are {text}",
            "let one node publish each joint, else states contradict each other",
        )
    else:
        yield Finding("publishers", f"joint states are {text}")


def _times(robot: RobotConfig, period_s: float, states: Sequence[State], duration_s: float) -> Findings:
    limits = robot.velocity_control
    ages = np.array([state.received_s - state.stamp_s for state in states])
    times = [np.sort([s.received_s for s in states if joint in s.names]) for joint in robot.arm.joints]
    rate, gap = min(map(len, times)) / duration_s, max(float(np.diff(each).max(initial=0.0)) for each in times)
    text = f"{rate:.0f} Hz, longest gap {gap * 1e3:.0f} ms"
    if gap > limits.joint_states_limit_s or min(map(len, times)) < 2:
        yield problem(
            "rate",
            f"{text}, more than velocity_control.joint_states_limit_s {limits.joint_states_limit_s:g} s",
            "let the driver publish more often",
        )
    elif rate < STATES_PER_PERIOD / period_s:
        yield warning(
            "rate", f"{text}, for a control period of {period_s * 1e3:.0f} ms", "let the driver publish more often"
        )
    else:
        yield Finding("rate", text)
    text = f"stamps are {np.median(ages) * 1e3:.1f} ms old at the median, {ages.max() * 1e3:.1f} ms at most"
    if ages.min() < -min(limits.future_s, SAME_CLOCK_S):
        yield problem(
            "clock",
            f"the driver's clock is {-ages.min():.3f} s ahead of this machine's",
            "synchronise the clocks (chrony, NTP)",
        )
    elif np.median(ages) > limits.joint_states_limit_s:
        yield problem(
            "clock",
            f"{text}, more than velocity_control.joint_states_limit_s {limits.joint_states_limit_s:g} s",
            "synchronise the clocks (chrony, NTP), or look for what delays the messages",
        )
    else:
        yield Finding("clock", text)


def _commands(robot: RobotConfig, seen: Observed) -> Findings:
    topic = robot.command_topic
    if seen.command_writers:
        yield problem(
            "commands",
            f"{', '.join(sorted(set(seen.command_writers)))} may write to {topic!r}",
            "stop it: only velocity_control may write to the arm",
        )
    if not seen.command_listeners:
        yield problem(
            "commands",
            f"no node takes commands on {topic!r} of the robot's namespace",
            "load and activate the controller (config/controllers has examples), or set output.topic",
        )
    else:
        yield Finding("commands", f"{robot.output_kind} to {topic!r}, taken by {', '.join(seen.command_listeners)}")
    if robot.output_kind in WITHOUT_COMMANDS:
        yield Finding("without commands", WITHOUT_COMMANDS[robot.output_kind])
    elif robot.driver.timeout_s is not None:
        yield Finding("without commands", f"driver or drives stop the arm after {robot.driver.timeout_s:g} s")
    else:
        yield warning(
            "without commands",
            "if velocity_control is killed while the arm moves, nothing is known to stop it",
            "set a time-out in driver or drives and say so in driver.timeout_s, or use output.kind trajectory",
        )


def _controller(robot: RobotConfig, seen: Observed) -> Findings:
    joints, given = robot.arm.joints, seen.controller_joints
    if given is None:
        yield warning(
            "joint order",
            f"controller {robot.controller!r} does not say its joints, so their order is not known to be right",
            "set driver.controller to the name of its node",
        )
    elif sorted(given) != sorted(joints):
        yield problem(
            "joint order",
            f"controller {robot.controller!r} has the joints {', '.join(given)}",
            "give it those of arm.joints, all of them and no others",
        )
    elif tuple(given) != joints:
        yield Finding(
            "joint order", f"controller {robot.controller!r} has another order, {', '.join(given)}; it is used"
        )
    else:
        yield Finding("joint order", f"controller {robot.controller!r} has the order of arm.joints")


def motion_findings(joints: Sequence[str], motion: Motion) -> list[Finding]:
    """What a small motion of each joint has shown."""
    found: list[Finding] = []
    for number, joint in enumerate(joints):
        asked, made = motion.asked[number], motion.made[number]
        share = made[number] / asked
        others = np.abs(np.delete(made, number)) > OTHERS_SHARE * abs(asked)
        text = f"{joint}: asked for {asked:.3f} rad, made {made[number]:.3f} rad"
        if share < -MOVED_SHARE:
            found.append(problem("motion", f"{text}: it moves the other way", "look at the sign of the joint's axis"))
        elif share < MOVED_SHARE and others.any():
            other = np.delete(np.array(joints), number)[int(np.abs(np.delete(made, number)).argmax())]
            found.append(
                problem("motion", f"{text}; {other} moved instead", "give the controller the order of arm.joints")
            )
        elif share < MOVED_SHARE:
            found.append(problem("motion", text, "look whether brakes, controller and operating mode let it move"))
        elif others.any():
            found.append(problem("motion", f"{text}; other joints moved too", "look at the controller's joints"))
    if not found:
        shares = np.diag(motion.made) / motion.asked
        found.append(
            Finding("motion", f"each joint moved alone, {shares.min():.0%} to {shares.max():.0%} of what was asked")
        )
    for how, rest_s in motion.rest_s.items():
        if rest_s is None or rest_s > REST_WITHIN_S:
            text = "the arm went on moving" if rest_s is None else f"at rest after {rest_s:.2f} s only"
            found.append(problem("stop", f"{how}: {text}", "do not use this arm before it stops; see docs/safety.md"))
        else:
            found.append(Finding("stop", f"{how}: at rest after {rest_s:.2f} s"))
    return found
