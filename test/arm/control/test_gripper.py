"""What an action's numbers ask of a gripper, and which grippers they fit."""

import numpy as np
import pytest

from naf_robot.arm.control.gripper import GripperConfig, check_gripper
from naf_robot.core.errors import ConfigError

HAND = GripperConfig(joints=("left", "right"), max_effort=(2.0, -4.0))


def test_positive_numbers_close_whatever_way_a_joint_turns_for_that():
    np.testing.assert_array_equal(HAND.effort(np.array([0.5, 0.25])), [1.0, -1.0])
    np.testing.assert_array_equal(HAND.effort(np.array([-1.0])), [-2.0, 4.0])  # one number for all joints
    np.testing.assert_array_equal(HAND.home_position, [0.0, 0.0])


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"joints": (), "max_effort": ()}, "gripper.joints must name at least one joint"),
        ({"joints": ("a", "a"), "max_effort": (1.0, 1.0)}, "each once, got .*'a', 'a'"),
        (
            {"joints": ("a", "b"), "max_effort": (1.0,)},
            "gripper.max_effort must have one value, not 0, for each of the 2",
        ),
        ({"joints": ("a",), "max_effort": (0.0,)}, "gripper.max_effort must have one value, not 0"),
        ({"joints": ("a",), "max_effort": (float("inf"),)}, "max_effort"),
        ({"joints": ("a",), "max_effort": (1.0,), "home": (0.0, 1.0)}, "gripper.home must have one position for each"),
    ],
)
def test_a_gripper_that_is_not_whole_is_one_sentence(settings, text):
    with pytest.raises(ConfigError, match=text):
        GripperConfig(**settings)


def test_actions_must_fit_the_gripper_of_the_robot():
    check_gripper(None, 0, "left")
    check_gripper(HAND, 1, "left")
    check_gripper(HAND, 2, "left")
    with pytest.raises(ConfigError, match="have 1 numbers for a gripper, and 'left' has none: choose a robot whose"):
        check_gripper(None, 1, "left")
    with pytest.raises(ConfigError, match=r"have 3 numbers for a gripper, and the one of 'left' has 2 joints.*1, for"):
        check_gripper(HAND, 3, "left")
