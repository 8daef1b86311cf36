"""What a collector says of itself on /diagnostics: phase, reasons, counters and rates."""

from collections.abc import Callable, Mapping

from naf_robot.collecting.collector import Collector
from naf_robot.collecting.phase import Phase
from naf_robot.core.clock import SteadyClock
from naf_robot.core.rate import RateMeter
from naf_robot.nodes.diagnostics import ERROR, OK, WARN, Status
from naf_robot.sensing.tick import TickAssembler

BY_TRAINER = (Phase.WAITING_FOR_POLICY, Phase.POLICY_TOO_OLD)
FINE = (Phase.RUNNING, Phase.PREPARING, Phase.HOMING, Phase.WAITING_FOR_TRAINER)


class CollectorReport:
    """Counts control periods, and puts the status together; `more` gives further counters.

    `sensors` gives values of their topics, a sentence about the joint states and one about other topics that are
    silent; `policy` the same of the trainer's parameters.
    """

    def __init__(
        self,
        collector: Collector,
        assembler: TickAssembler,
        sensors: Callable[[], tuple[Mapping[str, object], str, str]],
        policy: Callable[[], tuple[Mapping[str, object], str]],
        more: Callable[[], Mapping[str, object]],
    ) -> None:
        self._collector = collector
        self._assembler = assembler
        self._sensors = sensors
        self._policy = policy
        self._more = more
        self._rates = RateMeter(SteadyClock())
        self._periods, self._missed_periods = 0, 0

    def period(self, missed: int) -> None:
        """A control period was acted in; so many were `missed` before it."""
        self._periods += 1 + missed
        self._missed_periods += missed

    def status(self) -> Status:
        """Level, phase with reasons, and counters."""
        collector, waiting = self._collector, self._assembler.waiting_for
        values = {
            "episodes": collector.next_episode,
            "policy version": collector.policy_version,
            "policy age [s]": round(collector.trainer.age_s, 2),
            "exploration scale": round(collector.exploration_scale, 3),
            "periods": self._periods,
            "missed periods": self._missed_periods,
            "rate [Hz]": round(self._rates.per_s("periods", self._periods), 2),
            "episodes per hour": round(3600.0 * self._rates.per_s("episodes", collector.next_episode), 1),
            "pinned to version": collector.pinned_version if collector.pinned_version is not None else "",
            "state": "sensor" if waiting else collector.state,
            "homing failures": collector.way_home.failures,
            "operator pause": collector.pauses,
            "operator release": collector.releases,
            "home distance [rad]": _rounded(collector.way_home.start_distance),
            "homing time [s]": _rounded(collector.way_home.duration_s),
            **self._more(),
        }
        of_sensors, sentence, silent = self._sensors()
        of_policy, policy = self._policy()
        values |= {**of_sensors, **of_policy}
        helped = [collector.way_home.reason] if collector.way_home.reason else []
        reasons = "; ".join([*collector.hold_reasons.values(), *helped])
        message = f"{collector.phase.value}: {reasons}" if reasons else collector.phase.value
        if collector.phase in BY_TRAINER:
            message = f"{message} ({policy})"
        if silent:
            message = f"{message} ({silent})"
        if waiting:
            return WARN, f"waiting for {waiting} ({sentence}); {message}", values
        if helped:
            return ERROR, f"needs help: {message}", values
        return OK if collector.phase in FINE else WARN, message, values


def _rounded(value: float | None) -> object:
    return "" if value is None else round(value, 5)
