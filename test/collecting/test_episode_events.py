import math

import numpy as np
from collecting_robot import CONFIG, MODEL, STEPS, Robot, parameters

from naf_robot.collecting.episode_events import EpisodeEvents
from naf_robot.core.records import concatenate
from naf_robot.core.stamps import nanoseconds_of_seconds
from naf_robot.experience.episode_event import EpisodeEvent
from naf_robot.run.contract import contract_of

CONTRACT = contract_of(CONFIG)


class Listener(Robot):
    """Notes the event of every tick, as it is sent."""

    def __init__(self) -> None:
        super().__init__()
        self.made = EpisodeEvents(CONTRACT, MODEL.joint_names, np.ones(7), 0.05)
        self.events: list[EpisodeEvent] = []
        tick = self.collector.tick

        def noted(now_s, signals):
            result = tick(now_s, signals)
            self.note(result)
            return result

        self.collector.tick = noted

    def note(self, tick) -> None:
        if (event := self.made.of(tick)) is not None:
            self.events.append(EpisodeEvent.decode(event.encode()))


def test_every_episode_has_a_begin_and_an_end_with_the_stamps_of_its_steps():
    robot = Listener()
    robot.collector.offer(parameters())
    robot.run_until(lambda: len(robot.ended) == 3)
    assert [(e.event, e.episode) for e in robot.events] == [(w, n) for n in range(3) for w in ("begin", "end")]
    steps = concatenate(robot.batches)
    for begin, end in zip(robot.events[::2], robot.events[1::2], strict=True):
        own = steps.stamp_s[steps.episode == begin.episode]
        assert (begin.stamp_ns, end.stamp_ns) == (nanoseconds_of_seconds(own[0]), nanoseconds_of_seconds(own[-1]))
        assert begin.stamp_ns in set(map(nanoseconds_of_seconds, robot.requests))
        assert (end.steps, end.discarded, end.reason, end.terminated) == (STEPS, 0, "time limit", False)
        assert begin.goal == end.goal == {"target": robot.ended[begin.episode].goal["target"].tolist()}
        assert begin.greedy == (begin.episode == 2)
        assert (begin.policy_version, begin.task, begin.observation_spec) == (1, "reach", CONTRACT.observation_spec)
        assert begin.joints == list(MODEL.joint_names)


def test_an_episode_that_is_ended_early_is_closed_by_its_newest_observation():
    robot = Listener()
    robot.collector.offer(parameters())
    robot.run_until(lambda: any(e.event == "begin" for e in robot.events))
    robot.run(4)
    robot.note(robot.collector.abort("fault"))
    begin, end = robot.events
    assert end.reason == "fault"
    assert math.isclose(end.stamp_ns - begin.stamp_ns, 4 * 0.05e9)
