"""The door in a real Gazebo as a process of its own: what it says on Gazebo's topics, and where it is laid."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gazebo import missing

if (reason := missing()) is not None:
    pytest.skip(reason, allow_module_level=True)

import numpy as np

from naf_robot.bringup.gazebo_system import gazebo_environment
from naf_robot.run.config import RunConfig, resolve
from naf_robot.run.gazebo.world import gazebo_world
from naf_robot.sim.gazebo.bindings import load

PLACE, GOAL = (0.0, 3.0, 0.0, 0.0, 0.0, 0.0), (0.9, 0.2, 0.5)


class Heard:
    """Messages by topic, taken in Gazebo's threads."""

    def __init__(self) -> None:
        load()
        from gz.msgs10 import imu_pb2, model_pb2, pose_pb2, pose_v_pb2
        from gz.transport13 import Node

        self.node, self.Pose = Node(), pose_pb2.Pose
        self.states, self.readings, self.poses = list[object](), list[object](), list[object]()
        self.node.subscribe(model_pb2.Model, "/left/door/state", self.states.append)
        self.node.subscribe(imu_pb2.IMU, "/left/door/imu", self.readings.append)
        self.node.subscribe(pose_v_pb2.Pose_V, "/world/naf_robot/dynamic_pose/info", self.poses.append)
        self.target = self.node.advertise("/left/target", self.Pose)

    def frame(self) -> np.ndarray:
        """Where the door's frame is in the robot's base frame [m]: a model is where its first link is."""
        places = {each.name: each.position for each in self.poses[-1].pose}
        model, frame = (np.array([p.x, p.y, p.z]) for p in (places["left_door"], places["door_frame"]))
        return model + frame - np.array(PLACE[:3])

    def wait_for(self, condition: Callable[[], object], what: str, within_s: float = 60.0) -> None:
        end_s = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < end_s, what
            time.sleep(0.01)


@pytest.fixture
def config() -> RunConfig:
    values = {"backend": "ros2_control", "simulated_time": True, "robots": {"left": {"base_pose": PLACE}}}
    return resolve("door_real", overrides=[values | {"simulation": {"real_time_factor": 1.0}}])


@pytest.fixture
def gazebo(tmp_path: Path, config: RunConfig, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen]:
    (tmp_path / "world.sdf").write_text(gazebo_world(config))
    monkeypatch.setenv("GZ_PARTITION", f"door_{os.getpid()}")
    environment = gazebo_environment(dict(os.environ))
    with (tmp_path / "log").open("wb") as log:
        command = ["gz", "sim", "-s", "-r", "-v", "1", str(tmp_path / "world.sdf")]
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    yield server
    server.terminate()
    server.wait(20.0)
    sys.stdout.write((tmp_path / "log").read_text())


def test_a_door_says_how_it_stands_and_is_laid_where_the_episode_wants_it(gazebo: subprocess.Popen, config: RunConfig):
    heard = Heard()
    heard.wait_for(lambda: len(heard.states) > 20 and heard.readings and heard.poses, "the door is heard")
    state = {joint.name: joint.axis1.position for joint in heard.states[-1].joint}
    assert set(state) == {"door_hinge", "door_handle"}
    assert np.abs(list(state.values())).max() < 0.01, "closed, the lever at rest"
    stamps = [m.header.stamp.sec + 1e-9 * m.header.stamp.nsec for m in heard.states[:20]]
    assert np.diff(stamps) == pytest.approx(np.full(19, 0.01))
    reading = heard.readings[-1]
    (frame,) = [each.value[0] for each in reading.header.data if each.key == "frame_id"]
    assert frame == config.make_task().scene + "_imu"
    force = reading.linear_acceleration
    assert np.linalg.norm([force.x, force.y, force.z]) == pytest.approx(9.8, abs=1.0)
    assert heard.frame() == pytest.approx(np.array([0.84, 0.28, 0.55]), abs=1e-3), "where the task has it"
    goal = heard.Pose()
    goal.position.x, goal.position.y, goal.position.z = GOAL
    heard.target.publish(goal)
    heard.wait_for(lambda: np.allclose(heard.frame(), GOAL, atol=1e-3), "the door is laid anew", 20.0)
    assert gazebo.poll() is None
