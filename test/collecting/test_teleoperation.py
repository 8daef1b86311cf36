"""Keys and sticks move an arm as long as they are held, and nothing else does."""

import math

import numpy as np
import pytest
from collecting_robot import MODEL, ROBOT
from manual_clock import ManualClock

from naf_robot.arm.control.senders import named
from naf_robot.collecting.teleoperation import (
    JOY_S,
    KEY_S,
    TOOL_KEYS,
    USUAL,
    JoyMapping,
    KeyDecoder,
    Teleoperation,
    help_lines,
)
from naf_robot.core.errors import ConfigError

HOME = np.array(ROBOT.arm.home)
LIMITS = MODEL.limits()
HELD = [0, 0, 0, 0, 1]


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def hand(clock):
    return Teleoperation(MODEL, LIMITS, clock)


def test_each_joint_has_a_key_for_either_way_and_stops_when_it_is_let_go(hand, clock):
    for joint in range(7):
        for keys, sign in (("qwertyu", 1.0), ("asdfghj", -1.0)):
            hand.key(keys[joint])
            expected = np.zeros(7)
            expected[joint] = sign * USUAL * LIMITS.max_velocity[joint]
            np.testing.assert_allclose(hand.velocity(None), expected)
    clock.advance(KEY_S + 0.01)
    assert not hand.velocity(None).any()
    assert hand.doing(None) == "stands"
    hand.key("i")  # of an eighth joint
    assert not hand.velocity(HOME).any()


@pytest.mark.parametrize("key", TOOL_KEYS)
def test_each_key_of_the_tool_moves_it_along_or_about_its_own_axis(hand, key: str):
    hand.key(key)
    twist = MODEL.tool_twist_jacobian(HOME) @ hand.velocity(HOME)
    place = TOOL_KEYS.index(key)
    others = np.delete(twist, place // 2)
    assert twist[place // 2] * (1 if place % 2 == 0 else -1) > 0.0
    assert np.abs(others).max() < 0.1 * abs(twist[place // 2])
    assert not hand.velocity(None).any()
    assert "waits for joint states" in hand.doing(None)


def test_speed_has_bounds_and_changes_nothing_that_is_at_rest(hand):
    for _ in range(40):
        hand.key("+")
    assert hand.speed == 1.0
    assert not hand.velocity(HOME).any()
    hand.key("q")
    assert hand.velocity(HOME)[0] == pytest.approx(LIMITS.max_velocity[0])
    for _ in range(40):
        hand.key("-")
    assert 0.0 < hand.speed <= 0.05
    hand.key("q")
    hand.release()
    assert not hand.velocity(HOME).any()


def test_a_stick_moves_the_tool_only_while_its_deadman_is_held_and_its_messages_come(hand, clock):
    assert hand.joy([0.0, 1.0, 0.0, 0.0, 0.0], [0] * 5) is None
    assert not hand.velocity(HOME).any()
    assert hand.joy([0.0, 1.0, 0.0, 0.05, 0.0], HELD) is None
    twist = MODEL.tool_twist_jacobian(HOME) @ hand.velocity(HOME)
    assert twist[0] > 0.9 * USUAL * 0.25
    assert abs(twist[5]) < 0.01  # within the dead zone
    hand.key("q")  # the stick goes before it
    assert hand.doing(HOME) == "tool x +"
    clock.advance(JOY_S + 0.01)
    assert not hand.velocity(HOME).any()
    hand.joy([0.0, 1.0, 0.0, 0.0, 0.0], HELD)
    assert hand.velocity(HOME).any()
    hand.joy([0.0, 1.0, 0.0, 0.0, 0.0], [0] * 5)
    assert not hand.velocity(HOME).any()


@pytest.mark.parametrize(
    ("axes", "buttons", "text"),
    [
        ([0.0] * 4, HELD, "it has 4 axes and 5 buttons; joy_axes names axis 4, joy_deadman button 4"),
        ([0.0] * 5, [1], "it has 5 axes and 1 buttons"),
        ([0.0, math.nan, 0.0, 0.0, 0.0], HELD, "axes must be within -1 and 1"),
        ([0.0, 3.0, 0.0, 0.0, 0.0], HELD, "axes must be within -1 and 1"),
    ],
)
def test_a_wrong_joystick_message_says_why_and_stops_what_the_last_one_began(hand, axes, buttons, text: str):
    hand.joy([0.0, 1.0, 0.0, 0.0, 0.0], HELD)
    assert text in hand.joy(axes, buttons)
    assert not hand.velocity(HOME).any()


@pytest.mark.parametrize(("deadman", "axes"), [(-1, (0,) * 6), (0, (0, 1, 2)), (0, (0, 1, 2, 3, 4, -2))])
def test_a_wrong_mapping_is_one_sentence(deadman: int, axes: tuple[int, ...]):
    with pytest.raises(ConfigError, match="joy_"):
        JoyMapping(deadman, axes)


def test_keys_are_read_from_what_a_terminal_sends_whole_or_in_pieces():
    decoder = KeyDecoder()
    assert decoder.keys(b"q\x1b[A\x1bOB\x1b[5~x") == ["q", "up", "down", "page up", "x"]
    assert decoder.keys(b"\x1b") == []
    assert decoder.keys(b"[") == []
    assert decoder.keys(b"C") == ["right"]
    assert "q" not in decoder.keys(b"\x1b[15~") + decoder.keys(b"\x1b[1;5H") + decoder.keys("\xe9".encode())


def test_the_help_names_every_joint_and_a_nameless_sender_is_called_so():
    text = "\n".join(help_lines(MODEL.joint_names))
    assert all(name in text for name in MODEL.joint_names)
    assert "header.frame_id" in named("")
