"""Every kind of output; a new one is added from outside and found by its name."""

import numpy as np
import pytest

from naf_robot.arm.control.outputs import OUTPUTS, register_output
from naf_robot.core.errors import ConfigError, UnknownNameError


@pytest.fixture(params=sorted(OUTPUTS))
def output(request):
    return OUTPUTS[request.param]


def test_it_says_what_it_is(output):
    assert OUTPUTS[output.kind] is output
    package, folder, name = output.message_type.split("/")
    assert (folder, package[0].islower(), name[0].isupper()) == ("msg", True, True)
    assert not output.default_topic.startswith("/")


@pytest.mark.parametrize("position", [None, np.arange(7.0)])
def test_its_arrays_are_finite_and_its_own(output, position):
    velocity = np.linspace(-1.0, 1.0, 7)
    before = velocity.copy()
    arrays = output.arrays(velocity, position, 0.05)
    assert arrays
    assert all(np.isfinite(values).all() for values in arrays.values())
    np.testing.assert_array_equal(velocity, before)


def test_zero_velocity_is_a_command_to_stand(output):
    """The last command of the process must stop the arm, whatever the kind."""
    arrays = output.arrays(np.zeros(7), None, 0.0)
    assert arrays.keys() == output.arrays(np.ones(7), np.zeros(7), 0.05).keys()


def test_velocities_are_sent_as_they_are():
    velocity = np.linspace(-1.0, 1.0, 7)
    np.testing.assert_array_equal(OUTPUTS["velocity"].arrays(velocity, None, 0.05)["data"], velocity)


def test_an_unknown_kind_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match=r"unknown output 'torque' in output\.kind; valid: .*velocity"):
        OUTPUTS["torque"]


def test_a_kind_can_be_added_from_outside():
    class Scaled:
        kind = "percent"
        message_type = "std_msgs/msg/Float64MultiArray"
        default_topic = "percent_controller/commands"

        def arrays(self, velocity, position, period_s):
            return {"data": 100.0 * velocity}

    register_output(Scaled())
    try:
        assert OUTPUTS["percent"].arrays(np.ones(2), None, 0.05)["data"].tolist() == [100.0, 100.0]
        with pytest.raises(ConfigError, match="there is an output 'percent' already"):
            register_output(Scaled())
    finally:
        del OUTPUTS["percent"]


def test_the_message_of_every_kind_can_be_published(output):
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    from array import array

    from naf_robot.nodes.command_output import message_type

    message = message_type(output.message_type)()
    for name, values in output.arrays(np.ones(7), np.zeros(7), 0.05).items():
        setattr(message, name, array("d", values))
        assert len(getattr(message, name)) == len(values)
