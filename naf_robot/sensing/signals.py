"""What the sensors of one robot say at one control tick, as named arrays in SI units.

The names are shared by live robots, simulators, bags and observation specs:

    joint_position     (n,) [rad]
    joint_velocity     (n,) [rad/s]
    joint_effort       (n,) [N m]
    tool_position      (3,) [m], base frame, by forward kinematics

and what the sensors of a task give (`sensing.registry`), under the names of their specs. The readings of a stream are
an array (N, ...) named as the spec, and their stamps (N,) [s] named `<name>_stamps`.
"""

import numpy as np

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.core.array_spec import ObservationSpec
from naf_robot.core.errors import NafRobotError
from naf_robot.core.records import FloatArray

Signals = dict[str, FloatArray]


def with_kinematics(signals: Signals, model: ArmModel) -> Signals:
    """`signals` completed with what follows from the joint positions (the tool's position)."""
    return signals | {"tool_position": model.tool_position(signals["joint_position"])}


def observe(spec: ObservationSpec, signals: Signals, goal: Signals) -> np.ndarray:
    """The observation vector of `spec`, shape (D,), float32, from `signals` and the episode's `goal`.

    Raises:
        NafRobotError: a field that neither holds, or one of the wrong size.
        SpecError: a value that is not finite.
    """
    parts = []
    for field in spec.vector_arrays:
        value = signals.get(field.name, goal.get(field.name))
        if value is None:
            raise NafRobotError(
                f"observation field {field.name!r} is neither sensed nor part of the goal; "
                f"there are {sorted([*signals, *goal])}"
            )
        if np.size(value) != field.size:
            raise NafRobotError(f"observation field {field.name!r} needs {field.size} values, got {np.size(value)}")
        parts.append(np.ravel(value))
    observation = np.concatenate(parts).astype(np.float32)
    spec.validate(observation)
    return observation
