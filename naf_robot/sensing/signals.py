"""The readings of one robot's sensors at one control tick, as named arrays in SI units.

The names are shared by real robots, simulators, bags and observation specs:

    joint_position     (n,) [rad]
    joint_velocity     (n,) [rad/s]
    joint_effort       (n,) [N m]
    tool_position      (3,) [m], base frame, by forward kinematics

and what the sensors of a task give (`sensing.registry`), under the names of their specs. The readings of a stream are
an array (N, ...) named as the spec, and their stamps (N,) [s] named `<name>_stamps`.
"""

import numpy as np
from numpy.typing import NDArray

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.core.array_spec import ObservationSpec, SpecError
from naf_robot.core.errors import NafRobotError
from naf_robot.core.records import FloatArray

Signals = dict[str, FloatArray]


def with_kinematics(signals: Signals, model: ArmModel) -> Signals:
    """`signals` completed with what follows from the joint positions (the tool's position)."""
    return signals | {"tool_position": model.tool_position(signals["joint_position"])}


def observe(spec: ObservationSpec, signals: Signals, goal: Signals) -> dict[str, NDArray]:
    """The named arrays of `spec` (float32, pictures as they are) from `signals` and the episode's `goal`.

    `spec.flatten` makes the vector that a multilayer perceptron takes.

    Raises:
        NafRobotError: an array that neither holds, or one of the wrong size.
        SpecError: a value that is not finite.
    """
    observation = {}
    for array in spec.arrays:
        value = signals.get(array.name, goal.get(array.name))
        if value is None:
            raise NafRobotError(
                f"observation array {array.name!r} is neither sensed nor part of the goal; "
                f"there are {sorted([*signals, *goal])}"
            )
        made = np.asarray(value, array.dtype)
        if made.shape != array.shape:
            if made.size != array.size:
                raise NafRobotError(f"observation array {array.name!r} needs {array.size} values, got {made.size}")
            made = made.reshape(array.shape)
        if array.dtype == "float32" and not np.isfinite(made).all():
            raise SpecError(f"{spec.name} is not finite in [{array.name!r}]")
        observation[array.name] = made
    return observation
