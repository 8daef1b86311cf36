"""Whole joint states of an arm out of messages that name all of its joints, some of them, or none. Without ROS."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from naf_robot.arm.model.joint_values import RefusedMessage, places_of
from naf_robot.arm.model.turns import Unwrapper

MAX_NAMED = 12  # joints that are listed in a sentence


@dataclass(frozen=True)
class JointReading:
    """A joint state whose names include all joints of the arm, in any order."""

    names: Sequence[str]
    position: Sequence[float]  # [rad]
    velocity: Sequence[float]  # [rad/s]
    effort: Sequence[float]  # [N m], empty where it is not measured
    stamp_s: float


class JointStates:
    """Puts joint states together by name.

    A message that names every joint passes as it is. Parts from several publishers are kept, joint by joint, until
    each joint has come anew; the state is then as old as its oldest part. The turns of `continuous` joints (n,) are
    counted, as `Unwrapper` says.
    """

    def __init__(self, joints: Sequence[str], continuous: NDArray[np.bool_] | None = None) -> None:
        self._joints = tuple(joints)
        self._places = {name: place for place, name in enumerate(self._joints)}
        count = len(self._joints)
        self._position, self._velocity, self._effort = (np.full(count, np.nan) for _ in range(3))
        self._stamps = np.full(count, -np.inf)
        self._new = np.zeros(count, dtype=bool)  # since the last state
        self._unwrapper = Unwrapper(continuous) if continuous is not None and continuous.any() else None
        self._heard: set[str] = set()  # names of joints, ours or not

    @property
    def missing(self) -> str:
        """Which joints no message has named so far, and which they did name; "" where none is missing."""
        absent = [name for name in self._joints if name not in self._heard]
        if not absent or not self._heard:
            return ""
        return f"no joint state of {_listed(absent)}; there are those of {_listed(sorted(self._heard))}"

    def take(
        self,
        names: Sequence[str],
        position: Sequence[float],
        velocity: Sequence[float],
        effort: Sequence[float],
        stamp_s: float,
    ) -> JointReading | None:
        """The state that this message completes, or None: there is none yet, or it names no joint of the arm.

        Raises:
            RefusedMessage: lengths that differ, in a part or of an arm with continuous joints.
        """
        if not self._heard.issuperset(names):
            self._heard.update(list(names)[: 10 * len(self._joints)])
        own = [place for place, name in enumerate(names) if name in self._places]
        if len(own) >= len(self._joints):
            self._new[:] = False
            return self._counted(JointReading(names, position, velocity, effort, stamp_s))
        if not own:
            return None
        for what, values in (("position", position), ("velocity", velocity)):
            _check_length(what, names, values)
        measured = len(effort) == len(names)
        for place in own:
            joint = self._places[names[place]]
            self._position[joint], self._velocity[joint] = position[place], velocity[place]
            self._effort[joint] = effort[place] if measured else np.nan
            self._stamps[joint], self._new[joint] = stamp_s, True
        if not self._new.all():
            return None
        self._new[:] = False
        arrays = self._position.tolist(), self._velocity.tolist(), self._effort.tolist()
        return self._counted(JointReading(self._joints, *arrays, float(self._stamps.min())))

    def _counted(self, reading: JointReading) -> JointReading:
        """`reading` with turns counted, in the arm's order, where the arm has continuous joints."""
        if self._unwrapper is None:
            return reading
        places = places_of(self._joints, reading.names, "joint_states")
        for what, values in (("position", reading.position), ("velocity", reading.velocity)):
            _check_length(what, reading.names, values)
        position = self._unwrapper(np.array([reading.position[place] for place in places]))
        velocity = [reading.velocity[place] for place in places]
        measured = len(reading.effort) == len(reading.names)
        effort = [reading.effort[place] for place in places] if measured else []
        return JointReading(self._joints, position.tolist(), velocity, effort, reading.stamp_s)


def _check_length(what: str, names: Sequence[str], values: Sequence[float]) -> None:
    if len(values) != len(names):
        raise RefusedMessage(f"joint_states {what} has {len(names)} names but {len(values)} values")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return ", ".join(names[:MAX_NAMED]) + more
