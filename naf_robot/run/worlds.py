"""The simulated worlds of a run's robots."""

from collections.abc import Sequence

from naf_robot.arm.model.joint_values import RefusedMessage
from naf_robot.core.errors import ConfigError
from naf_robot.run.config import RunConfig
from naf_robot.run.robot_parts import arm_of, backend_of, moved_grippers
from naf_robot.sensing.camera import CameraConfig
from naf_robot.sensing.geometry_poses import GeometryPosesConfig
from naf_robot.sensing.registry import CAMERA, GEOMETRY_POSES, sensor_config
from naf_robot.sim.registry import World
from naf_robot.sim.registry import make_simulator as make_registered
from naf_robot.sim.simulator import Simulator


def make_simulator(config: RunConfig, robots: Sequence[str]) -> Simulator:
    """The worlds of `robots` for the task of `config`, in the simulator that they name.

    Raises:
        ConfigError: they name more than one.
    """
    backends = {backend_of(config, robot) for robot in robots}
    if len(backends) != 1:
        raise ConfigError(f"robots that are simulated together need one simulator, got {sorted(backends)}")
    task = config.make_task()
    world = World(
        arms={robot: arm_of(config, robot) for robot in robots},
        scene=task.scene,
        config=config.simulator,
        control_period_s=task.control_period_s,
        seed=config.seed,
        scene_settings=config.simulator.scene,
        frame=_frame(config) if CAMERA in task.sensors else None,
        grippers=moved_grippers(config, robots),
        geometries=_geometries(config) if GEOMETRY_POSES in task.sensors else (),
        ignored_pairs={robot: config.robot(robot).safety.self_collision.ignored_pairs for robot in robots},
    )
    return make_registered(backends.pop(), world)


def _geometries(config: RunConfig) -> tuple[str, ...]:
    """The geometries whose poses are sensed."""
    settings: GeometryPosesConfig = sensor_config(GEOMETRY_POSES, config.sensor_settings)
    return settings.names


def _frame(config: RunConfig) -> tuple[int, int]:
    """Height and width of the frames of the simulated cameras.

    Raises:
        ConfigError: what is kept of a frame is not within it.
    """
    camera: CameraConfig = sensor_config(CAMERA, config.sensors)
    height, width = camera.frame_size
    try:
        camera.crop.box(height, width)
    except RefusedMessage as error:
        raise ConfigError(f"sensors.camera: {error}; give frame_height and frame_width too") from None
    return height, width
