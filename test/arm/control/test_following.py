"""Does the arm do what was sent: every lag that an arm may have is one, and no other joint, sign or standstill."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from naf_robot.arm.control.config import FollowingConfig
from naf_robot.arm.control.following import FollowingCheck
from naf_robot.run.config import resolve
from naf_robot.run.environments import make_environment

JOINTS = ("a", "b", "c")
DETECTED_S = 1.5


class Arm:
    """First-order lag behind a delay, at `rate_hz` of states; `wiring` is what its joints do of the commands."""

    def __init__(self, lag_s=0.03, delay_s=0.0, rate_hz=100.0, wiring=None, **config):
        self.check = FollowingCheck(JOINTS, FollowingConfig(**config))
        self.wiring = np.eye(3) if wiring is None else np.array(wiring)
        self.step_s, self.lag_s = 1.0 / rate_hz, lag_s
        self.pipe = [np.zeros(3)] * round(delay_s / self.step_s)
        self.position = np.zeros(3)
        self.velocity, self.now_s, self.noise = np.zeros(3), 100.0, np.random.default_rng(0)

    def go(self, command, duration_s, noise=0.0):
        """The first reason, or None."""
        end_s = self.now_s + duration_s
        while self.now_s < end_s:
            wanted = np.asarray(command(self.now_s) if callable(command) else command, dtype=float)
            self.check.sent(wanted, self.now_s)
            self.pipe.append(self.wiring @ wanted)
            self.velocity += (1.0 - np.exp(-self.step_s / self.lag_s)) * (self.pipe.pop(0) - self.velocity)
            self.now_s += self.step_s
            self.position = self.position + self.step_s * self.velocity
            measured = self.velocity + noise * self.noise.normal(size=3)
            reason = self.check.state(self.position.copy(), measured, self.now_s)
            if reason is not None:
                return reason
        return None


@settings(deadline=None, max_examples=30)
@given(
    st.floats(0.001, 0.3),
    st.floats(0.0, 0.12),
    st.sampled_from([25.0, 50.0, 125.0]),
    st.integers(0, 9),
    st.floats(0.0, 0.03),
    st.sampled_from([0.0, 0.1, 0.4, 1.0]),
)
def test_an_arm_that_lags_is_no_fault(lag_s, delay_s, rate_hz, seed, noise, held_s):
    """Asked for a smooth motion, or back and forth at full speed every `held_s`."""
    random = np.random.default_rng(seed)
    arm, wanted = Arm(lag_s, delay_s, rate_hz), np.zeros(3)
    for _ in range(round(6.0 / (held_s or 0.1))):
        wanted = np.clip(0.8 * wanted + 0.5 * random.normal(size=3), -1.0, 1.0)
        if held_s:
            wanted = random.choice([-1.0, 1.0], 3)
        assert arm.go(wanted, held_s or 0.1, noise) is None


@pytest.mark.parametrize(
    ("wiring", "text"),
    [
        ([[0, 1, 0], [1, 0, 0], [0, 0, 1]], "a, b do not move as commanded"),
        ([[1, 0, 0], [0, 1, 0], [0, 0, -1]], "do not move as commanded"),
        ([[0, 0, 1], [1, 0, 0], [0, 1, 0]], "do not move as commanded"),
        (np.zeros((3, 3)), "stand although they are commanded to move"),
    ],
    ids=["swapped", "sign", "rotated", "inactive"],
)
@pytest.mark.parametrize("rate_hz", [25.0, 100.0])
def test_another_order_a_sign_and_a_controller_without_effect_are_found(wiring, text, rate_hz):
    reason = Arm(rate_hz=rate_hz, wiring=wiring).go([0.3, -0.1, 0.2], DETECTED_S)
    assert reason is not None
    assert text in reason


@pytest.mark.parametrize("wiring", [-np.eye(3), [[0, 0, 1], [1, 0, 0], [0, 1, 0]]], ids=["sign", "rotated"])
def test_motion_that_is_too_slow_for_velocities_is_found_by_positions(wiring):
    """The way home of a first run, with the noise of a cheap arm's velocities."""
    arm = Arm(wiring=wiring)
    assert "do not move as commanded" in (arm.go([0.015, 0.012, -0.015], 15.0, noise=0.02) or "")
    assert np.abs(arm.position).max() < 0.2
    assert Arm(lag_s=0.2).go([0.015, 0.012, -0.015], 20.0, noise=0.02) is None


def test_a_joint_that_is_put_elsewhere_begins_anew():
    arm = Arm()
    assert arm.go([0.1, 0.1, 0.1], 1.0) is None
    arm.position = arm.position + 1.0
    assert arm.go([0.1, 0.1, 0.1], 3.0) is None


def test_motion_that_nobody_asked_for_is_found():
    arm = Arm()
    arm.go(np.zeros(3), 0.5)
    arm.wiring, arm.pipe = np.zeros((3, 3)), []
    arm.lag_s = 1e9
    arm.velocity = np.array([0.0, 0.2, 0.0])
    arm.pipe = [arm.velocity]
    assert "b do not move as commanded" in (arm.go(np.zeros(3), DETECTED_S) or "")


def test_where_the_arm_may_be_blocked_standing_is_no_fault_but_moving_otherwise_is():
    assert Arm(wiring=np.zeros((3, 3)), may_be_blocked=True).go([0.3, 0.3, 0.3], 3.0) is None
    assert Arm(wiring=-np.eye(3), may_be_blocked=True).go([0.3, 0.3, 0.3], DETECTED_S) is not None


def test_an_arm_that_is_slower_than_asked_is_no_fault_until_it_hardly_moves():
    assert Arm(wiring=0.5 * np.eye(3)).go([0.3, 0.3, 0.3], 3.0) is None
    assert Arm(wiring=0.1 * np.eye(3)).go([0.3, 0.3, 0.3], 3.0) is not None


def test_a_gap_of_states_and_a_restart_begin_anew():
    arm = Arm(wiring=np.zeros((3, 3)))
    assert arm.go([0.3, 0.3, 0.3], 0.2) is None
    arm.now_s += 1.0
    assert arm.go([0.3, 0.3, 0.3], 0.2) is None
    arm.check.restart()
    assert arm.check.reason is None


def test_the_simulated_arms_servos_are_no_fault():
    """As in training: exploration through the projection."""
    pytest.importorskip("mujoco")
    config = resolve("reach", overrides=[{"robots": ["arm"]}])
    environment, own = make_environment(config), config.control_settings("arm", True)
    period_s, random = environment.task.control_period_s, np.random.default_rng(1)
    check = FollowingCheck(config.robot("arm").arm.joints, own.following)
    for step in range(1000):
        if step % 100 == 0:
            environment.reset(seed=step)
            check.restart()
            action = np.zeros(7)
        action = np.clip(0.85 * action + 0.5 * random.normal(size=7), -1.0, 1.0)
        _, _, _, _, info = environment.step(action)
        assert own.following.enabled
        check.sent(info["executed_action"] * environment.actions.bounds, step * period_s)
        signals = environment._signals
        assert check.state(signals["joint_position"], signals["joint_velocity"], (step + 1) * period_s) is None


@pytest.mark.parametrize("task", ["door_pull", "door_push", "door_real"])
def test_at_a_door_which_pushes_the_arm_nothing_is_compared(task):
    assert not resolve(task).control_settings("robot_1", True).following.enabled


def test_sensors_that_are_imperfect_on_purpose_switch_it_off_for_simulated_arms_alone():
    worse = {"simulator": {"imperfections": {"velocity_noise": 0.1}}}
    config = resolve("reach", overrides=[{"robots": ["arm"]}, worse])
    assert not config.control_settings("arm", True).following.enabled
    config = resolve("reach", overrides=[{"robots": ["arm"], "backend": "ros2_control"}, worse])
    assert config.control_settings("arm", False).following.enabled
