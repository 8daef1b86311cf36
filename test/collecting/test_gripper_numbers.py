"""What the collector asks of a gripper: the policy's numbers within an episode, to open between episodes."""

import numpy as np
from collecting_robot import MODEL, Robot, parameters
from manual_clock import ManualClock
from policies import untrained

from naf_robot.arm.control.actions import JointVelocityActions
from naf_robot.collecting.collector import Collector
from naf_robot.collecting.phase import Phase
from naf_robot.core.records import concatenate
from naf_robot.run.config import resolve

STEPS = 6
CONFIG = resolve(
    "reach",
    overrides=[
        {
            "gripper": {"joints": ["finger"], "max_effort": [1.0]},
            "task": {"episode_steps": STEPS, "actions": {"kind": "joint_velocity", "gripper": 1}},
            "trainer": {"learning_starts": 1, "ratio_tolerance": 100},
        }
    ],
)


class Gripping(Robot):
    """The arm without physics, with what was asked of its gripper at each tick."""

    def __init__(self) -> None:
        super().__init__()
        actions = JointVelocityActions((*MODEL.joint_names, "gripper"), np.ones(7))
        self.collector = Collector(CONFIG, "robot_1", MODEL, actions, ManualClock())
        self.asked = []
        tick = self.collector.tick

        def noted(now_s, signals):
            made = tick(now_s, signals)
            self.asked.append((self.collector.phase, made.gripper))
            return made

        self.collector.tick = noted


def test_the_policys_numbers_within_an_episode_and_open_between_episodes():
    robot = Gripping()
    robot.collector.offer(parameters(arrays=untrained(20, 8).arrays()))
    robot.run_until(lambda: robot.ended)
    steps = concatenate(robot.batches)
    within = [number for phase, number in robot.asked if phase is Phase.RUNNING][:STEPS]
    np.testing.assert_allclose(np.concatenate(within), steps.requested_action[:-1, 7], atol=1e-6)
    np.testing.assert_array_equal(steps.action[:, 7], steps.requested_action[:, 7])  # nothing is in between
    assert np.unique(within).size > 1
    robot.run(1)
    assert [robot.asked[tick][1].tolist() for tick in (0, -1)] == [[-1.0], [-1.0]]


def test_a_robot_that_is_held_keeps_what_it_holds():
    robot = Gripping()
    robot.collector.hold("fault", "a reason")
    robot.run(2)
    assert [number for _, number in robot.asked] == [None, None]
