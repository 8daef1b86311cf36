"""What the statistics of a run come to: trials per hour, interventions, mean time between failures, help, time."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from naf_robot.core.intervals import mean_time_between
from naf_robot.run.robot_state import STATES, UP, WORKING
from naf_robot.run.unattended.records import RobotRecord, Statistics

HOUR_S = 3600.0
NO_FAILURE = "faults stop"  # an operator's, or an orderly end
FAILURES = ("faults ", "homing failures")
EXIT = "process exits"


def failures_of(record: RobotRecord, exits: int = 0) -> dict[str, int]:
    """Failures of a robot by kind."""
    counted = {k: n for k, n in record.counts.items() if k.startswith(FAILURES) and k != NO_FAILURE}
    named = {k.removeprefix("faults "): n for k, n in counted.items()}
    return named | ({EXIT: exits} if exits else {})


def between_failures(failures: Mapping[str, int], up_s: float) -> dict[str, Any]:
    """Mean time between failures [h] of each kind and of all, with 95 % interval; without any a lower bound."""
    found: dict[str, Any] = {}
    for kind, count in {"all": sum(failures.values()), **failures}.items():
        lower_s, upper_s = mean_time_between(count, up_s)
        found[kind] = {
            "failures": count,
            "mean_h": _hours(up_s / count if count else None),
            "lower_h": _hours(lower_s),
            "upper_h": _hours(upper_s),
        }
    return found


def robot_results(record: RobotRecord, trials: int, wall_s: float, exits: int = 0) -> dict[str, Any]:
    """One robot's."""
    working_s, up_s = seconds_in(record, WORKING), seconds_in(record, UP)
    return {
        "trials": trials,
        "trials_per_hour": _per_hour(trials, wall_s),
        "trials_per_working_hour": _per_hour(trials, working_s),
        "working_h": _hours(working_s),
        "time_shares": shares(record.seconds),
        "safety_interventions": _named(record.counts, "interventions "),
        "operator_interventions": _named(record.counts, "operator "),
        "between_failures": between_failures(failures_of(record, exits), up_s),
        "periods": record.counts.get("periods", 0),
        "missed_periods": record.counts.get("missed periods", 0),
        "policy_age_s": {"mean": round(record.policy_age.mean, 2), "most": round(record.policy_age.high, 2)},
        "process_starts": {name: node.starts for name, node in record.nodes.items()},
    }


def run_results(
    statistics: Statistics, trials: Mapping[str, int], process_exits: Iterable[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The whole run's; `trials` are finished episodes by robot.

    Wall time is from the first session's start to now, pauses between sessions with it; working time is what robots
    spent collecting or moving home. Failures are related to the time in which nothing kept the robot from working.
    """
    exits = Counter(str(entry["process"]).rpartition("/")[0].strip("/") for entry in process_exits)
    wall_s = max(statistics.until_s - statistics.since_s, 0.0)
    robots = {
        name: robot_results(record, trials.get(name, 0), wall_s, exits.get(name, 0))
        for name, record in statistics.robots.items()
    }
    records = list(statistics.robots.values())
    working_s, up_s = (sum(seconds_in(record, states) for record in records) for states in (WORKING, UP))
    seconds: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    for name, record in statistics.robots.items():
        seconds.update(record.seconds)
        failures.update(failures_of(record, exits.get(name, 0)))
    total = sum(trials.get(name, 0) for name in statistics.robots)
    return {
        "since": statistics.since_s,
        "wall_h": _hours(wall_s),
        "watched_h": _hours(statistics.watched_s),
        "sessions": statistics.sessions,
        "trials": total,
        "trials_per_hour": _per_hour(total, wall_s),
        "trials_per_working_hour": _per_hour(total, working_s),
        "time_shares": shares(seconds),
        "safety_interventions": sum(_sum(robot["safety_interventions"]) for robot in robots.values()),
        "operator_interventions": sum(_sum(robot["operator_interventions"]) for robot in robots.values()),
        "between_failures": between_failures(failures, up_s),
        "help_requests": statistics.help_count,
        "help_open": sum(request.open for request in statistics.help),
        "help_waited_s": {
            "mean": round(statistics.help_waited.mean, 1),
            "most": round(statistics.help_waited.high, 1),
        },
        "drift_alarms": statistics.alarms,
        "robots": robots,
    }


def brief(results: Mapping[str, Any]) -> dict[str, Any]:
    """What `summary.json` and the trainer's diagnostics say of it: plain values only."""
    between = results["between_failures"]["all"]
    return {
        "trials_per_hour": results["trials_per_hour"],
        "trials_per_working_hour": results["trials_per_working_hour"],
        "collecting_share": results["time_shares"].get("collecting", 0.0),
        "safety_interventions": results["safety_interventions"],
        "operator_interventions": results["operator_interventions"],
        "failures": between["failures"],
        "mean_time_between_failures_h": between["mean_h"],
        "mean_time_between_failures_lower_h": between["lower_h"],
        "help_requests": results["help_requests"],
        "help_waited_mean_s": results["help_waited_s"]["mean"],
        "drift_alarms": results["drift_alarms"],
    }


def seconds_in(record: RobotRecord, states: Iterable[str]) -> float:
    """Time that a robot spent in `states` [s]."""
    return sum(record.seconds.get(state, 0.0) for state in states)


def shares(seconds: Mapping[str, float]) -> dict[str, float]:
    """Shares of the time in each state that occurred, in the usual order."""
    whole = sum(seconds.values())
    return {state: round(seconds[state] / whole, 4) for state in STATES if seconds.get(state, 0.0) > 0.0}


def _named(counts: Mapping[str, int], prefix: str) -> dict[str, int]:
    found = {key.removeprefix(prefix): count for key, count in counts.items() if key.startswith(prefix)}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _sum(counts: Mapping[str, int]) -> int:
    return sum(counts.values())


def _per_hour(count: int, seconds: float) -> float | None:
    return round(HOUR_S * count / seconds, 1) if seconds > 0.0 else None


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else float(f"{seconds / HOUR_S:.4g}")
