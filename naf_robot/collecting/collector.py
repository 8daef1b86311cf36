"""The collector without ROS: move home, run an episode, store its steps, repeat."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from naf_robot.arm.control.actions import BoundActions
from naf_robot.arm.control.gripper import OPENING
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.collecting.comparing import Comparing
from naf_robot.collecting.control_tick import Tick
from naf_robot.collecting.episode import ORDERLY_ENDS, Episode
from naf_robot.collecting.guidance import Guidance
from naf_robot.collecting.next_episode import NextEpisode
from naf_robot.collecting.phase import Phase, state_of
from naf_robot.collecting.policy_choice import PolicyChoice
from naf_robot.collecting.trainer_contact import TrainerContact
from naf_robot.collecting.way_home import WayHome
from naf_robot.core.array_spec import Observation
from naf_robot.core.clock import Clock
from naf_robot.core.records import FloatArray, PolicyParameters
from naf_robot.core.seeding import stream
from naf_robot.core.sequential import SuccessTest
from naf_robot.experience.recorder import EpisodeRecorder, Pictures
from naf_robot.learning.behaviour import BehaviourPolicy
from naf_robot.run.config import RunConfig
from naf_robot.run.contract import steps_of
from naf_robot.run.ratio import RatioLimiter
from naf_robot.run.robot_parts import policy_actions
from naf_robot.run.robot_state import RobotState
from naf_robot.sensing.signals import Signals, with_kinematics

Way = Callable[[FloatArray, FloatArray], FloatArray]
BY_OPERATOR = ("fault", "velocity_control")  # sources of holds that an operator ends: the arm may try again


class Collector:
    """Drives one robot through episodes; called once per control period with fresh signals.

    Parameters offered by `offer` are loaded between episodes only, as `PolicyChoice` says. `clock` is wall time, for
    the age of the last message from the trainer. `way` gives target less position of the joints, of which continuous
    joints have several (`SafetyProjection.way`); `ArmModel.shortest` by default.
    """

    def __init__(
        self,
        config: RunConfig,
        robot: str,
        model: ArmModel,
        actions: BoundActions,
        clock: Clock,
        first_episode: int = 0,
        way: Way | None = None,
    ) -> None:
        self._config = config.collector
        self._task = config.make_task()
        self._steps = steps_of(config)
        self._pictures = Pictures(self._config.frame_format, self._config.jpeg_quality)
        self._model = model
        self._actions = actions
        self._opened = actions.gripper(np.full(actions.size, OPENING))  # asked of a gripper between episodes
        self._intervention = config.intervention
        self._policy_actions = policy_actions(config, model, actions)
        self._behaviour = BehaviourPolicy(
            self._config.exploration, stream(config.seed, "exploration", robot, first_episode)
        )
        speed_factor = config.speed_factor(robot)
        fastest = self._config.home_velocity * speed_factor if config.is_real(robot) else np.inf
        self.way_home = WayHome(
            np.asarray(config.robot(robot).arm.home, dtype=np.float64),
            self._config,
            np.minimum(actions.max_joint_velocity, fastest),
            self._config.home_timeout_s / speed_factor,
            model.joint_names,
            stream(config.seed, "homing", robot, first_episode),
            way or model.shortest,
        )
        self.guidance = Guidance(clock)
        self._executed: OrderedDict[float, FloatArray] = OrderedDict()
        self._episode: Episode | None = None
        self._next = NextEpisode(self._task, robot, config.seed, first_episode, self._config.evaluation_period)
        spec = self._task.observation_spec
        self._policies = PolicyChoice(robot, spec, actions.size, config.trainer.new_test)
        self.trainer = TrainerContact(config.trainer.ratio(), self._config.max_policy_age_s, clock)
        self.next_episode = first_episode
        self._paused = self.released = False
        self.pauses = self.releases = 0  # by an operator
        self.outbox_full = False
        self.hold_reasons: dict[str, str] = {}  # by source; while there is any, no episode runs
        self.phase = Phase.WAITING_FOR_POLICY

    def offer(self, parameters: PolicyParameters) -> None:
        """Parameters to load at the next episode, unless newer ones arrive before.

        Those addressed to another robot count as a message from the trainer only.

        Raises:
            NafRobotError: arrays that are no policy for this robot, or an unknown kind; the last valid ones stay.
        """
        self._policies.offer(parameters)
        self.trainer.heard(parameters.updates, parameters.transitions)

    def pin(self, parameters: PolicyParameters | None) -> None:
        """From the next episode on act with these parameters whatever is published; None: follow the newest again.

        Raises:
            NafRobotError: arrays that are no policy for this robot, or addressed to another; the pin stays as it was.
        """
        self._policies.pin(parameters)

    def compare(self, comparing: Comparing | None) -> None:
        """From the next episode on, run the trials of a comparison until they are done; None: as usual.

        Raises:
            NafRobotError: a policy that this robot cannot act with; nothing changes.
        """
        for parameters in comparing.policies if comparing is not None else ():
            self._policies.check_comparable(parameters)
        self._next.compare(comparing)
        if self._episode is not None:
            self._episode.trial = None  # of another comparison, or of none any more

    @property
    def comparing(self) -> Comparing | None:
        """The comparison under way."""
        return self._next.comparing

    @property
    def exploration_scale(self) -> float:
        """How strongly the next exploring episode explores: the noise's standard deviation, in units of the action box.

        Of a policy with a covariance of its own it is in units of that.
        """
        return self._behaviour.next_scale

    @property
    def pinned_version(self) -> int | None:
        """The version this robot is pinned to, None if it follows the newest."""
        return self._policies.pinned_version

    @property
    def policy_version(self) -> int:
        """The version that acts, -1 before the first episode."""
        return self._policies.version

    @property
    def newest_version(self) -> int:
        """The newest version ever offered, -1 before the first."""
        return self._policies.newest_version

    def heed(self, ratio: RatioLimiter, new_test: Callable[[], SuccessTest]) -> None:
        """What a trainer with a configuration of its own says: its limiter, and its tests of policies."""
        self.trainer.ratio = ratio
        self._policies.new_test = new_test

    def executed(self, stamp_s: float, velocity: FloatArray) -> None:
        """The velocity really sent in answer to the request stamped `stamp_s`."""
        self._executed[stamp_s] = velocity
        while len(self._executed) > 64:
            self._executed.popitem(last=False)

    def awaits_executed(self) -> bool:
        """Whether the pending step still lacks its executed velocity; the tick may then wait a little."""
        episode = self._episode
        return bool(episode and episode.pending and episode.pending.stamp_s not in self._executed)

    @property
    def state(self) -> RobotState:
        """What it does, in one word."""
        return state_of(self.phase, self.hold_reasons)

    @property
    def paused(self) -> bool:
        """Whether an operator has paused it; going on lets an arm that did not get home try again."""
        return self._paused

    @paused.setter
    def paused(self, value: bool) -> None:
        if self._paused and not value:
            self.way_home.try_again()
            self.released = False
        self.pauses += value and not self._paused
        self._paused = value

    def release(self) -> Tick:
        """Give the arm to another node at once: a running episode ends; nothing is asked for until it is resumed."""
        self.releases += not self.released
        self._paused = self.released = True
        self.phase = Phase.RELEASED
        return self.abort("released to an operator")

    def tick(self, now_s: float, signals: Signals) -> Tick:
        """One control period: `signals` as sensed at `now_s`; returns the request."""
        if self.released:
            self.phase = Phase.RELEASED
            return Tick(None)
        if self.hold_reasons and self._episode is not None:
            return self.abort("; ".join(self.hold_reasons.values()))
        missing = [name for name in self._task.required_signals if name not in signals]
        if missing and self._episode is not None:
            return self.abort(f"sensor lost: no {' and no '.join(missing)} at {now_s:.2f} s")
        signals = with_kinematics(signals, self._model)
        if self._episode is None:
            return self._between_episodes(now_s, signals, not missing)
        return self._within_episode(now_s, signals, self._episode)

    def hold(self, source: str, reason: str | None) -> None:
        """Record why no episode may run (a latched fault, a silent sensor), or that `source` is working again (None).

        A running episode ends truncated at the next tick; its executed steps are kept.
        """
        if reason is None:
            if self.hold_reasons.pop(source, None) is not None and source in BY_OPERATOR:
                self.way_home.try_again()
        else:
            self.hold_reasons[source] = reason

    def abort(self, reason: str) -> Tick:
        """End a running episode now (fault, sensor loss, shutdown): truncated, and kept."""
        still = np.zeros(self._model.size)
        episode = self._episode
        if episode is None:
            return Tick(still)
        episode.pending = None
        episode.end_reason = reason
        return self._end(episode, still)

    def _between_episodes(self, now_s: float, signals: Signals, complete: bool) -> Tick:
        still = np.zeros(self._model.size)
        if self.hold_reasons:
            self.phase = Phase.HELD
            self.way_home.interrupt()
            return Tick(still)
        tick = self._at_or_on_the_way_home(now_s, signals, complete)
        return tick if tick.began is not None else replace(tick, gripper=self._opened)

    def _at_or_on_the_way_home(self, now_s: float, signals: Signals, complete: bool) -> Tick:
        still = np.zeros(self._model.size)
        position = signals["joint_position"]
        if not self.way_home.is_home(position, signals["joint_velocity"]):
            velocity = self.way_home.velocity(now_s, position)
            self.phase = Phase.NOT_AT_HOME if velocity is None else Phase.HOMING
            return Tick(still if velocity is None else velocity)
        self.way_home.arrived(now_s)
        self.phase = self._obstacle() or Phase.PREPARING
        if self.phase is not Phase.PREPARING:
            return Tick(still)
        if self._next.prepared is None:
            prepared = self._next.prepare(self.next_episode, self._policies.is_candidate)
            return Tick(still, prepared=self._task.goal_position(prepared.goal))
        if not complete or not self._task.ready(signals):
            self.phase = Phase.WORLD_NOT_READY
            return Tick(still)
        return self._begin(now_s, signals)

    def _obstacle(self) -> Phase | None:
        if self.paused:
            return Phase.PAUSED
        if self._policies.is_empty:
            return Phase.WAITING_FOR_POLICY
        if self.outbox_full:
            return Phase.OUTBOX_FULL
        return self.trainer.obstacle()

    def _begin(self, now_s: float, signals: Signals) -> Tick:
        (greedy, goal, trial), compared = self._next.take()
        if (parameters := self._policies.begin(compared)) is not None:
            self._behaviour.load(parameters.kind, parameters.arrays)
        self.phase = Phase.RUNNING
        self._behaviour.reset()
        self.way_home.start_episode(signals["joint_position"])
        recorder = EpisodeRecorder(self._steps, self.next_episode, self.policy_version, greedy, self._pictures)
        episode = Episode(
            self._task,
            self.next_episode,
            goal,
            greedy,
            self.policy_version,
            self._actions,
            recorder,
            self._policy_actions,
        )
        episode.trial = trial
        self._episode = episode
        self.next_episode += 1
        observation = self._task.observation(signals, goal)
        velocity, gripper = self._act(now_s, observation, signals["joint_position"], episode)
        return Tick(velocity, gripper, recorded=recorder.journal_row, began=episode)

    def _within_episode(self, now_s: float, signals: Signals, episode: Episode) -> Tick:
        gap_s = now_s - episode.pending.stamp_s if episode.pending else 0.0
        if gap_s > self._config.max_gap_s:  # the process was suspended, or the world was replaced: no valid transition
            return self.abort(f"{gap_s:.2f} s passed between two control steps, allowed {self._config.max_gap_s} s")
        self.way_home.record(signals["joint_position"])
        executed = self._executed.pop(episode.pending.stamp_s, None) if episode.pending else None
        episode.complete(executed, signals)
        observation = self._task.observation(signals, episode.goal)
        if episode.terminated or episode.time_is_up:
            episode.observe(now_s, observation)
            if not (episode.greedy or episode.intervened):
                self._behaviour.schedule.note(episode.success)
            return self._end(episode, np.zeros(self._model.size))
        velocity, gripper = self._act(now_s, observation, signals["joint_position"], episode)
        recorder, settings = episode.recorder, self._config
        batch = None
        if recorder.complete_rows >= settings.batch_transitions or recorder.bytes >= settings.batch_bytes:
            batch = recorder.take()
        return Tick(velocity, gripper, batch=batch, recorded=recorder.journal_row)

    def _act(
        self, now_s: float, observation: Observation, position: FloatArray, episode: Episode
    ) -> tuple[FloatArray, FloatArray | None]:
        """What the policy, or a person, asks for: joint velocities (n,) [rad/s], and the gripper's numbers (k,)."""
        guided = self.guidance.velocity if self._intervention.enabled else None
        if guided is not None:
            episode.intervene()
        episode.observe(now_s, observation, guided is not None)
        if guided is not None:
            action = episode.action_for(guided, position)
        else:
            spec = self._task.observation_spec
            pictures = {image.name: observation[image.name] for image in spec.images}
            action = self._behaviour.act(spec.flatten(observation), episode.greedy, pictures)
        whole = episode.request(now_s, action, position)
        return self._actions.joint_velocity(whole, position), self._actions.gripper(whole)

    def _end(self, episode: Episode, velocity: FloatArray) -> Tick:
        """End `episode` with its newest observation, which closes it."""
        self._episode = None
        self._executed.clear()
        counts = episode.end_reason in ORDERLY_ENDS and not episode.intervened
        trial_of_comparison = self._next.ended(episode.trial, counts)
        if episode.greedy and not episode.intervened and not trial_of_comparison:
            self._policies.evaluated(episode.success)
        return Tick(velocity, batch=episode.close(), ended=episode)
