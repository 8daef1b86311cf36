"""A node with the lifecycle of ROS 2: configured, activated and deactivated by itself or by an operator.

What a transition means is said by four methods of the node. With `autostart` it configures and activates itself when it
is made, as a node without a lifecycle would.
"""

import traceback
from collections.abc import Callable, Iterator
from typing import Any

from rclpy.lifecycle import LifecycleNodeMixin, LifecycleState, TransitionCallbackReturn

from naf_robot.core.errors import ConfigError, NafRobotError
from naf_robot.nodes.diagnostics import WARN, Diagnostics, Status
from naf_robot.nodes.executable import STEADY, ExecutableNode

ACTIVE, INACTIVE, UNCONFIGURED = "active", "inactive", "unconfigured"
DONE, REFUSED = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
BROKEN = TransitionCallbackReturn.ERROR
HOW = {
    INACTIVE: "naf-robot activate lets it work",
    UNCONFIGURED: "naf-robot activate configures it and lets it work",
}


class ManagedNode(LifecycleNodeMixin, ExecutableNode):
    """Calls `configure`, `activate`, `deactivate` and `unconfigure`, after which what `configure` made is destroyed.

    `activate` and `deactivate` return why they refuse, or None. A mistake of the user, raised as `NafRobotError`,
    refuses too; any other exception is an error, after which `unconfigure` has made the node safe.
    """

    def __init__(self, name: str) -> None:
        ExecutableNode.__init__(self, name)
        LifecycleNodeMixin.__init__(self, callback_group=None)
        self.diagnostics: Diagnostics
        self._own: set[Any] = set()  # what is there without a configuration
        self._configured = self._starting = False
        self._failure: Exception | None = None
        self._trouble = ""  # of the last transition

    def begin(self) -> None:
        """To be called once at the end of the constructor.

        Raises:
            NafRobotError: it could not be configured or activated.
        """
        self.diagnostics = Diagnostics(self, STEADY, self._report)
        self._own = set(self._entities())
        if not self.node_parameters.get("autostart"):
            return
        self._starting = True
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() is not DONE:
                raise self._failure or ConfigError(self._trouble)
        self._starting = False

    @property
    def lifecycle_state(self) -> str:
        """Its state as ROS names it."""
        label: str = self._state_machine.current_state[1]
        return label

    def configure(self) -> None:
        """Make everything; nothing is commanded."""

    def activate(self) -> str | None:
        """Begin to work."""

    def deactivate(self) -> str | None:
        """Cease to work, in a safe state."""

    def unconfigure(self) -> None:
        """Let go of what is no entity of ROS; the node may also be active, after an error."""

    def status(self) -> Status:
        """What a configured node reports."""
        raise NotImplementedError

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """The transition."""
        result = self._attempt("configured", self.configure)
        self._configured = result is DONE
        if not self._configured:
            self._destroy()
        return result

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """The transition."""
        return self._attempt("activated", self.activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """The transition."""
        return self._attempt("deactivated", self.deactivate)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """The transition."""
        self._attempt("cleaned up", self.unconfigure)
        self._destroy()
        return DONE

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """The transition, and the end of the process: an active node is deactivated first, or else made safe."""
        if state.label == ACTIVE and self._attempt("deactivated", self.deactivate) is not DONE:
            self._attempt("made safe", self.unconfigure)
        self.stop_requested = True
        return DONE

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After an exception in a transition: made safe, and unconfigured."""
        trouble = self._trouble
        if self._configured:
            self._attempt("made safe", self.unconfigure)
        self._destroy()
        self._trouble = trouble
        return DONE

    def _attempt(self, what: str, action: Callable[[], str | None] | Callable[[], None]) -> TransitionCallbackReturn:
        self._trouble = ""
        try:
            reason = action() or ""
        except NafRobotError as error:
            self._failure, reason = error, str(error)
        except Exception as error:  # noqa: BLE001  of a transition: said, and the node is made safe
            self._failure = error
            self._trouble = f"not {what}: {error!r}"
            self._log(f"{self._trouble}\n{traceback.format_exc()}")
            return BROKEN
        if not reason:
            return DONE
        self._trouble = f"not {what}: {reason}"
        self._log(self._trouble)
        return REFUSED

    def _log(self, text: str) -> None:
        """Of a node that starts itself the exception says it."""
        if not self._starting:
            self.get_logger().error(text)

    def _report(self) -> Status:
        label = self.lifecycle_state
        known: dict[str, object] = {"lifecycle state": label}
        how = "; ".join(filter(None, [HOW.get(label, "in transition"), self._trouble]))
        if not self._configured:
            return WARN, how, known | {"state": UNCONFIGURED}
        level, message, values = self.status()
        values = {**values, **known}
        if label == ACTIVE:
            message = f"{message}; {self._trouble}" if self._trouble else message
            return level, message, values
        return max(level, WARN), how, values | {"state": UNCONFIGURED}

    def _entities(self) -> Iterator[Any]:
        yield from (*self.publishers, *self.subscriptions, *self.clients, *self.services, *self.timers)

    def _destroy(self) -> None:
        """Destroy what was made by `configure`."""
        self._configured = False
        for entities, destroy in (
            (list(self.timers), self.destroy_timer),
            (list(self.services), self.destroy_service),
            (list(self.clients), self.destroy_client),
            (list(self.subscriptions), self.destroy_subscription),
            (list(self.publishers), self.destroy_publisher),
        ):
            for entity in entities:
                if entity not in self._own:
                    destroy(entity)
