"""A robot's recorded sensor messages, opened only where a control tick uses them."""

from collections import deque
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from naf_robot.arm.control.joint_states import JointStates
from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.core.stamps import BILLION, seconds_of_stamp
from naf_robot.experience.bags.decoding import opened
from naf_robot.experience.bags.files import BagError
from naf_robot.experience.bags.ordering import Stamped
from naf_robot.sensing.sensor import Sensor
from naf_robot.sensing.signals import Signals
from naf_robot.sensing.tick import TickAssembler

MAX_WAITING = 10_000  # messages of one sensor between two ticks
KEPT_SAMPLES = 4  # of those that count already, so that one before a refused one is there; pictures are large
FOREVER = float("inf")


class Readings:
    """Gives the tick assembler what it would have had at a tick.

    Of a sample sensor that is the newest message whose stamp is at most the tick's less `delay_ns`, or `state_delay_ns`
    for the `state`; of a stream every one since the tick before.
    """

    def __init__(
        self,
        state: Sensor,
        others: Sequence[Sensor],
        assembler: TickAssembler,
        model: ArmModel,
        delay_ns: int,
        state_delay_ns: int,
        refuse: Callable[[str, int], None],
    ) -> None:
        self._sensors = {sensor.topic: sensor for sensor in (state, *others)}
        self._state, self._assembler, self._refuse = state, assembler, refuse
        self._delays = {topic: state_delay_ns if topic == state.topic else delay_ns for topic in self._sensors}
        self._waiting: dict[str, deque[Stamped]] = {t: deque(maxlen=MAX_WAITING) for t in self._sensors}
        self._joints = frozenset(model.joint_names)
        self._parts = JointStates(model.joint_names, model.continuous)
        self._in_parts = False  # whether joint states come from several publishers, or of several arms

    @property
    def topics(self) -> list[str]:
        """Of the sensors, relative to the robot's namespace."""
        return list(self._sensors)

    def add(self, topic: str, message: Stamped) -> None:
        """A message of the sensor with this `topic`."""
        waiting = self._waiting[topic]
        waiting.append(message)
        if self._sensors[topic].kind == "stream" or topic == self._state.topic:
            return
        limit_ns = message.stamp_ns - self._delays[topic]  # ticks before it are over: messages come in order
        while len(waiting) > KEPT_SAMPLES and waiting[KEPT_SAMPLES].stamp_ns <= limit_ns:
            waiting.popleft()

    def waiting(self, topic: str) -> int:
        """How many messages of the sensor with this `topic` are held."""
        return len(self._waiting[topic])

    def give(self, tick_ns: int) -> None:
        """Hand the assembler what counts at the tick of `tick_ns`."""
        for topic, waiting in self._waiting.items():
            ready: list[Stamped] = []
            while waiting and waiting[0].stamp_ns <= tick_ns - self._delays[topic]:
                ready.append(waiting.popleft())
            sensor = self._sensors[topic]
            if not ready:
                continue
            if sensor.kind == "stream" or (sensor is self._state and self._in_parts):
                for message in ready:
                    self._take(sensor, message)
                continue
            for place in range(len(ready) - 1, -1, -1):  # a message that live was refused left the one before it
                if self._take(sensor, ready[place]):
                    break
                if self._in_parts:
                    for message in ready:
                        self._take(sensor, message)
                    break

    def pass_over(self, tick_ns: int) -> None:
        """A tick outside of an episode: of samples the newest stays."""
        if self._in_parts:
            self.give(tick_ns)
            return
        for topic, waiting in self._waiting.items():
            keep = 0 if self._sensors[topic].kind == "stream" else 1
            limit_ns = tick_ns - self._delays[topic]
            while len(waiting) > keep and waiting[keep].stamp_ns <= limit_ns:
                waiting.popleft()

    def restart(self) -> None:
        """The clock was set anew: what came before has no meaning any more."""
        for waiting in self._waiting.values():
            waiting.clear()

    def _take(self, sensor: Sensor, message: Stamped) -> bool:
        """Whether the assembler took the message."""
        try:
            content, stamp_s = opened(message.raw), seconds_of_stamp(*divmod(message.stamp_ns, BILLION))
            if sensor is self._state:
                whole = self._whole(content, stamp_s)
                if whole is None:
                    return False
                content, stamp_s = whole
            signals: Signals = sensor.read(content)
        except (BagError, RefusedMessage) as error:
            self._refuse(str(error), message.stamp_ns)
            return False
        reason = self._assembler.arrive(sensor.name, stamp_s, signals, FOREVER)
        if reason is not None:
            self._refuse(f"{sensor.topic}: {reason}", message.stamp_ns)
        return reason is None

    def _whole(self, content: Any, stamp_s: float) -> tuple[Any, float] | None:
        """A joint state that names every joint, or what the parts so far make, with its stamp [s]."""
        if not self._in_parts:
            if self._joints.issubset(content.name):
                return content, stamp_s
            self._in_parts = True
            return None  # given again from the oldest of this tick on
        state = self._parts.take(content.name, content.position, content.velocity, content.effort, stamp_s)
        if state is None:
            return None
        arrays = {name: list(getattr(state, name)) for name in ("position", "velocity", "effort")}
        return SimpleNamespace(name=list(state.names), **arrays), state.stamp_s

    @property
    def missing(self) -> str:
        """Which joints no joint state named, "" where none is missing."""
        return self._parts.missing
