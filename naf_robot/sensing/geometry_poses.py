"""Where named geometries are: shapes of arm, hand and objects, as a simulator or a motion capture system gives them."""

from importlib import import_module
from typing import Annotated, Any

import msgspec
import numpy as np

from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.core.array_spec import ArraySpec
from naf_robot.core.records import FloatArray
from naf_robot.sensing import rotation
from naf_robot.sensing.sensor import Sensor, SensorConfig
from naf_robot.sensing.signals import Signals

POSITION, ROTATION = "_position", "_rotation"  # endings of a geometry's arrays
UNIT_TOLERANCE = 1e-3  # of a quaternion's norm


class GeometryPosesConfig(SensorConfig, frozen=True):
    """Which geometries; a task says which it needs."""

    names: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("object",)  # names of the geometries, each once


def geometry_poses(config: GeometryPosesConfig, joints: tuple[str, ...]) -> Sensor:
    """Position (3,) [m] and rotation matrix (9,), row by row, of each geometry in the base frame.

    In the message, poses are matched by name, in any order; others may be beside them.
    """
    names = config.names

    def decode(message: Any) -> Signals:
        if len(message.transforms) != len(message.joint_names):
            raise RefusedMessage(
                f"geometry_poses has {len(message.joint_names)} names but {len(message.transforms)} transforms"
            )
        found = dict(zip(message.joint_names, message.transforms, strict=True))
        if missing := [name for name in names if name not in found]:
            raise RefusedMessage(f"geometry_poses lacks {', '.join(missing)}; it has {', '.join(found) or 'nothing'}")
        points = [found[name].translation for name in names]
        turns = [found[name].rotation for name in names]
        position = np.array([(p.x, p.y, p.z) for p in points])
        quaternion = np.array([(q.x, q.y, q.z, q.w) for q in turns])
        wrong = np.abs(np.linalg.norm(quaternion, axis=1) - 1.0) >= UNIT_TOLERANCE
        if wrong.any():
            name = names[int(np.argmax(wrong))]
            raise RefusedMessage(f"geometry_poses: the rotation of {name} is not a unit quaternion")
        return signals_of(names, position, rotation.matrices(quaternion))

    def encode(message: Any, signals: Signals) -> None:
        transform = _part(message, "transforms")
        message.joint_names = list(names)
        message.transforms = [transform() for _ in names]
        for name, made in zip(names, message.transforms, strict=True):
            point, turn = made.translation, made.rotation
            point.x, point.y, point.z = signals[name + POSITION].tolist()
            turn.x, turn.y, turn.z, turn.w = rotation.from_matrix(signals[name + ROTATION].reshape(3, 3)).tolist()

    specs = []
    for name in names:
        specs.append(ArraySpec(name + POSITION, (3,), "m", "base"))
        specs.append(ArraySpec(name + ROTATION, (9,), "", "base", low=-1.001, high=1.001))
    return Sensor(
        name="geometry_poses",
        topic="geometry_poses",
        message="sensor_msgs/msg/MultiDOFJointState",
        specs=tuple(specs),
        decode=decode,
        encode=encode,
        max_age_s=config.max_age_s,
    )


def _part(message: Any, field: str) -> Any:
    """The class of the messages in the sequence `field` of `message`: a message's class says what its parts are."""
    kind = message.SLOT_TYPES[list(message.get_fields_and_field_types()).index(field)].value_type
    return getattr(import_module(".".join(kind.namespaces)), kind.name)


def signals_of(names: tuple[str, ...], position: FloatArray, matrix: FloatArray) -> Signals:
    """The arrays of geometries with these `names` at `position` (G, 3), turned by `matrix` (G, 9)."""
    signals: Signals = {}
    for row, name in enumerate(names):
        signals[name + POSITION] = position[row]
        signals[name + ROTATION] = matrix[row]
    return signals
