"""A collector whose task needs a sensor: it waits for the world, and ends an episode when the sensor is lost."""

import numpy as np
import pytest
from manual_clock import ManualClock
from policies import untrained

from naf_robot.arm.control.actions import JointVelocityActions
from naf_robot.collecting.collector import Collector
from naf_robot.collecting.phase import Phase
from naf_robot.core.records import PolicyParameters
from naf_robot.run.config import resolve
from naf_robot.sensing import rotation
from naf_robot.tasks.door_geometry import HINGE_AXIS

CONFIG = resolve("door_real", overrides=[{"collector": {"batch_transitions": 50}, "trainer": {"learning_starts": 1}}])
ROBOT = CONFIG.robot("robot_1")
MODEL = ROBOT.arm.model()
SIZE = CONFIG.make_task().observation_spec.size


class Robot:
    """Stands at home whatever is asked of it, before a door at `angle`; None is a silent sensor."""

    def __init__(self) -> None:
        self.collector = Collector(
            CONFIG, "robot_1", MODEL, JointVelocityActions(MODEL.joint_names, np.ones(7)), ManualClock()
        )
        arrays = untrained(SIZE, 7).arrays()
        self.collector.offer(PolicyParameters(arrays, 1, "door_real", "", 0, 0))
        self.time_s = 0.0
        self.angle: float | None = 0.0
        self.silent: str | None = None  # a signal of the door that is not fresh
        self.batches, self.ended = [], []

    def run(self, ticks: int) -> None:
        for _ in range(ticks):
            self.time_s = round(self.time_s + 0.05, 6)
            signals = {"joint_position": np.array(CONFIG.robot("robot_1").arm.home), "joint_velocity": np.zeros(7)}
            if self.angle is not None:
                orientation = rotation.about_axis(HINGE_AXIS, self.angle)
                signals |= {"door_angle": np.array([self.angle]), "door_orientation": orientation}
            signals.pop(self.silent, None)
            tick = self.collector.tick(self.time_s, signals)
            self.collector.executed(self.time_s, np.zeros(7))
            self.batches += [tick.batch] if tick.batch is not None else []
            self.ended += [tick.ended] if tick.ended is not None else []


def test_no_episode_begins_before_the_door_is_closed():
    robot = Robot()
    robot.angle = 0.2
    robot.run(20)
    assert robot.collector.phase is Phase.WORLD_NOT_READY
    robot.angle = 0.01
    robot.run(2)
    assert robot.collector.phase is Phase.RUNNING


def test_no_episode_begins_while_the_sensor_is_silent():
    robot = Robot()
    robot.angle = None
    robot.run(20)
    assert robot.collector.phase is Phase.WORLD_NOT_READY


@pytest.mark.parametrize("silent", CONFIG.make_task().required_signals)
def test_no_episode_begins_while_one_of_the_required_signals_is_silent(silent: str):
    robot = Robot()
    robot.silent = silent
    robot.run(20)
    assert robot.collector.phase is Phase.WORLD_NOT_READY
    robot.silent = None
    robot.run(2)
    assert robot.collector.phase is Phase.RUNNING


def test_a_lost_sensor_ends_the_episode_and_nothing_is_learned_from_the_silence():
    robot = Robot()
    robot.run(20)
    assert robot.collector.phase is Phase.RUNNING
    steps = robot.collector._episode.steps
    robot.angle = None
    robot.run(3)
    (episode,) = robot.ended
    assert episode.end_reason.startswith("sensor lost: no door_angle and no door_orientation at")
    assert episode.steps == steps
    (batch,) = robot.batches
    assert batch.transitions == steps
    assert bool(batch.truncated[-1])
    assert not batch.terminated.any()
    assert np.isfinite(batch.reward).all()
    robot.run(20)
    assert robot.collector.phase is Phase.WORLD_NOT_READY
    assert len(robot.batches) == 1


def test_one_instant_of_opening_makes_the_episode_a_success():
    robot = Robot()
    robot.run(20)
    for angle in (0.3, 0.0):
        robot.angle = angle
        robot.run(5)
    assert robot.collector._episode.success
    steps = robot.collector._episode.recorder.take()
    assert steps.success.tolist()[-10:] == [False] + [True] * 9, "the newest observation is still open"
