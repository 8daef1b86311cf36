"""One sender at a time commands an arm; two are a fault with their names, a successor is none."""

import numpy as np
import pytest
from manual_clock import ManualClock

from naf_robot.arm.control.senders import REMEMBERED_S, SenderWatch
from naf_robot.arm.control.velocity_control import HANDOVER_S, VelocityControl, VelocityControlConfig

COLLECTOR, TELEOP = "/left/collector (host:1)", "/left/teleop (host:2)"


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def watch(clock):
    return SenderWatch(HANDOVER_S, clock)


def test_the_first_is_followed_and_another_is_rejected_by_name(watch):
    assert watch.rejection(COLLECTOR) is None
    assert watch.rejection(TELEOP) == f"desired_velocity of {TELEOP} while {COLLECTOR} commands the arm"
    assert "does not say its name in header.frame_id" in watch.rejection("")
    assert watch.conflict() is None


def test_two_that_go_on_are_a_conflict_until_one_is_silent(watch, clock):
    for _ in range(2):
        watch.rejection(COLLECTOR)
        watch.rejection(TELEOP)
        clock.advance(0.05)
    assert watch.rejection(COLLECTOR) is None
    assert watch.conflict() == f"desired velocities come from two senders, {COLLECTOR} and {TELEOP}; end one of them"
    clock.advance(REMEMBERED_S + 0.01)
    watch.rejection(COLLECTOR)
    assert watch.conflict() is None


def test_a_successor_is_followed_once_the_first_has_been_silent_and_is_no_conflict(watch, clock):
    watch.rejection(COLLECTOR)
    clock.advance(HANDOVER_S / 2)
    assert watch.rejection("/left/collector (host:9)") is not None
    clock.advance(HANDOVER_S)
    assert watch.rejection("/left/collector (host:9)") is None
    assert watch.conflict() is None


def test_one_that_gives_the_arm_away_is_succeeded_at_once(watch):
    watch.rejection(COLLECTOR)
    assert not watch.leave(TELEOP)
    assert watch.leave(COLLECTOR)
    assert watch.rejection(TELEOP) is None
    assert watch.rejection(COLLECTOR) is not None


class Arm:
    """Velocity control at rest at home, with two senders at 20 Hz."""

    def __init__(self, projection, home, clock) -> None:
        self.control = VelocityControl(projection, VelocityControlConfig(), clock)
        self.clock, self.home, self.time_s = clock, home, 100.0

    def step(self, *senders: str):
        names, still = self.control.joint_names, np.zeros(7)
        for sender in senders:
            self.clock.advance(0.025)
            self.time_s += 0.025
            self.control.joint_state(names, self.home, still, (), self.time_s, self.time_s)
            self.control.desired(names, np.full(7, 0.1), self.time_s, self.time_s, sender)
        if not senders:
            self.clock.advance(0.05)
            self.time_s += 0.05
            self.control.joint_state(names, self.home, still, (), self.time_s, self.time_s)
        return self.control.step(self.time_s, 0.05)


def test_the_arm_stops_where_two_command_it_and_an_operator_clears_it_once_one_is_gone(projection, home, clock):
    arm = Arm(projection, home, clock)
    for _ in range(4):
        assert arm.step(COLLECTOR).fault is None
    assert arm.step(COLLECTOR).velocity.any()
    outputs = [arm.step(COLLECTOR, TELEOP) for _ in range(10)]
    assert TELEOP in outputs[-1].fault
    assert not outputs[-1].velocity.any()
    assert not arm.control.clear_fault()[0]
    for _ in range(60):
        output = arm.step(COLLECTOR)
    assert output.fault is not None
    assert arm.control.clear_fault()[0]
    assert arm.step(COLLECTOR).velocity.any()


def test_it_decelerates_when_its_sender_gives_it_away(projection, home, clock):
    arm = Arm(projection, home, clock)
    for _ in range(5):
        output = arm.step(COLLECTOR)
    assert output.velocity.any()
    arm.control.leave(COLLECTOR)
    output = arm.step()
    assert np.abs(output.velocity).max() < 0.1
    assert output.desired is None
    arm.control.leave("of nobody")
    assert arm.step(TELEOP).desired is not None
