"""Every kind of output; a new one is added from outside and found by its name."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from naf_robot.arm.control.output import OutputArm, order_of
from naf_robot.arm.control.outputs import OUTPUTS, register_output
from naf_robot.arm.control.position_outputs import HOLD_FACTOR, NOISE, REST_REPEAT_S, STREAM_S, CommandedMotion
from naf_robot.core.errors import ConfigError, UnknownNameError

NAMES = tuple(f"joint_{k}" for k in range(1, 8))
FASTEST, HARDEST, PERIOD_S, DELAY_S = 1.5, 10.0, 0.05, 0.05


def arm() -> OutputArm:
    return OutputArm(NAMES, np.full(7, FASTEST), np.full(7, HARDEST), PERIOD_S, DELAY_S)


@pytest.fixture(params=sorted(OUTPUTS))
def kind(request):
    return OUTPUTS[request.param]


def leaves(message):
    for value in message.values() if isinstance(message, dict) else message:
        if isinstance(value, dict) or (isinstance(value, list) and not isinstance(value[0], str)):
            yield from leaves(value)
        elif not isinstance(value, list):
            yield value


def test_it_says_what_it_is(kind):
    assert OUTPUTS[kind.kind] is kind
    package, folder, name = kind.message_type.split("/")
    assert (folder, package[0].islower(), name[0].isupper()) == ("msg", True, True)
    assert not kind.default_topic.startswith("/")


def test_its_values_are_finite_and_its_own(kind):
    velocity, position = np.linspace(-1.0, 1.0, 7), np.arange(7.0)
    before = velocity.copy(), position.copy()
    output = kind(arm())
    for _ in range(3):
        message = output.command(velocity, position, PERIOD_S)
        assert message
        assert all(np.isfinite(value).all() for value in leaves(message))
    np.testing.assert_array_equal(velocity, before[0])
    np.testing.assert_array_equal(position, before[1])


def test_nothing_is_sent_that_would_move_an_arm_whose_position_is_unknown(kind):
    """Zero velocity, or no message at all."""
    message = kind(arm()).command(np.zeros(7), None, PERIOD_S)
    assert message is None or not any(np.any(value) for value in leaves(message))


def test_it_keeps_to_the_controllers_order(kind):
    own = arm()
    own.order = order_of(NAMES, NAMES[::-1])
    message = kind(own).command(np.arange(7.0) * 0.1, np.zeros(7), PERIOD_S)
    if "data" in message:
        assert message["data"][0] == max(message["data"])
    else:
        assert message["joint_names"] == list(NAMES)  # with names there is no order to keep to


def test_velocities_are_sent_as_they_are():
    velocity = np.linspace(-1.0, 1.0, 7)
    np.testing.assert_array_equal(OUTPUTS["velocity"](arm()).command(velocity, None, 0.05)["data"], velocity)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(st.floats(-FASTEST, FASTEST), st.floats(0.001, 0.3)), min_size=1, max_size=40),
    st.floats(0.001, 0.3),
)
def test_the_commanded_position_of_an_arm_that_follows_never_jumps_nor_runs_ahead(steps, lag_s):
    """Whatever is asked, however late it comes, however late the arm follows."""
    motion, measured, sent = CommandedMotion(arm()), np.full(7, 0.7), np.zeros(7)
    for asked, passed_s in steps:
        change = HARDEST * min(passed_s, 0.1)
        sent = np.clip(asked, sent - change, sent + change)
        before = motion.at(0.0) if motion.known else measured
        due = motion.at(passed_s) if motion.known else measured
        assert np.abs(due - before).max() <= FASTEST * passed_s + 1e-9
        measured = measured + (1.0 - np.exp(-passed_s / lag_s)) * (due - measured)
        motion.go_on(sent, measured, passed_s)
        np.testing.assert_array_equal(motion.at(0.0), due)
        assert np.abs(due - measured).max() <= NOISE + (DELAY_S + 3.0 * HOLD_FACTOR * PERIOD_S) * FASTEST + 0.12


def test_an_arm_that_does_not_move_is_led_no_further_than_the_delay_that_is_allowed_for():
    motion, held = CommandedMotion(arm()), np.zeros(7)
    last = 0.0
    for _ in range(100):
        motion.go_on(np.full(7, 1.0), held, PERIOD_S)
        assert motion.at(0.0).max() >= last, "it is held there, not taken back again and again"
        last = motion.at(0.0).max()
    reach = NOISE + (DELAY_S + HOLD_FACTOR * PERIOD_S) * 1.0
    assert reach <= motion.at(10.0).max() <= reach + 1.0 * HOLD_FACTOR * PERIOD_S + 0.5 * 1.0 / HARDEST + 1e-9


def test_an_arm_that_was_moved_by_hand_is_taken_from_where_it_is():
    motion = CommandedMotion(arm())
    motion.go_on(np.zeros(7), np.zeros(7), PERIOD_S)
    motion.go_on(np.zeros(7), np.full(7, 0.5), PERIOD_S)
    np.testing.assert_array_equal(motion.at(0.0), np.full(7, 0.5))


def test_the_position_stream_follows_and_brakes_by_itself_when_no_velocity_comes():
    output = OUTPUTS["position"](arm())
    first = output.command(np.full(7, 1.0), np.zeros(7), PERIOD_S)["data"]
    np.testing.assert_allclose(first, STREAM_S)
    positions = np.array([output.between(k * STREAM_S)["data"][0] for k in range(30)])
    speeds = np.diff(positions) / STREAM_S
    assert speeds[0] == pytest.approx(1.0)
    assert speeds[-1] == 0.0
    assert (np.diff(speeds) <= 1e-9).all()
    assert np.diff(speeds).min() >= -HARDEST * STREAM_S - 1e-9
    assert positions[-1] == pytest.approx(HOLD_FACTOR * PERIOD_S + 0.5 / HARDEST)


def points_of(message):
    times = [point["time_from_start"] for point in message["points"]]
    return [t["sec"] + 1e-9 * t["nanosec"] for t in times], message["points"]


def test_a_trajectory_brakes_every_joint_within_its_acceleration_and_ends_at_rest():
    velocity = np.linspace(-1.2, 1.2, 7)
    times, points = points_of(OUTPUTS["trajectory"](arm()).command(velocity, np.zeros(7), PERIOD_S))
    assert times[0] == pytest.approx(HOLD_FACTOR * PERIOD_S)
    assert all(after > before for before, after in pairwise(times))
    np.testing.assert_allclose(points[0]["velocities"], velocity)
    assert not points[-1]["velocities"].any()
    for (t, before), (u, after) in pairwise(zip(times, points, strict=True)):
        change = np.abs(after["velocities"] - before["velocities"])
        assert change.max() <= HARDEST * (u - t) + 1e-6
        mean = (after["positions"] - before["positions"]) / (u - t)
        np.testing.assert_allclose(mean, (after["velocities"] + before["velocities"]) / 2.0, atol=2e-3)
    assert times[-1] <= HOLD_FACTOR * PERIOD_S + 1.2 / HARDEST + 2e-4


def test_a_trajectory_of_an_arm_at_rest_is_repeated_rarely():
    output = OUTPUTS["trajectory"](arm())
    sent = [output.command(np.zeros(7), np.zeros(7), 0.01) is not None for _ in range(round(4 * REST_REPEAT_S / 0.01))]
    assert sent[0]
    assert 3 <= sum(sent) <= 6
    assert output.command(np.full(7, 0.1), np.zeros(7), 0.01) is not None
    assert output.command(np.zeros(7), np.zeros(7), 0.01) is not None


def test_an_unknown_kind_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"unknown output 'torque' in output\.kind; valid: .*velocity"):
        OUTPUTS["torque"]


def test_a_kind_can_be_added_from_outside():
    class Percent:
        kind = "percent"
        message_type = "std_msgs/msg/Float64MultiArray"
        default_topic = "percent_controller/commands"
        takes_trajectories = False
        needs_order = False

        def __init__(self, own):
            self.own = own

        def command(self, velocity, position, period_s):
            return {"data": 100.0 * velocity[self.own.order]}

        def between(self, elapsed_s):
            return None

    register_output(Percent)
    try:
        assert OUTPUTS["percent"](arm()).command(np.ones(7), None, 0.05)["data"].tolist() == [100.0] * 7
        with pytest.raises(ConfigError, match="there is an output 'percent' already"):
            register_output(Percent)
    finally:
        del OUTPUTS["percent"]


def test_the_message_of_every_kind_can_be_published(kind):
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    from naf_robot.nodes.command_output import filled, message_type

    values = kind(arm()).command(np.ones(7), np.zeros(7), 0.05)
    message = filled(message_type(kind.message_type)(), values)
    if kind.kind != "trajectory":
        assert len(message.data) == 7
        return
    assert list(message.joint_names) == list(NAMES)
    assert len(message.points) == len(values["points"])
    assert list(message.points[-1].velocities) == [0.0] * 7
    assert message.points[0].time_from_start.nanosec == round(1e9 * HOLD_FACTOR * PERIOD_S)
