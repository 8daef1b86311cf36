"""What a sensor is: the arrays it gives, the topic and message that carry them, and how old they may be.

No ROS is needed here: a message type is a name, and `decode` and `encode` use a message's fields alone. So one
record serves the node, the simulator and recorded messages.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.core.array_spec import ArraySpec
from naf_robot.core.config import Config
from naf_robot.core.records import FloatArray
from naf_robot.core.stamps import seconds_of_stamp, stamp_of_seconds
from naf_robot.core.types import PositiveFloat
from naf_robot.sensing.signals import Signals

STAMPS = "_stamps"  # ending of the array (N,) [s] that goes with the readings (N, ...) of a stream
MAX_AGE_S = 0.1  # where a sensor's settings do not say otherwise

Kind = Literal["sample", "stream"]
QosRole = Literal["sensor_data", "stream", "latched"]
Decode = Callable[[Any], Signals]
Encode = Callable[[Any, Signals], None]
Fit = Callable[[Signals], Signals]


class SensorConfig(Config, frozen=True):
    """Settings that every sensor has."""

    max_age_s: PositiveFloat = MAX_AGE_S  # age beyond which a reading is not used


@dataclass(frozen=True)
class Provider:
    """A node of ours that makes sensors out of another one; a robot that needs any of them runs it."""

    executable: str  # below `naf_robot.nodes`
    takes: str  # name of the sensor that it needs
    gives: tuple[str, ...]  # names of the sensors that it publishes


@dataclass(frozen=True)
class Sensor:
    """One sensor of one robot.

    A `sample` is a state: the newest reading replaces the ones before. Of a `stream` every reading counts once,
    with its own stamp: as signals it is an array (N, *shape) and its stamps (N,), named `<name>_stamps`.
    `decode` turns a message into signals or raises `RefusedMessage`; `encode` fills an empty message from them.
    """

    name: str
    topic: str  # relative to the robot's namespace
    message: str  # "package/msg/Type"
    specs: tuple[ArraySpec, ...]  # what every reading gives
    decode: Decode
    encode: Encode
    optional: tuple[ArraySpec, ...] = ()  # what a reading may give besides
    kind: Kind = "sample"
    qos: QosRole = "sensor_data"
    max_age_s: float = MAX_AGE_S
    provider: Provider | None = None  # who makes it, where no driver does
    fit: Fit | None = None  # what is done with a simulated world's signals where no message is in between
    calibration: str = ""  # file in the run folder, with {robot}; none for a sensor that needs no calibration

    def read(self, message: Any) -> Signals:
        """The signals of `message`, checked against the specs.

        Raises:
            RefusedMessage: an array that is missing, of another shape, not finite or out of bounds.
        """
        signals = self.decode(message)
        for spec in self.specs:
            if spec.name not in signals:
                raise RefusedMessage(f"{self.name} lacks {spec.name}; it has {', '.join(signals) or 'nothing'}")
        for spec in (*self.specs, *self.optional):
            if spec.name in signals:
                check(spec, signals[spec.name])
        return signals

    def fitted(self, signals: Signals) -> Signals:
        """`signals` of a simulated world with those of this sensor as a reading has them."""
        return signals | self.fit(signals) if self.fit is not None and self.given_by(signals) else signals

    def write(self, message: Any, signals: Signals, stamp_s: float, frame: str) -> None:
        """Fill the empty `message` with `signals`, taken at `stamp_s` [s] and expressed in `frame`."""
        message.header.stamp.sec, message.header.stamp.nanosec = stamp_of_seconds(stamp_s)
        message.header.frame_id = frame
        self.encode(message, signals)

    def readings(self, signals: Signals, now_s: float) -> list[tuple[float, Signals]]:
        """What `signals` hold of this sensor, each reading with its stamp [s]: a sample's is `now_s`."""
        names = [spec.name for spec in (*self.specs, *self.optional) if spec.name in signals]
        if self.kind == "sample":
            return [(now_s, {name: signals[name] for name in names})]
        stamps = signals[self.name + STAMPS]
        return [(float(stamp), {name: signals[name][row] for name in names}) for row, stamp in enumerate(stamps)]

    def given_by(self, signals: Signals) -> bool:
        """Whether `signals` hold every array that this sensor gives."""
        return all(spec.name in signals for spec in self.specs)


def check(spec: ArraySpec, value: FloatArray) -> None:
    """Whether `value` is what `spec` says; floats may be of any precision.

    Raises:
        RefusedMessage: another shape or type, or values that are not finite or out of bounds.
    """
    if value.shape != spec.shape:
        raise RefusedMessage(f"{spec.name} must have shape {spec.shape}, got {value.shape}")
    if spec.dtype == "uint8":
        if value.dtype != np.uint8:
            raise RefusedMessage(f"{spec.name} must be of uint8, got {value.dtype}")
        return
    if not np.isfinite(value).all():
        raise RefusedMessage(f"{spec.name} is not finite: {value.tolist()}")
    if spec.low == -math.inf and spec.high == math.inf:
        return
    if not ((value >= spec.low).all() and (value <= spec.high).all()):
        raise RefusedMessage(f"{spec.name} must lie within [{spec.low}, {spec.high}] {spec.unit}: {value.tolist()}")


def is_stream(name: str, signals: Signals) -> bool:
    """Whether the array `name` of `signals` is a stream's readings or their stamps."""
    return name.endswith(STAMPS) or name + STAMPS in signals


def stamp_of(message: Any) -> float:
    """The stamp of a message's header [s]; equal stamps give equal numbers."""
    return seconds_of_stamp(message.header.stamp.sec, message.header.stamp.nanosec)
