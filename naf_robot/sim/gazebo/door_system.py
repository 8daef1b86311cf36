"""The door in Gazebo as a process of its own: a system in Python that Gazebo loads, one per door.

gz-sim's PythonSystemLoader imports this module and asks for `get_system`. The door's springs, dry friction and bolt are
those of the simulator in process (`gazebo.door_scene`), and so is its IMU.
"""

from queue import Empty, SimpleQueue
from typing import Any

import msgspec

from naf_robot.core.records import FloatArray
from naf_robot.sim.gazebo.bindings import load
from naf_robot.sim.gazebo.door_model import DoorSetup
from naf_robot.sim.gazebo.door_scene import DoorScene
from naf_robot.sim.gazebo.door_topics import DoorTopics
from naf_robot.sim.scenes.registry import scene_config


class DoorSystem:
    """What Gazebo calls; the plugin's element `naf_robot` is a `DoorSetup` as JSON."""

    def __init__(self) -> None:
        self.components: Any = None  # as `ModelJoint` finds them
        self._places: SimpleQueue[FloatArray] = SimpleQueue()
        self._bound = False
        self._steps = 0

    def configure(self, entity: int, sdf: Any, components: Any, events: Any) -> None:
        """Read what the door is and make its topics; its joints are there with the first step."""
        setup = msgspec.json.decode(sdf.get_string("naf_robot"), type=DoorSetup)
        self._model = load().sim.Model(entity)
        self._scene = DoorScene(scene_config("door", setup.scene), setup.seed, setup.number, setup.step_s)
        self._scene.place(None, at_home=True)
        self._step_s, self._every = setup.step_s, max(1, round(setup.period_s / setup.step_s))
        self._topics = DoorTopics(setup.robot, self._scene.frames.get("door_imu", ""), self._places.put)

    def model(self, name: str) -> Any:
        """The model that this system belongs to."""
        return self._model

    def pre_update(self, info: Any, components: Any) -> None:
        """Lay the door anew where that is asked for, and exert what its joints exert."""
        if info.paused:
            return
        self.components = components
        if not self._bound:
            self._scene.bind(self)
            self._scene.hold()
            self._bound = True
            return  # the states of its joints are there after this step
        try:
            while True:
                self._scene.place(self._places.get_nowait(), at_home=False)
        except Empty:
            pass
        self._scene.before_step(info.sim_time.total_seconds() - self._step_s)

    def post_update(self, info: Any, components: Any) -> None:
        """Say what is sensed, once in every period."""
        if info.paused:
            return
        self._steps += 1
        if self._steps > 1 and self._steps % self._every == 0:
            self._scene.after_run()
            self._topics.publish(self._scene.signals(), info.sim_time.total_seconds())


def get_system() -> DoorSystem:
    """Asked for by gz-sim's PythonSystemLoader."""
    return DoorSystem()
