"""The collector without ROS: move home, run an episode, store its steps, repeat."""

import enum
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from naf_robot.arm.control.actions import BoundActions
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.collecting.comparing import Comparing
from naf_robot.collecting.episode import ORDERLY_ENDS, Episode
from naf_robot.collecting.homing import HomeTimeout, Homing
from naf_robot.collecting.policy_choice import PolicyChoice
from naf_robot.core.array_spec import Observation
from naf_robot.core.clock import Clock
from naf_robot.core.records import FloatArray, PolicyParameters, StepBatch, StepSpec
from naf_robot.core.seeding import stream
from naf_robot.experience.journal import JournalRow
from naf_robot.experience.recorder import EpisodeRecorder, Pictures
from naf_robot.learning.behaviour import BehaviourPolicy
from naf_robot.run.comparison import Trial
from naf_robot.run.config import RunConfig
from naf_robot.run.ratio import RatioLimiter
from naf_robot.run.robot_state import RobotState, held_state
from naf_robot.sensing.signals import Signals, observe, with_kinematics

Way = Callable[[FloatArray, FloatArray], FloatArray]
BY_OPERATOR = ("fault", "velocity_control")  # sources of holds that an operator ends: the arm may try again


class Phase(enum.Enum):
    """The state of a collector; the value is the sentence shown on `/diagnostics`."""

    HOMING = "moving home"
    NOT_AT_HOME = "holding still: the arm does not get home and needs an operator"
    WAITING_FOR_POLICY = "waiting for policy parameters"
    WAITING_FOR_TRAINER = "waiting at home: the trainer is behind"
    POLICY_TOO_OLD = "holding still: no message from the trainer"
    OUTBOX_FULL = "holding still: the outbox is full"
    WORLD_NOT_READY = "waiting at home: the world is not ready for an episode"
    HELD = "holding still"
    PAUSED = "paused by an operator"
    RELEASED = "released: another node may command the arm until naf-robot resume"
    PREPARING = "at home, preparing the next episode"
    RUNNING = "running an episode"


STATE_OF: dict[Phase, RobotState] = {  # without HELD, whose state depends on who holds the robot
    Phase.HOMING: "homing",
    Phase.NOT_AT_HOME: "operator",
    Phase.WAITING_FOR_POLICY: "policy",
    Phase.WAITING_FOR_TRAINER: "trainer",
    Phase.POLICY_TOO_OLD: "trainer",
    Phase.OUTBOX_FULL: "trainer",
    Phase.WORLD_NOT_READY: "scene",
    Phase.PAUSED: "operator",
    Phase.RELEASED: "operator",
    Phase.PREPARING: "collecting",
    Phase.RUNNING: "collecting",
}


@dataclass(frozen=True)
class Tick:
    """The result of one control tick."""

    desired_velocity: FloatArray | None  # (n,) [rad/s]; None: nothing is asked for, the arm is released
    batch: StepBatch | None = None  # to be stored and sent
    recorded: JournalRow | None = None  # outcome of this tick, to be journalled until its batch is stored
    prepared: FloatArray | None = None  # (3,) [m], base frame: where the next episode's goal is
    ended: Episode | None = None  # an episode ended with this tick


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
        self._ratio = config.trainer.ratio()
        self._task = config.make_task()
        self._steps = StepSpec(self._task.observation_spec, actions.size, self._task.reward_names)
        self._pictures = Pictures(self._config.frame_format, self._config.jpeg_quality)
        self._model = model
        self._actions = actions
        self._clock = clock
        self._home = np.asarray(config.robot(robot).arm.home, dtype=np.float64)
        self._goals = {kind: stream(config.seed, "goal", robot, kind, first_episode) for kind in ("train", "evaluate")}
        self._behaviour = BehaviourPolicy(
            self._config.exploration, stream(config.seed, "exploration", robot, first_episode)
        )
        self._way = way or model.shortest
        speed_factor = config.speed_factor(robot)
        fastest = self._config.home_velocity * speed_factor if config.robot(robot).real else np.inf
        self._homing = Homing(
            self._home,
            self._config.home_gain,
            np.minimum(actions.max_joint_velocity, fastest),
            stream(config.seed, "homing", robot, first_episode),
            self._way,
        )
        self._executed: OrderedDict[float, FloatArray] = OrderedDict()
        self._episode: Episode | None = None
        self._prepared: tuple[bool, Signals, Trial | None] | None = None  # greedy?, goal, trial: of the next episode
        self._comparing: Comparing | None = None
        self._policies = PolicyChoice(
            robot, self._task.observation_spec.size, actions.size, config.trainer.evaluation_window
        )
        self._updates, self._transitions = 0, 0
        self._last_sign_s = clock.now_s()
        self._home_timeout = HomeTimeout(self._config.home_timeout_s / speed_factor, model.joint_names)
        self.next_episode = first_episode
        self._paused = self.released = False
        self.pauses = 0  # by an operator
        self.start_distance: float | None = None  # [rad] of the joint farthest from home as the last episode began
        self.homing_s: float | None = None  # time of the last way home
        self._homing_since_s: float | None = None
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
        self.progress(parameters.updates, parameters.transitions)

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
        self._comparing, self._prepared = comparing, None
        if self._episode is not None:
            self._episode.trial = None  # of another comparison, or of none any more

    @property
    def comparing(self) -> Comparing | None:
        """The comparison under way."""
        return self._comparing

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

    def progress(self, updates: int, transitions: int) -> None:
        """A message from the trainer: its updates and the transitions it has stored.

        After a restart from a checkpoint it has fewer updates than before; the newest value is used.
        """
        self._updates, self._transitions = updates, transitions
        self._last_sign_s = self._clock.now_s()

    def heed(self, ratio: RatioLimiter, evaluation_window: int) -> None:
        """What a trainer with a configuration of its own says: its limiter, and its window of evaluation episodes."""
        self._ratio = ratio
        self._policies.trials = evaluation_window

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
    def policy_age_s(self) -> float:
        """Wall time since the last message from the trainer [s]."""
        return self._clock.now_s() - self._last_sign_s

    @property
    def help_reason(self) -> str | None:
        """Why an operator must act before the arm moves again, None while it can help itself."""
        return self._home_timeout.reason

    @property
    def homing_failures(self) -> int:
        """Ways home that took too long."""
        return self._home_timeout.failures

    @property
    def state(self) -> RobotState:
        """What it does, in one word."""
        if self.phase is Phase.HELD and self.hold_reasons:
            return held_state(self.hold_reasons)
        return STATE_OF.get(self.phase, "fault")

    @property
    def paused(self) -> bool:
        """Whether an operator has paused it; going on lets an arm that did not get home try again."""
        return self._paused

    @paused.setter
    def paused(self, value: bool) -> None:
        if self._paused and not value:
            self._home_timeout.restart()
            self.released = False
        self.pauses += value and not self._paused
        self._paused = value

    def release(self) -> Tick:
        """Give the arm to another node at once: a running episode ends; nothing is asked for until it is resumed."""
        self.paused = self.released = True
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
                self._home_timeout.restart()
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
        if self.hold_reasons:
            self.phase = Phase.HELD
            self._home_timeout.interrupt()
            self._homing_since_s = None
            return Tick(np.zeros(self._model.size))
        distance = np.abs(self._way(self._home, signals["joint_position"]))
        speed = float(np.abs(signals["joint_velocity"]).max())
        if distance.max() > self._config.home_tolerance or speed > self._config.home_tolerance:
            return Tick(self._go_home(now_s, signals["joint_position"], distance))
        self._home_timeout.restart()
        if self._homing_since_s is not None:
            self.homing_s, self._homing_since_s = now_s - self._homing_since_s, None
        self.phase = self._obstacle() or Phase.PREPARING
        if self.phase is not Phase.PREPARING:
            return Tick(np.zeros(self._model.size))
        if self._prepared is None:
            return self._prepare()
        if not complete or not self._task.ready(signals):
            self.phase = Phase.WORLD_NOT_READY
            return Tick(np.zeros(self._model.size))
        return self._begin(now_s, signals, *self._prepared)

    def _go_home(self, now_s: float, position: FloatArray, distance: FloatArray) -> FloatArray:
        """The velocity that leads home, zero once it has been tried for too long."""
        if self._home_timeout.is_over(now_s, distance):
            self.phase = Phase.NOT_AT_HOME
            return np.zeros(self._model.size)
        self.phase = Phase.HOMING
        if self._homing_since_s is None:
            self._homing_since_s = now_s
        return self._homing.velocity(now_s, position)

    def _prepare(self) -> Tick:
        trial = self._comparing.next if self._comparing is not None else None
        if self._comparing is not None and trial is not None:
            greedy, goal = True, self._comparing.goal(self._task, trial.pair)
        else:
            periodic = self.next_episode % self._config.evaluation_period == self._config.evaluation_period - 1
            greedy = self._policies.is_candidate or periodic
            goal = self._task.sample_goal(self._goals["evaluate" if greedy else "train"])
        self._prepared = (greedy, goal, trial)
        return Tick(np.zeros(self._model.size), prepared=self._task.goal_position(goal))

    def _obstacle(self) -> Phase | None:
        if self.paused:
            return Phase.PAUSED
        if self._policies.is_empty:
            return Phase.WAITING_FOR_POLICY
        if self.outbox_full:
            return Phase.OUTBOX_FULL
        if self.policy_age_s > self._config.max_policy_age_s:
            return Phase.POLICY_TOO_OLD
        if self._ratio.collectors_must_wait(self._transitions, self._updates):
            return Phase.WAITING_FOR_TRAINER
        return None

    def _begin(self, now_s: float, signals: Signals, greedy: bool, goal: Signals, trial: Trial | None) -> Tick:
        compared = self._comparing.policies[trial.side] if self._comparing is not None and trial is not None else None
        if (parameters := self._policies.begin(compared)) is not None:
            self._behaviour.load(parameters.kind, parameters.arrays)
        self._prepared = None
        self.phase = Phase.RUNNING
        self._behaviour.reset()
        self._homing.start_episode()
        self.start_distance = float(np.abs(self._way(self._home, signals["joint_position"])).max())
        recorder = EpisodeRecorder(self._steps, self.next_episode, self.policy_version, greedy, self._pictures)
        episode = Episode(self._task, self.next_episode, goal, greedy, self.policy_version, self._actions, recorder)
        episode.trial = trial
        self._episode = episode
        self.next_episode += 1
        observation = observe(self._task.observation_spec, signals, goal)
        velocity = self._act(now_s, observation, signals["joint_position"], episode)
        return Tick(velocity, recorded=recorder.journal_row())

    def _within_episode(self, now_s: float, signals: Signals, episode: Episode) -> Tick:
        gap_s = now_s - episode.pending.stamp_s if episode.pending else 0.0
        if gap_s > self._config.max_gap_s:  # the process was suspended, or the world was replaced: no valid transition
            return self.abort(f"{gap_s:.2f} s passed between two control steps, allowed {self._config.max_gap_s} s")
        self._homing.record(signals["joint_position"])
        executed = self._executed.pop(episode.pending.stamp_s, None) if episode.pending else None
        episode.complete(executed, signals)
        observation = observe(self._task.observation_spec, signals, episode.goal)
        if episode.terminated or episode.time_is_up:
            episode.observe(now_s, observation)
            if not episode.greedy:
                self._behaviour.schedule.note(episode.success)
            return self._end(episode, np.zeros(self._model.size))
        velocity = self._act(now_s, observation, signals["joint_position"], episode)
        recorder, settings = episode.recorder, self._config
        batch = None
        if recorder.complete_rows >= settings.batch_transitions or recorder.bytes >= settings.batch_bytes:
            batch = recorder.take()
        return Tick(velocity, batch=batch, recorded=recorder.journal_row())

    def _act(self, now_s: float, observation: Observation, position: FloatArray, episode: Episode) -> FloatArray:
        episode.observe(now_s, observation)
        action = self._behaviour.act(self._task.observation_spec.flatten(observation), episode.greedy)
        episode.request(now_s, action, position)
        return self._actions.joint_velocity(action.astype(np.float64), position)

    def _end(self, episode: Episode, velocity: FloatArray) -> Tick:
        """End `episode` with its newest observation, which closes it."""
        self._episode = None
        self._executed.clear()
        if self._comparing is not None and episode.trial is not None:
            done = self._comparing.done + (episode.end_reason in ORDERLY_ENDS)
            self._comparing = self._comparing._replace(done=done)
        elif episode.greedy:
            self._policies.evaluated(episode.success)
        return Tick(velocity, batch=episode.close(), ended=episode)
