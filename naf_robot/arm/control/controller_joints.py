"""The joints of the controller below, compared with those of the arm. Without ROS."""

from collections.abc import Sequence

from naf_robot.arm.control.output import IntArray, order_of
from naf_robot.core.clock import Clock
from naf_robot.core.errors import ConfigError

ANSWER_S = 5.0  # for the controller to say its joints; after that it counts as one that does not


def controller_order(joints: Sequence[str], controller: str, theirs: Sequence[str]) -> IntArray:
    """`OutputArm.order` for the controller whose parameter `joints` is `theirs`.

    Raises:
        ConfigError: they are not a permutation of the arm's `joints`.
    """
    missing = [name for name in joints if name not in theirs]
    extra = [name for name in theirs if name not in joints]
    twice = sorted({name for name in theirs if list(theirs).count(name) > 1})
    if missing or extra or twice:
        wrong = [
            f"{verb} {', '.join(names)}"
            for verb, names in (("lacks", missing), ("has also", extra), ("repeats", twice))
            if names
        ]
        raise ConfigError(
            f"controller {controller!r} {' and '.join(wrong)}; its parameter 'joints' must name the joints of the arm, "
            f"in any order: {', '.join(joints)}"
        )
    return order_of(joints, theirs)


class ControllerJoints:
    """What is known of one controller's joints; `order` is None until it has said them.

    One that does not say them is an obstacle for good where a command `needs_order` (`OutputKind`), else a warning.
    """

    def __init__(self, joints: Sequence[str], controller: str, clock: Clock, needs_order: bool = False) -> None:
        self._joints, self._controller, self._clock = tuple(joints), controller, clock
        self._needs_order = needs_order
        self._asked_s = clock.now_s()
        self.order: IntArray | None = None
        self.mismatch: str | None = None
        self.begins_measured = False  # a controller of trajectories begins each at the measured position

    def said(self, theirs: Sequence[str]) -> None:
        """The controller has said its joints; an empty list is no answer: it has no such parameter."""
        if not theirs:
            return
        try:
            self.order, self.mismatch = controller_order(self._joints, self._controller, theirs), None
        except ConfigError as error:
            self.order, self.mismatch = None, str(error)

    def gone(self) -> None:
        """The controller is not there: its successor may have another order."""
        if self.order is not None:
            self.order, self._asked_s = None, self._clock.now_s()

    @property
    def obstacle(self) -> str | None:
        """Why the arm must not move, or None."""
        if self.mismatch is not None or self.order is not None:
            return self.mismatch
        if self._clock.now_s() - self._asked_s < ANSWER_S:
            return f"waiting for controller {self._controller!r} to say its joints"
        if self._needs_order:
            return (
                f"controller {self._controller!r} does not say its joints (parameter 'joints'): positions in another "
                f"order than its own would make the arm jump"
            )
        return None

    @property
    def warning(self) -> str:
        """What could not be checked or is not as it should be, "" if all is."""
        if self.begins_measured:
            return (
                f"controller {self._controller!r} begins trajectories at the measured position, which makes the speed "
                f"of the arm swing: set its parameter interpolate_from_desired_state to true"
            )
        if self.order is not None or self.obstacle is not None:
            return ""
        return (
            f"controller {self._controller!r} does not say its joints: their order could not be checked, and only "
            f"motion that differs from the commands will show that it is another one"
        )
