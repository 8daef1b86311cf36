"""The half of the stand-in for gz_ros2_control that runs in Gazebo's process: a system of a model, in Python.

Gazebo loads it in place of the plugin that the robot's description names. In each step it writes the newest velocities
to the joints, as the plugin's `write` does; after each step it sends the joints' states, as `read` takes them. The
other half, `controllers.py`, is in a process with ROS. Imports nothing but Gazebo's own bindings.
"""

import json
import threading

import gz.math7  # noqa: F401  first, else the others return values that Python cannot read
import sdformat14  # noqa: F401
from gz.msgs10.double_v_pb2 import Double_V
from gz.msgs10.model_pb2 import Model as ModelMessage
from gz.sim8 import Joint, Model
from gz.transport13 import Node


class Joints:
    """The joints of one model; `stand_in` in the plugin's element is JSON with names, home and topics."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.velocity = None
        self.placed = False

    def configure(self, entity, sdf, ecm, event_manager) -> None:
        told = json.loads(sdf.get_string("stand_in"))
        model = Model(entity)
        self.joints = [Joint(model.joint_by_name(ecm, name)) for name in told["joints"]]
        for joint in self.joints:
            joint.enable_position_check(ecm, True)
            joint.enable_velocity_check(ecm, True)
        self.names, self.home = told["joints"], told["home"]
        self.node = Node()
        self.states = self.node.advertise(told["states"], ModelMessage)
        self.node.subscribe(Double_V, told["commands"], self.on_commands)

    def on_commands(self, message) -> None:
        with self.lock:
            self.velocity = list(message.data)

    def pre_update(self, info, ecm) -> None:
        if info.paused:
            return
        with self.lock:
            velocity = self.velocity or [0.0] * len(self.joints)
        for joint, home, speed in zip(self.joints, self.home, velocity):  # noqa: B905  Python of Gazebo's own
            if self.placed:
                joint.set_velocity(ecm, [speed])
            else:
                joint.reset_position(ecm, [home])
                joint.reset_velocity(ecm, [0.0])
        self.placed = True

    def post_update(self, info, ecm) -> None:
        message = ModelMessage()
        time = info.sim_time
        message.header.stamp.sec = int(time.total_seconds())
        message.header.stamp.nsec = time.microseconds * 1000
        for name, joint in zip(self.names, self.joints):  # noqa: B905
            position, velocity = joint.position(ecm), joint.velocity(ecm)
            if not position or not velocity:
                return
            entry = message.joint.add()
            entry.name = name
            entry.axis1.position, entry.axis1.velocity = position[0], velocity[0]
        self.states.publish(message)


def get_system():
    """Asked for by Gazebo's PythonSystemLoader."""
    return Joints()
