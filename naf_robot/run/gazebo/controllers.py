"""The controllers of a robot in Gazebo, as parameters for the controller manager of gz_ros2_control."""

from collections.abc import Mapping
from typing import Any

from naf_robot.core.errors import ConfigError
from naf_robot.core.resources import share_directory
from naf_robot.core.yaml_text import load_yaml
from naf_robot.run.robot import RobotConfig

BROADCASTER = "joint_state_broadcaster"
MANAGER = "controller_manager"
UPDATE_S = 0.01  # between two updates of the controllers, and so between two joint states
INTERFACES = {"velocity": "velocity", "position": "position", "trajectory": "position"}
TYPES = {
    "velocity": "velocity_controllers/JointGroupVelocityController",
    "position": "position_controllers/JointGroupPositionController",
    "trajectory": "joint_trajectory_controller/JointTrajectoryController",
}
OF_TRAJECTORIES = {
    "command_interfaces": ["position"],
    "state_interfaces": ["position", "velocity"],
    "allow_partial_joints_goal": False,
    "interpolate_from_desired_state": True,
}
Parameters = dict[str, dict[str, Any]]  # of each node, by its name


def interface_of(kind: str) -> str:
    """The interface of a joint that the controller of an output of `kind` writes to.

    Raises:
        ConfigError: no controller for Gazebo is known for outputs of this kind.
    """
    if kind not in INTERFACES:
        raise ConfigError(
            f"output.kind {kind!r} has no controller for Gazebo here; those that have one: "
            f"{', '.join(sorted(INTERFACES))}"
        )
    return INTERFACES[kind]


def update_rate(physics_step_s: float) -> int:
    """Updates of the controllers per second: whole physics steps apart [Hz].

    Raises:
        ConfigError: there is no whole number of them in a second.
    """
    steps = max(1, round(UPDATE_S / physics_step_s))
    rate = 1.0 / (steps * physics_step_s)
    if abs(rate - round(rate)) > 1e-6 or rate < 1.0:
        raise ConfigError(
            f"simulator.physics_step_s {physics_step_s} s makes {rate:.6g} updates of the controllers per second: the "
            "controller manager takes whole numbers, as with 0.005 s"
        )
    return round(rate)


def controller_name(own: RobotConfig) -> str:
    """The name of the arm's controller, in the robot's namespace."""
    return own.controller.rpartition("/")[2] or "velocity_controller"


def command_topic(own: RobotConfig) -> str:
    """The topic of its commands, in the robot's namespace."""
    return f"{controller_name(own)}/{'joint_trajectory' if own.output_kind == 'trajectory' else 'commands'}"


def controllers_of(robot: str, own: RobotConfig, physics_step_s: float) -> Parameters:
    """Parameters by the full names of the nodes in the namespace of `robot`.

    Those of the package's profile, where it is one, else those that `own.output` asks for; the rate is Gazebo's.

    Raises:
        ConfigError: see `update_rate` and `interface_of`.
    """
    controller = controller_name(own)
    known = _of_profile(own.profile)
    if known.get(controller, {}).get("joints") != list(own.arm.joints):
        known = _made(controller, own)
    manager = known[MANAGER] | {"update_rate": update_rate(physics_step_s), "use_sim_time": True}
    chosen = known | {MANAGER: manager}
    return {f"/{robot}/{name}": {"ros__parameters": dict(values)} for name, values in chosen.items()}


def made_controllers(own: RobotConfig) -> Parameters:
    """What an arm needs whose profile has no file of controllers: parameters by the names of nodes."""
    return _made(controller_name(own), own)


def _of_profile(profile: str) -> Parameters:
    """The package's file for a profile of its own, {} where it has none."""
    path = share_directory() / "config" / "controllers" / f"{profile}.yaml"
    if "/" in profile or not path.is_file():
        return {}
    found: Mapping[str, Any] = load_yaml(path)
    return {name.rpartition("/")[2]: values["ros__parameters"] for name, values in found.items()}


def _made(controller: str, own: RobotConfig) -> Parameters:
    kind = own.output_kind
    interface_of(kind)
    manager: dict[str, Any] = {
        BROADCASTER: {"type": f"{BROADCASTER}/JointStateBroadcaster"},
        controller: {"type": TYPES[kind]},
    }
    joints: dict[str, Any] = {"joints": list(own.arm.joints)}
    return {MANAGER: manager, controller: joints | (OF_TRAJECTORIES if kind == "trajectory" else {})}
