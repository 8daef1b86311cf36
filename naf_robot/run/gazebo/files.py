"""Everything that Gazebo's processes read, as texts first, so that a mistake is found before anything is written."""

from dataclasses import dataclass
from pathlib import Path

from naf_robot.core import run_files
from naf_robot.core.config import dump_yaml
from naf_robot.core.files import replace_file
from naf_robot.core.yaml_text import to_yaml
from naf_robot.run.config import RunConfig
from naf_robot.run.frames import frame_prefix
from naf_robot.run.gazebo.bridge import bridged_topics
from naf_robot.run.gazebo.controllers import controllers_of
from naf_robot.run.gazebo.description import gazebo_description
from naf_robot.run.gazebo.world import gazebo_world
from naf_robot.sensing.registry import make_sensor
from naf_robot.sim.scenes.door_calibration import LedDoor, calibrate
from naf_robot.sim.scenes.registry import scene_config


@dataclass(frozen=True)
class GazeboFiles:
    """The texts of one run's files by their names in the folder `run_files.GAZEBO`."""

    config: RunConfig
    texts: dict[str, str]

    @classmethod
    def of(cls, config: RunConfig, run_dir: Path = Path("/")) -> "GazeboFiles":
        """Those of the robots of `config`, for the run folder `run_dir`.

        Raises:
            NafRobotError: something that Gazebo as a process of its own cannot do, in one sentence.
        """
        step_s = config.simulator.physics_step_s
        texts = {
            run_files.GAZEBO_WORLD: gazebo_world(config),
            run_files.GAZEBO_BRIDGE: to_yaml(bridged_topics(config)),
        }
        for robot, own in config.robots.items():
            controllers = f"{robot}.controllers.yaml"
            texts[controllers] = to_yaml(controllers_of(robot, own, step_s))
            urdf = gazebo_description(robot, own, own.arm.description(), run_dir / run_files.GAZEBO / controllers)
            values = {"robot_description": urdf, "frame_prefix": frame_prefix(robot)}
            texts[f"{robot}.description.yaml"] = to_yaml({"/**": {"ros__parameters": values}})
        return cls(config, texts)

    def write(self, run_dir: Path) -> None:
        """Write them to the run folder `run_dir`, and the calibrations of the doors' IMUs where there are none yet."""
        (run_dir / run_files.GAZEBO).mkdir(exist_ok=True)
        for name, text in self.texts.items():
            replace_file(run_dir / run_files.GAZEBO / name, text.encode())
        scene = self.config.make_task().scene
        described = scene_config(scene, self.config.simulator.scene)
        if scene != "door" or described.imu is None:
            return
        calibration = make_sensor("door_imu", (), self.config.sensors).calibration
        for number, robot in enumerate(self.config.robots):
            path = run_dir / calibration.format(robot=robot)
            if not path.is_file():
                door = LedDoor(described, self.config.seed, number, self.config.simulator.physics_step_s)
                text = f"# Calibration of door_imu, simulated.\n{dump_yaml(calibrate(door))}"
                path.parent.mkdir(parents=True, exist_ok=True)
                replace_file(path, text.encode())
