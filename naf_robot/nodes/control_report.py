"""The outputs of velocity control besides commands: fault, diagnostics, markers, log, and the fault's file."""

from collections import Counter
from collections.abc import Callable

from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger
from visualization_msgs.msg import MarkerArray

from naf_robot.arm.control.fault_file import FaultFile
from naf_robot.arm.control.measured_state import JOINT_STATES
from naf_robot.arm.control.velocity_control import DESIRED_VELOCITY, ControlOutput, VelocityControl
from naf_robot.core.input_watch import InputWatch
from naf_robot.core.records import FloatArray
from naf_robot.nodes import topics
from naf_robot.nodes.convert import seconds_of
from naf_robot.nodes.diagnostics import ERROR, OK, WARN, Status
from naf_robot.nodes.executable import STEADY, ExecutableNode
from naf_robot.nodes.managed import ManagedNode
from naf_robot.nodes.markers import safety_markers
from naf_robot.nodes.qos import latched

MARKER_PERIOD_S = 0.1


class ControlReport:
    """Publishes what `control` does. `frame` is the arm's base, `home` (n,) [rad] is shown until a state arrives."""

    def __init__(
        self, node: ManagedNode, control: VelocityControl, fault_file: FaultFile, frame: str, home: FloatArray
    ) -> None:
        self._node = node
        self._control = control
        self._fault_file = fault_file
        self._frame = frame
        self._home = home
        self._output: ControlOutput | None = None
        self._fault: str | None = None  # as published
        self._error_logged = False
        self._warnings: dict[str, str] = {}
        self._states: InputWatch | None = None
        self._requests: InputWatch | None = None
        self._missing: Callable[[], str] = str
        self.note = ""  # of the run, before every message
        self.operator: Counter[str] = Counter()  # calls of the operator's services, by action
        self._markers = node.create_publisher(MarkerArray, topics.SAFETY_MARKERS, latched())
        self._faults = node.create_publisher(String, topics.SAFETY_FAULT, latched())
        self._holds = node.create_publisher(String, topics.SAFETY_HOLD, latched())
        self._hold: str | None = None  # as published
        node.create_timer(MARKER_PERIOD_S, self._show, clock=STEADY)
        for warning in control.projection.warnings:
            node.get_logger().warning(warning)
        if (kept := fault_file.read()) is not None:
            control.stop(kept)

    def inputs(self, states: InputWatch, requests: InputWatch, missing: Callable[[], str]) -> None:
        """What comes of joint states and of requests, and `missing`: which joints of the arm no message has named."""
        self._states, self._requests, self._missing = states, requests, missing

    def warn(self, source: str, text: str) -> None:
        """Show a warning of `source` as long as it has one; each new one is logged."""
        if text and text != self._warnings.get(source):
            self._node.get_logger().warning(text)
        self._warnings[source] = text

    def accepted(self, what: str, rejection: str | None) -> bool:
        """Whether there is no `rejection` of a message; one is counted and published."""
        if rejection is not None:
            self._node.diagnostics.refuse(what, rejection)
        return rejection is None

    def update(self, output: ControlOutput, ending: bool) -> None:
        """Report a step. A fault that is latched while the process is `ending` after a stop signal is not kept."""
        self._output = output
        if output.error and not self._error_logged:
            self._error_logged = True
            self._node.get_logger().error(f"the safety projection failed:\n{output.error}")
        if (hold := output.held or "") != self._hold:
            self._hold = hold
            self._holds.publish(String(data=hold))
        fault = output.fault or ""
        if fault == self._fault:
            return
        self._log(fault, ending)
        self._fault = fault
        if not (fault and ending):
            try:
                self._fault_file.write(fault)
            except OSError as error:
                self._node.diagnostics.refuse("keeping the fault", error)
        self._faults.publish(String(data=fault))

    def _log(self, fault: str, ending: bool) -> None:
        """A fault that is new, once, and that it was cleared; the end of a process is no fault of the arm."""
        logger = self._node.get_logger()
        if fault and not ending:
            logger.error(f"fault: {fault}")
        elif self._fault and not fault:
            logger.info(f"fault cleared: {self._fault}")

    def status(self) -> Status:
        """Level, reasons and counters for /diagnostics."""
        output, control = self._output, self._control
        values: dict[str, object] = {f"interventions {k}": v for k, v in control.interventions.counts().items()}
        warnings = [*control.projection.warnings, *(text for text in self._warnings.values() if text)]
        values |= {f"faults {kind}": count for kind, count in control.fault_counts.items()}
        values |= {f"operator {action}": count for action, count in self.operator.items()}
        values |= {f"warning {k}": text for k, text in enumerate(warnings, 1)}
        now_s = seconds_of(self._node.get_clock().now().nanoseconds)
        for watch in (self._states, self._requests):
            values |= watch.values(now_s) if watch is not None else {}
        if output is None:
            return WARN, f"{self.note}waiting for the first joint states and desired velocity", values
        values |= {"status": output.status.name, "enabled": control.permission.enabled, "fault": output.fault or ""}
        values["contact by effort"] = "watched" if control.measured.watches_effort else "efforts are not measured"
        if output.fault is not None:
            return ERROR, f"{self.note}fault: {output.fault}", values | {"reasons": f"fault: {output.fault}"}
        reasons = list(output.reasons)
        if self._states is not None and any(text.startswith(JOINT_STATES) for text in reasons):
            reasons.insert(1, self._states.sentence(now_s))
        if self._requests is not None and any(text.startswith(DESIRED_VELOCITY) for text in reasons):
            reasons.append(self._requests.sentence(now_s))
        reasons += [self._missing()] if self._missing() else []
        if reasons:
            return WARN, self.note + "; ".join(reasons), values | {"reasons": "; ".join(reasons)}
        return OK, self.note + output.status.sentence, values

    def _show(self) -> None:
        if self._markers.get_subscription_count() > 0:
            now = self._node.get_clock().now().to_msg()
            position = self._home if self._control.position is None else self._control.position
            self._markers.publish(safety_markers(self._control.projection, position, self._output, self._frame, now))


class ControlServices:
    """The operator's services of one robot's velocity control."""

    def __init__(self, node: ExecutableNode, control: VelocityControl, calls: Counter[str]) -> None:
        self._control = control
        self._calls = calls
        node.create_service(Trigger, "velocity_control/stop", self._stop)
        node.create_service(Trigger, "velocity_control/clear_fault", self._clear_fault)
        node.create_service(SetBool, "velocity_control/enable", self._enable)

    def _stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._calls["stop"] += 1
        self._control.stop("by service call")
        response.success, response.message = True, "stopping; clear_fault allows motion again"
        return response

    def _clear_fault(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._calls["clear_fault"] += 1
        response.success, response.message = self._control.clear_fault()
        return response

    def _enable(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._calls["enable" if request.data else "disable"] += 1
        response.success, response.message = self._control.enable(request.data)
        return response
