"""One robot's episodes out of its recorded topics, by the observation builder, reward and recorder of live ones."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from naf_robot.arm.control.actions import JointVelocity
from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.arm.projection.projection import SafetyProjection
from naf_robot.collecting.bags.declared import Declared
from naf_robot.collecting.bags.fitting import misfit
from naf_robot.collecting.bags.readings import Readings
from naf_robot.collecting.bags.velocities import requested_action, velocity_of
from naf_robot.collecting.episode import Episode
from naf_robot.core.errors import ConfigError, NafRobotError
from naf_robot.core.graph_names import DESIRED_VELOCITY, EPISODE, EXECUTED_VELOCITY
from naf_robot.core.records import FloatArray, StepBatch
from naf_robot.core.stamps import BILLION, seconds_of_stamp
from naf_robot.experience.bags.decoding import opened
from naf_robot.experience.bags.files import BagError, RawMessage
from naf_robot.experience.bags.ordering import Stamped
from naf_robot.experience.episode_event import EpisodeEvent
from naf_robot.experience.recorder import EpisodeRecorder, Pictures
from naf_robot.run.config import RunConfig
from naf_robot.run.contract import steps_of
from naf_robot.run.robot_parts import bound_actions, state_sensor, task_sensors, tick_assembler
from naf_robot.sensing.signals import Signals, observe, with_kinematics

BATCH_BYTES = 8 << 20  # of pictures in one batch
KEPT_EXECUTED = 256  # executed velocities that wait for their request
RECORDING_ENDS = "the recording ends"
UNFINISHED = "episode left out: the recording ends within it"
CUT_OFF = f"{UNFINISHED}, because its file is cut off; the whole file, or a repaired one, has more of it"


@dataclass
class RebuiltEpisode:
    """The steps of one episode, in batches."""

    begin: EpisodeEvent
    batches: list[StepBatch] = field(default_factory=list)
    reason: str = ""  # why it ended
    discarded: int = 0  # complete steps without an executed velocity


class Rebuild:
    """Takes the messages of one robot in the order of their stamps and gives back its episodes.

    The control ticks are the stamps of `desired_velocity`. What was sensed, asked for and executed at each comes from
    the other topics, as the collector had it; begin and end, goal and policy version come from `episode`.
    Without that topic they are as `declared`.
    `refuse(what, stamp_ns, episode, refused)` is called with what is wrong, and whether it costs data.

    Raises:
        ConfigError: the task's actions cannot be told from joint velocities.
    """

    def __init__(
        self,
        config: RunConfig,
        robot: str,
        simulated_time: bool,
        delay_s: float,
        refuse: Callable[[str, int, int | None, bool], None],
        declared: Declared | None = None,
    ) -> None:
        model = config.robot(robot).arm.model()
        limits = SafetyProjection(model, config.safety_of(robot)).limits
        self._config, self._task, self._model = config, config.make_task(), model
        if not isinstance(self._task.action_spec, JointVelocity):
            raise ConfigError(
                f"task {self._task.name!r} has actions of kind {type(self._task.action_spec).__name__}, which joint "
                "velocities do not tell; read the recorded /experience instead, without --raw"
            )
        if config.intervention.enabled:
            raise ConfigError(
                "intervention.enabled is set, and joint velocities do not tell who asked for them; read the recorded "
                "/experience instead, without --raw, or leave it out: then every request counts as the policy's"
            )
        if config.residual.scale:
            raise ConfigError(
                "residual.scale is set, and joint velocities do not tell what a policy added to the scripted one where "
                "their sum was clipped; read the recorded /experience instead, without --raw"
            )
        self._actions = bound_actions(config, model, limits)
        self._steps = steps_of(config)
        self._pictures = Pictures(config.collector.frame_format, config.collector.jpeg_quality)
        lockstep = simulated_time and config.simulated
        self._assembler = tick_assembler(config, robot, lockstep)
        lag_s = config.simulator.imperfections.sensor_delay_periods * self._task.control_period_s
        of_state_s = 0.0 if lockstep else delay_s  # in lockstep it carries the tick's own stamp
        self._readings = Readings(
            state_sensor(config, robot),
            task_sensors(config, robot),
            self._assembler,
            model,
            round((delay_s + (lag_s if lockstep else 0.0)) * BILLION),
            round(of_state_s * BILLION),
            self._refuse,
        )
        self._refuse_at, self._declared = refuse, declared
        self._declared_episodes = 0
        self._executed: dict[int, RawMessage] = {}
        self._running: Episode | None = None
        self._result: RebuiltEpisode | None = None
        self._refused_episode = False  # whether messages pass by until the next begin
        self._closed = -1  # number of the episode that was closed last
        self._last_tick_ns = -1
        self._observed_ns = -1  # stamp of the running episode's newest observation
        self.first_ns, self.last_ns = -1, -1  # stamps of ticks

    @property
    def topics(self) -> list[str]:
        """Those that are needed, relative to the robot's namespace."""
        return [*self._readings.topics, DESIRED_VELOCITY, EXECUTED_VELOCITY, EPISODE]

    @property
    def required(self) -> list[str]:
        """Those of them without which nothing can be rebuilt."""
        own = [self._readings.topics[0], DESIRED_VELOCITY, EXECUTED_VELOCITY]
        return own if self._declared is not None else [*own, EPISODE]

    def take(self, topic: str, message: Stamped) -> Iterator[RebuiltEpisode]:
        """The episodes that end with this message."""
        if topic == DESIRED_VELOCITY:
            yield from self._tick(message)
        elif topic == EXECUTED_VELOCITY:
            self._executed[message.stamp_ns] = message.raw
            while len(self._executed) > KEPT_EXECUTED:
                del self._executed[next(iter(self._executed))]
        elif topic == EPISODE:
            yield from self._border(EpisodeEvent.decode(opened(message.raw).data))
        else:
            self._readings.add(topic, message)

    def finish(self, is_cut_off: bool) -> Iterator[RebuiltEpisode]:
        """The end of the recording, which `is_cut_off` or whole.

        An episode that runs then is left out: more of the same recording would have more of it, and a store holds each
        episode once. Declared borders say that it ends with a whole recording.
        """
        if self._running is None:
            return
        if self._declared is not None and not is_cut_off:
            yield from self._close(RECORDING_ENDS)
            return
        self._refuse(CUT_OFF if is_cut_off else UNFINISHED, self._last_tick_ns)
        self._running = self._result = None

    def _border(self, event: EpisodeEvent) -> Iterator[RebuiltEpisode]:
        if event.event == "begin":
            if self._running is not None:
                self._refuse(
                    "the recording has no end of this episode; it is closed as truncated", event.stamp_ns, False
                )
                yield from self._close("no end recorded")
            self._begin(event)
            return
        running = self._running
        if running is not None and self._result is not None and event.episode == running.number:
            if event.stamp_ns > self._last_tick_ns:  # the observation that closes the episode was at a tick as well
                yield from self._ticks(self._last_tick_ns, event.stamp_ns, None)
                if self._running is None:
                    return
            running.pending = None  # what was asked for last was not carried out any more
            yield from self._close(event.reason or "truncated")
        elif self._result is None and not self._refused_episode and event.episode != self._closed:
            self._refuse_at(
                "the recording begins within this episode; it is left out", event.stamp_ns, event.episode, True
            )
        self._refused_episode = False

    def _declared_border(self, declared: Declared, last_ns: int, tick_ns: int) -> Iterator[RebuiltEpisode]:
        """Borders of a recording that has none of its own, at the tick of `tick_ns` after that of `last_ns`."""
        if self._running is not None and tick_ns - last_ns > self._config.collector.max_gap_s * BILLION:
            own = self._executed.pop(tick_ns, None)  # of the next episode already
            yield from self._close("a gap in the recording")
            self._executed |= {tick_ns: own} if own is not None else {}
        if self._running is None and (declared.gaps or not self._declared_episodes):
            scale, joints = self._actions.max_joint_velocity, self._model.joint_names
            spec_hash = self._task.observation_spec.hash
            self._begin(declared.begin(self._task, spec_hash, tick_ns, self._declared_episodes, joints, scale))
            self._declared_episodes += 1
        elif self._running is None:
            what = "a request after the end of the only episode is left out; --borders gaps begins another"
            self._refuse(what, tick_ns)

    def _begin(self, event: EpisodeEvent) -> None:
        problem = misfit(event, self._task, self._model, self._actions)
        self._refused_episode = problem is not None
        if problem is not None:
            self._refuse_at(f"episode left out: {problem}", event.stamp_ns, event.episode, True)
            return
        goal = {name: np.array(values, dtype=np.float64) for name, values in event.goal.items()}
        recorder = EpisodeRecorder(self._steps, event.episode, event.policy_version, event.greedy, self._pictures)
        self._running = Episode(
            self._task, event.episode, goal, event.greedy, event.policy_version, self._actions, recorder
        )
        self._result, self._observed_ns = RebuiltEpisode(event), -1

    def _tick(self, message: Stamped) -> Iterator[RebuiltEpisode]:
        tick_ns = message.stamp_ns
        if tick_ns == self._last_tick_ns:
            return  # a collector that ends asks for zero, and then says that it has left, at the time of its last tick
        if tick_ns < self._last_tick_ns:
            if self._last_tick_ns - tick_ns < BILLION:
                self._refuse("a desired velocity came after a newer one", tick_ns)
                return
            self._refuse(f"the clock was set back by {1e-9 * (self._last_tick_ns - tick_ns):.3f} s", tick_ns, False)
            yield from self._close("the clock was set back")
            self._readings.restart()
        last_ns, self._last_tick_ns, self.last_ns = self._last_tick_ns, tick_ns, tick_ns
        self.first_ns = tick_ns if self.first_ns < 0 else self.first_ns
        if self._declared is not None:
            yield from self._declared_border(self._declared, last_ns, tick_ns)
        if self._running is None or self._result is None or tick_ns < self._result.begin.stamp_ns:
            self._readings.pass_over(tick_ns)
            return
        yield from self._ticks(last_ns, tick_ns, message.raw)

    def _ticks(self, last_ns: int, tick_ns: int, desired: RawMessage | None) -> Iterator[RebuiltEpisode]:
        """Those of the running episode after `last_ns` to `tick_ns`; of all but the last `desired` was lost."""
        begin_ns = max(last_ns, self._result.begin.stamp_ns - 1) if self._result is not None else last_ns
        lost = {stamp_ns for stamp_ns in self._executed if begin_ns < stamp_ns < tick_ns}
        lost |= {tick_ns} if desired is None else set()
        try:
            for stamp_ns in sorted(lost):
                if self._running is not None:
                    self._refuse("no desired velocity at a tick of an episode", stamp_ns)
                    yield from self._within(self._running, stamp_ns, None)
            if self._running is not None and desired is not None:
                yield from self._within(self._running, tick_ns, desired)
        except (NafRobotError, RefusedMessage) as error:
            self._refuse(f"episode ended here: {error}", tick_ns)
            yield from self._close(str(error))

    def _within(self, episode: Episode, tick_ns: int, desired: RawMessage | None) -> Iterator[RebuiltEpisode]:
        """One tick of a running episode, as `Collector` has it; without `desired` nobody knows what was asked for."""
        now_s = seconds_of_stamp(*divmod(tick_ns, BILLION))
        signals = self._sensed(tick_ns, now_s)
        if signals is None:
            why = self._readings.missing or self._assembler.waiting_for
            self._refuse(f"no complete readings at a tick: {why}", tick_ns)
            self._lose_step(episode)
            return
        if missing := [name for name in self._task.required_signals if name not in signals]:
            self._refuse(f"episode ended here: no {' and no '.join(missing)} in time", tick_ns)
            yield from self._close("sensor lost")
            return
        gap_s = now_s - episode.pending.stamp_s if episode.pending else 0.0
        if gap_s > self._config.collector.max_gap_s:
            self._refuse(f"episode ended here: {gap_s:.2f} s passed between two control steps", tick_ns)
            yield from self._close("a gap in the recording")
            return
        signals = with_kinematics(signals, self._model)
        episode.complete(self._executed_velocity(episode), signals)
        episode.observe(now_s, observe(self._task.observation_spec, signals, episode.goal))
        self._observed_ns = tick_ns
        if episode.terminated or episode.time_is_up:
            yield from self._close(episode.end_reason)
            return
        position = signals["joint_position"]
        if desired is None:
            episode.recorder.complete()
            return
        episode.request(now_s, self._requested(desired, tick_ns, position), position)
        recorder = episode.recorder
        if recorder.bytes >= BATCH_BYTES and (batch := recorder.take()) is not None and self._result is not None:
            self._result.batches.append(batch)

    def _sensed(self, tick_ns: int, now_s: float) -> Signals | None:
        self._readings.give(tick_ns)
        self._assembler.restart()  # when it was due is known: it was
        sensed = self._assembler.poll(now_s, 0.0) or self._assembler.poll(now_s, math.inf)
        return sensed.signals if sensed is not None else None

    def _requested(self, raw: RawMessage, desired_ns: int, position: FloatArray) -> NDArray[np.float32]:
        velocity = velocity_of(raw, self._model, DESIRED_VELOCITY)
        action, beyond = requested_action(velocity, self._actions, position)
        if beyond is not None:
            self._refuse(beyond, desired_ns, False)
        return action

    def _executed_velocity(self, episode: Episode) -> FloatArray | None:
        if episode.pending is None:
            return None
        raw = self._executed.pop(self._observed_ns, None)
        if raw is None:
            self._refuse("no executed velocity for a request; the step is discarded", self._observed_ns)
            return None
        try:
            return velocity_of(raw, self._model, EXECUTED_VELOCITY)
        except (BagError, RefusedMessage) as error:
            self._refuse(str(error), self._observed_ns)
            return None

    def _lose_step(self, episode: Episode) -> None:
        """A tick without readings: neither the step before it nor its own leads anywhere."""
        if episode.pending is not None:
            episode.pending = None
            episode.recorder.complete()

    def _close(self, reason: str) -> Iterator[RebuiltEpisode]:
        episode, result = self._running, self._result
        self._running = self._result = None
        if episode is None or result is None:
            return
        self._executed.clear()
        self._closed, result.reason = episode.number, reason
        if self._observed_ns < 0:
            self._refuse_at(
                "episode left out: it has no tick with complete readings", result.begin.stamp_ns, episode.number, True
            )
            return
        episode.pending = None
        batch = episode.close()
        result.batches += [batch] if batch is not None else []
        result.discarded = episode.discarded
        yield result

    def _refuse(self, what: str, stamp_ns: int, refused: bool = True) -> None:
        self._refuse_at(what, stamp_ns, self._running.number if self._running is not None else None, refused)
