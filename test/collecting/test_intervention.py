"""A person takes over within an episode: what is asked for, recorded, and no longer counted as the policy's."""

import msgspec
import numpy as np
import pytest
from collecting_robot import CONFIG, FULL, STEPS, Robot, parameters

from naf_robot.arm.control.actions import UNDECIDED
from naf_robot.collecting.guidance import HELD_S
from naf_robot.collecting.phase import Phase
from naf_robot.core.records import StepBatch, concatenate
from naf_robot.run.records import InterventionConfig, ResidualConfig

TAKEN = msgspec.structs.replace(CONFIG, intervention=InterventionConfig(enabled=True))
ASKED = np.array([0.2, -0.1, 0.0, 0.0, 0.0, 0.3, 0.0])  # [rad/s]; at an action of 1 every joint moves at 1 rad/s
BEGIN, END = 4, 7  # steps of an episode of 12 that a person asks for


def run_episode(robot: Robot, asked: np.ndarray = ASKED) -> None:
    """One episode, of which a person has the steps from BEGIN to before END."""
    robot.ended, robot.batches = [], []
    robot.run_until(lambda: robot.collector._episode is not None)
    robot.run(BEGIN - 1)
    for _ in range(END - BEGIN):
        robot.collector.guidance.ask(asked)
        robot.run(1)
    robot.collector.guidance.let_go()
    robot.run_until(lambda: robot.ended)


def sent(robot: Robot, steps: StepBatch) -> np.ndarray:
    return np.array([robot.requests[round(stamp, 6)] for stamp in steps.stamp_s[:-1]])


def test_the_persons_steps_are_asked_for_recorded_and_marked_and_the_others_are_the_policys():
    robot = Robot(config=TAKEN)
    robot.collector.offer(parameters())
    run_episode(robot)
    steps = concatenate(robot.batches)
    steps.validate(robot.collector._steps)
    marked = steps.extra["intervention"]
    assert marked.tolist() == [BEGIN <= step < END for step in range(STEPS + 1)]
    np.testing.assert_allclose(steps.requested_action[BEGIN:END], np.tile(ASKED, (END - BEGIN, 1)), atol=1e-6)
    np.testing.assert_allclose(sent(robot, steps), steps.requested_action[:-1], atol=1e-6)
    np.testing.assert_allclose(steps.action[:-1], 0.5 * steps.requested_action[:-1], atol=1e-6)
    others = steps.requested_action[:-1][~marked[:-1]]
    assert (np.abs(others - ASKED).max(axis=1) > 0.01).all()


def test_more_than_actions_can_ask_for_is_shortened_as_a_whole():
    robot = Robot(config=TAKEN)
    robot.collector.offer(parameters())
    run_episode(robot, 10.0 * ASKED)
    steps = concatenate(robot.batches)
    np.testing.assert_allclose(steps.requested_action[BEGIN], ASKED / np.abs(ASKED).max(), atol=1e-6)


def test_a_corrected_script_has_the_persons_motion_as_a_correction():
    robot = Robot(config=msgspec.structs.replace(TAKEN, residual=ResidualConfig(0.3)))
    robot.collector.offer(parameters())
    run_episode(robot)
    steps = concatenate(robot.batches)
    np.testing.assert_allclose(sent(robot, steps)[BEGIN:END], np.tile(ASKED, (END - BEGIN, 1)), atol=1e-6)


def test_an_episode_with_an_intervention_is_no_evaluation_and_says_nothing_of_exploration():
    robot = Robot(config=TAKEN)
    robot.collector.offer(parameters())
    greedy = []
    for _ in range(3):  # the third is greedy
        run_episode(robot)
        greedy.append(robot.ended[0].greedy)
        assert robot.ended[0].intervened
        steps = concatenate(robot.batches)
        assert not steps.greedy[BEGIN:].any()
        assert steps.greedy[:BEGIN].all() == greedy[-1]
    assert greedy == [False, False, True]
    assert list(robot.collector._behaviour.schedule.outcomes) == []


def test_a_hand_that_is_not_heard_any_more_has_let_go():
    robot = Robot(config=TAKEN)
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)
    robot.collector.guidance.ask(ASKED)
    robot.run(1)
    robot.clock.advance(HELD_S + 0.01)
    robot.run_until(lambda: robot.ended)
    assert concatenate(robot.batches).extra["intervention"].sum() == 1


@pytest.mark.parametrize("phase", [Phase.HOMING, Phase.WAITING_FOR_POLICY])
def test_outside_an_episode_a_hand_moves_nothing(phase: Phase):
    robot = Robot(scale=1.0, offset=0.4 if phase is Phase.HOMING else 0.0, config=TAKEN)
    if phase is Phase.HOMING:
        robot.collector.offer(parameters())
    untouched = Robot(scale=1.0, offset=0.4 if phase is Phase.HOMING else 0.0, config=TAKEN)
    if phase is Phase.HOMING:
        untouched.collector.offer(parameters())
    robot.collector.guidance.ask(10.0 * ASKED)
    for each in (robot, untouched):
        each.run(1)
    assert robot.collector.phase is phase
    np.testing.assert_array_equal(robot.velocity, untouched.velocity)


def test_a_run_that_takes_no_interventions_has_no_column_and_follows_nobody():
    robot = Robot()
    robot.collector.offer(parameters())
    run_episode(robot)
    steps = concatenate(robot.batches)
    assert steps.extra == {}
    assert (np.abs(steps.requested_action[BEGIN:END] - ASKED).max(axis=1) > 0.01).all()


def test_numbers_that_move_no_joint_stay_undecided():
    class Ending(type(FULL)):
        @property
        def size(self) -> int:
            return super().size + 1

        def action(self, velocity, position, requested):
            return np.append(velocity / self.bounds, requested[-1])

    robot = Robot(config=TAKEN)
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.collector.phase is Phase.RUNNING)
    episode = robot.collector._episode
    episode.actions = Ending(FULL.names, FULL.bounds)
    assert episode.action_for(ASKED, robot.position)[-1] == UNDECIDED
