"""The readings of one robot's sensors at one control tick, as named arrays in SI units.

The names are shared by real robots, simulators, bags and observation specs:

    joint_position     (n,) [rad]
    joint_velocity     (n,) [rad/s]
    joint_effort       (n,) [N m]
    tool_position      (3,) [m], base frame, by forward kinematics

an arm with c continuous and b bounded joints has besides

    bounded_joint_position  (b,) [rad]
    joint_sine              (c,) of the continuous joints' positions
    joint_cosine            (c,)

and what the sensors of a task give (`sensing.registry`), under the names of their specs. The readings of a stream are
an array (N, ...) named as the spec, and their stamps (N,) [s] named `<name>_stamps`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.core.array_spec import ArraySpec, ObservationSpec, SpecError
from naf_robot.core.errors import NafRobotError
from naf_robot.core.records import FloatArray

Signals = dict[str, FloatArray]

OF_ARM = (  # what the arm itself says, by its joint states and kinematics
    "joint_position",
    "joint_velocity",
    "joint_effort",
    "tool_position",
    "bounded_joint_position",
    "joint_sine",
    "joint_cosine",
)


def with_kinematics(signals: Signals, model: ArmModel) -> Signals:
    """`signals` completed with what follows from the joint positions: the tool, and how continuous joints are seen."""
    position = signals["joint_position"]
    signals = signals | {"tool_position": model.tool_position(position)}
    if model.continuous.any():
        turning = position[model.continuous]
        signals |= {
            "bounded_joint_position": position[~model.continuous],
            "joint_sine": np.sin(turning),
            "joint_cosine": np.cos(turning),
        }
    return signals


def joint_positions(observed: Mapping[str, NDArray], continuous: Sequence[bool]) -> FloatArray | None:
    """The joint positions (N, n) [rad] in N observations, None where they are not observed.

    Those of joints that are `continuous` (n,) are in (-pi, pi], as far as sine and cosine say.
    """
    if "joint_position" in observed:
        return np.asarray(observed["joint_position"], dtype=np.float64)
    if "joint_sine" not in observed or "joint_cosine" not in observed:
        return None
    turning = np.asarray(continuous, dtype=bool)
    position = np.zeros((len(observed["joint_sine"]), len(turning)))
    position[:, turning] = np.arctan2(observed["joint_sine"], observed["joint_cosine"])
    if not turning.all():
        position[:, ~turning] = observed["bounded_joint_position"]
    return position


def for_continuous_joints(spec: ObservationSpec, continuous: Sequence[bool]) -> ObservationSpec:
    """`spec` with `joint_position` observed as sine and cosine for the joints that are `continuous` (n,).

    Postures that differ by whole turns then give the same observation.
    """
    turning = sum(continuous)
    if turning == 0:
        return spec
    arrays: list[ArraySpec] = []
    for array in spec.arrays:
        if array.name != "joint_position":
            arrays.append(array)
            continue
        if turning < len(continuous):
            arrays.append(ArraySpec("bounded_joint_position", (len(continuous) - turning,), "rad"))
        arrays += [ArraySpec(name, (turning,), low=-1.0, high=1.0) for name in ("joint_sine", "joint_cosine")]
    return ObservationSpec(spec.name, tuple(arrays))


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
