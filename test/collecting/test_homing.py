import numpy as np
import pytest

from naf_robot.collecting.homing import Homing, Way

HOME = np.zeros(2)
FULL = np.ones(2)
PERIOD_S = 0.05


class Hook:
    """Two joints; where the second is below -0.5, a wall at 0.2 keeps the first from going below it."""

    def __init__(self, position=(0.0, 0.0)) -> None:
        self.position = np.array(position)
        self.homing = Homing(HOME, 2.0, FULL, np.random.default_rng(0))
        self.now_s = 0.0
        self.blocked = False

    def move(self, velocity) -> None:
        following = self.position + PERIOD_S * np.asarray(velocity)
        hooked = self.position[1] < -0.5 and self.position[0] >= 0.2
        if hooked and not self.blocked:
            following[0] = max(following[0], 0.2)
            if following[0] < 0.25:
                following[1] = min(following[1], -0.6)  # caught: no way up either
        if not self.blocked:
            self.position = following
        self.now_s += PERIOD_S

    def live(self, *legs) -> None:
        self.homing.start_episode()
        for velocity, steps in legs:
            for _ in range(steps):
                self.move(velocity)
                self.homing.record(self.position)

    def go_home(self, seconds: float) -> bool:
        for _ in range(round(seconds / PERIOD_S)):
            self.move(self.homing.velocity(self.now_s, self.position))
            if np.abs(self.position - HOME).max() < 0.03:
                return True
        return False


def test_the_straight_way_is_taken_where_it_is_free():
    hook = Hook()
    hook.live(((1.0, -0.3), 20))
    assert hook.go_home(6.0)
    assert hook.homing.detours == 0


def test_a_hooked_arm_goes_back_the_way_it_came():
    hook = Hook()
    hook.live(((1.0, 0.0), 20), ((0.0, -1.0), 20), ((-1.0, 0.0), 20))  # out, down behind the wall, and against it
    assert hook.position[0] == pytest.approx(0.2)
    assert hook.go_home(30.0)
    assert hook.homing.detours >= 1


def test_without_progress_anywhere_it_loosens_and_tries_again():
    hook = Hook()
    hook.live(((1.0, 0.0), 20))
    hook.blocked = True
    ways = set()
    for _ in range(400):
        hook.move(hook.homing.velocity(hook.now_s, hook.position))
        ways.add(hook.homing.way)
    assert ways == set(Way)
    hook.blocked = False
    assert hook.go_home(20.0)


def test_velocities_keep_to_the_given_bound():
    hook = Hook(position=(3.0, -2.0))
    for _ in range(600):
        velocity = hook.homing.velocity(hook.now_s, hook.position)
        assert np.abs(velocity).max() <= 1.0
        hook.move(velocity)


def test_without_a_path_it_still_gets_free():
    hook = Hook(position=(0.2, -1.0))
    hook.homing.start_episode()
    assert hook.go_home(120.0)


def test_continuous_joints_take_the_shorter_way():
    """Home 3.1, position -3.1: 0.08 rad away, not 6.2 (the second joint is bounded and goes the long way)."""
    continuous = np.array([True, False])

    def shortest(target, position):
        difference = np.subtract(target, position)
        return np.where(continuous, (difference + np.pi) % (2.0 * np.pi) - np.pi, difference)

    homing = Homing(np.array([3.1, 3.1]), 2.0, FULL, np.random.default_rng(0), shortest)
    homing.start_episode()
    position, turned = np.array([-3.1, -3.1]), np.zeros(2)
    for k in range(400):
        if np.abs(shortest(np.array([3.1, 3.1]), position)).max() < 0.005:
            break
        step = PERIOD_S * homing.velocity(k * PERIOD_S, position)
        position, turned = position + step, turned + step
    np.testing.assert_allclose(turned, [-(2.0 * np.pi - 6.2), 6.2], atol=0.01)
    assert homing.detours == 0
