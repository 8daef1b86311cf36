"""Sensors by name. `register` adds one, also from outside this package."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from naf_robot.core.config import Config, build
from naf_robot.core.errors import ConfigError
from naf_robot.core.registry import Registry
from naf_robot.sensing import arm_sensors, camera, geometry_poses
from naf_robot.sensing.door import sensors as door
from naf_robot.sensing.sensor import Provider, Sensor, SensorConfig
from naf_robot.sensing.signals import Signals

JOINT_STATES = "joint_states"
CAMERA = "camera"
GEOMETRY_POSES = "geometry_poses"


@dataclass(frozen=True)
class SensorEntry:
    """A sensor's settings and its constructor (settings, names of the arm's joints, or of its gripper's)."""

    config: type[Config]
    make: Callable[[Any, tuple[str, ...]], Sensor]
    of_gripper: bool = False  # whether it gets the gripper's joints in place of the arm's


SENSORS: Registry[SensorEntry] = Registry(
    "sensor",
    {
        JOINT_STATES: SensorEntry(SensorConfig, arm_sensors.joint_states),
        "external_wrench": SensorEntry(SensorConfig, arm_sensors.external_wrench),
        "gripper_state": SensorEntry(arm_sensors.GripperStateConfig, arm_sensors.gripper_state, of_gripper=True),
        GEOMETRY_POSES: SensorEntry(geometry_poses.GeometryPosesConfig, geometry_poses.geometry_poses),
        CAMERA: SensorEntry(camera.CameraConfig, camera.camera),
        "door_state": SensorEntry(SensorConfig, door.door_state),
        "door_orientation": SensorEntry(SensorConfig, door.door_orientation),
        "door_imu": SensorEntry(door.DoorImuConfig, door.door_imu),
    },
)
register = SENSORS.register


def sensor_config(name: str, settings: Mapping[str, Mapping[str, Any]] | None = None) -> Any:
    """The settings record of sensor `name` out of plain `settings` by sensor name."""
    return build(SENSORS[name].config, (settings or {}).get(name, {}), f"sensors.{name}")


def make_sensor(
    name: str, joints: Sequence[str] = (), settings: Mapping[str, Mapping[str, Any]] | None = None
) -> Sensor:
    """Sensor `name` of an arm with `joints`, configured from plain `settings` by sensor name.

    Raises:
        UnknownNameError: listing the sensors there are, or the settings of the sensor.
        ConfigError: a setting of the wrong type or range.
    """
    return SENSORS[name].make(sensor_config(name, settings), tuple(joints))


def make_sensors(
    names: Sequence[str],
    joints: Sequence[str],
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    gripper: Sequence[str] = (),
) -> tuple[Sensor, ...]:
    """The sensors called `names` of an arm with `joints` and those of a `gripper`.

    Raises:
        UnknownNameError, ConfigError: as `make_sensor`, and for `settings` of a sensor that there is not.
        ConfigError: a sensor of a gripper, and there is none.
    """
    for name in settings or {}:
        sensor_config(name, settings)
    made = []
    for name in names:
        of_gripper = SENSORS[name].of_gripper
        if of_gripper and not gripper:
            raise ConfigError(f"sensor {name!r} needs a gripper, and the robot has none: give `gripper` in its profile")
        made.append(make_sensor(name, gripper if of_gripper else joints, settings))
    return tuple(made)


def providers(sensors: Sequence[Sensor]) -> tuple[Provider, ...]:
    """The nodes that must run so that `sensors` publish, each once."""
    return tuple(dict.fromkeys(sensor.provider for sensor in sensors if sensor.provider is not None))


def raw_sensors(
    sensors: Sequence[Sensor], offered: Signals, settings: Mapping[str, Mapping[str, Any]] | None = None
) -> list[Sensor]:
    """What a simulated robot publishes so that `sensors` are available, given the signals of its world.

    Where the world has the sensor that a provider takes, that one stands in for what the provider gives.
    """
    replaced: set[str] = set()
    raw: list[Sensor] = []
    for provider in providers(sensors):
        source = make_sensor(provider.takes, (), settings)
        if source.given_by(offered):
            raw.append(source)
            replaced |= set(provider.gives)
    return raw + [sensor for sensor in sensors if sensor.name not in replaced and sensor.given_by(offered)]
