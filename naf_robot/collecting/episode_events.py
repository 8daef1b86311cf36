"""What a collector's ticks say about begin and end of episodes, for the topic `episode`."""

from collections.abc import Sequence

from naf_robot.collecting.control_tick import Tick
from naf_robot.collecting.episode import Episode
from naf_robot.core.records import FloatArray
from naf_robot.core.stamps import nanoseconds_of_seconds
from naf_robot.experience.contract import Contract
from naf_robot.experience.episode_event import EpisodeEvent


class EpisodeEvents:
    """Makes the events of one robot, whose `joints` move at `max_joint_velocity` (n,) [rad/s] at an action of 1."""

    def __init__(
        self, contract: Contract, joints: Sequence[str], max_joint_velocity: FloatArray, control_period_s: float
    ) -> None:
        self._contract = contract
        self._joints = list(joints)
        self._max_joint_velocity = max_joint_velocity.tolist()
        self._control_period_s = control_period_s

    def of(self, tick: Tick) -> EpisodeEvent | None:
        """The event of a tick, None for one within or between episodes."""
        if tick.began is not None:
            return self._event(tick.began, "begin")
        return self._event(tick.ended, "end") if tick.ended is not None else None

    def _event(self, episode: Episode, event: str) -> EpisodeEvent:
        begins = event == "begin"
        return EpisodeEvent(
            event="begin" if begins else "end",
            stamp_ns=nanoseconds_of_seconds(episode.begun_s if begins else episode.observed_s),
            episode=episode.number,
            run_id=self._contract.run_id,
            task=self._contract.task,
            observation_spec=self._contract.observation_spec,
            greedy=episode.greedy,
            policy_version=episode.policy_version,
            goal={name: value.ravel().tolist() for name, value in episode.goal.items()},
            joints=self._joints,
            max_joint_velocity=self._max_joint_velocity,
            control_period_s=self._control_period_s,
            reason="" if begins else episode.end_reason,
            terminated=episode.terminated,
            success=episode.success,
            steps=episode.steps,
            discarded=episode.discarded,
        )
