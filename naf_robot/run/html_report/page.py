"""From run folders to the text of the page."""

import platform
import time
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from naf_robot.core.files import replace_file
from naf_robot.core.intervals import proportion
from naf_robot.core.software import software_versions
from naf_robot.run.html_report import charts
from naf_robot.run.html_report.data import RunData, read_run
from naf_robot.run.unattended.records import RobotRecord

RECENT = 20  # evaluation episodes
MOST_EVENTS = 400
MOST_LIMITS = 12
SENSOR_COURSES = {  # of a sensor, as its chart is called, with its unit
    "rate": ("rate", "Hz"),
    "noise": ("noise", ""),
    "mean": ("mean angular rate", "rad/s"),
    "identical": ("share of repeated readings", ""),
    "missing": ("missing readings", "1/s"),
}
ROBOT_COURSES = {
    "interventions": ("limits acting while at work", "per hour"),
    "home distance [rad]": ("distance from home at the start", "rad"),
    "homing time [s]": ("time of the way home", "s"),
}


def write_report(folders: Sequence[Path], output: Path) -> Path:
    """Write the page of one run, or of several beside each other, to `output`; returns it.

    Raises:
        RunFolderError: a folder is no run folder, or no episode of it has finished.
        OSError: the page cannot be written.
    """
    runs = [read_run(folder) for folder in folders]
    replace_file(output, page(runs).encode())
    return output


def page(runs: Sequence[RunData]) -> str:
    """The page's text."""
    context = {
        "runs": [run_context(run) for run in runs],
        "comparison": comparison(runs) if len(runs) > 1 else None,
    }
    return rendered("page.html.j2", context)


def rendered(template: str, context: Mapping[str, Any]) -> str:
    """The page that `template` makes of `context`, with the style that all pages share and who made it when."""
    import jinja2

    files = resources.files("naf_robot.run.html_report")
    text, style = (files.joinpath(name).read_text(encoding="utf-8") for name in (template, "style.css"))
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"number": number, "date": date, "duration": duration, "percent": percent, "hours": hours}
    made_by = {"python": platform.python_version(), **software_versions()}
    made = {"style": style, "made": time.time(), "made_by": made_by}
    return environment.from_string(text).render({**context, **made})


def comparison(runs: Sequence[RunData]) -> dict[str, Any]:
    """Several runs in one picture each, and in a table."""
    names = _distinct(runs)
    returns = {name: charts.return_curve(run.episodes) for name, run in zip(names, runs, strict=True)}
    successes = {name: charts.success_curve(run.episodes)[:2] for name, run in zip(names, runs, strict=True)}
    return {
        "names": names,
        "charts": [
            charts.band(returns, f"return, median of {charts.WINDOW} exploring episodes"),
            charts.band(successes, f"success, newest {charts.WINDOW} evaluation episodes", 0.0),
        ],
    }


def run_context(run: RunData) -> dict[str, Any]:
    """What the template needs of one run."""
    episodes, robots = run.episodes, run.robots
    greedy = [record for record in episodes if record["greedy"]][-RECENT:]
    succeeded = sum(bool(record["success"]) for record in greedy)
    return {
        "run": run,
        "greedy": len(greedy),
        "success": succeeded / len(greedy) if greedy else None,
        "success_interval": proportion(succeeded, len(greedy)) if greedy else None,
        "wall_s": float(episodes[-1]["wall_s"]),
        "learning": [
            charts.returns(episodes, robots),
            *([charts.success(episodes)] if greedy else []),
            charts.terms(episodes),
            charts.trials(episodes, robots),
            charts.version_age(episodes, robots),
        ],
        "scalars": [charts.scalar(tag.partition("/")[2], points) for tag, points in run.scalars.items() if points],
        "courses": {robot: robot_courses(run, robot) for robot in robots},
        "limits": limits(run),
        "events": events(run),
        "given": [entry for entry in run.configuration if not entry.origin.startswith("default of")],
        "software": run.statistics.software if run.statistics else {},
        "commit": run.summary.get("git_commit") or (run.statistics.software.get("commit") if run.statistics else None),
    }


def robot_courses(run: RunData, robot: str) -> list[charts.Chart]:
    """Courses of one robot over the days: what it does, and each of its sensors."""
    record: RobotRecord | None = run.statistics.robots.get(robot) if run.statistics else None
    if record is None or run.statistics is None:
        return []
    since_s = run.statistics.since_s
    found = [
        charts.course(text, unit, {"": record.courses[key].points()}, since_s)
        for key, (text, unit) in ROBOT_COURSES.items()
        if key in record.courses
    ]
    for name, sensor in record.sensors.items():
        for key, (text, unit) in SENSOR_COURSES.items():
            course = sensor.courses.get(key)
            if course is None or not _says_something(key, course.points()):
                continue
            found.append(charts.course(f"{name}: {text}", unit, {"": course.points()}, since_s))
    return found


def limits(run: RunData) -> list[tuple[str, list[int]]]:
    """Operator's actions, then safety interventions by limit, each with counts by robot; the most frequent first."""
    if run.results is None:
        return []
    robots = run.results["robots"].values()
    found: list[tuple[str, list[int]]] = []
    for kind, before in (("operator_interventions", "operator: "), ("safety_interventions", "")):
        names = {name for robot in robots for name in robot[kind]}
        rows = [
            (f"{before}{name.replace('_', ' ') if before else name}", [r[kind].get(name, 0) for r in robots])
            for name in names
        ]
        rows.sort(key=lambda row: (-sum(row[1]), row[0]))
        found += rows[:MOST_LIMITS]
        if len(rows) > MOST_LIMITS:
            others = [sum(column) for column in zip(*(counts for _, counts in rows[MOST_LIMITS:]), strict=True)]
            found.append((f"{len(rows) - MOST_LIMITS} others", others))
    return found


def events(run: RunData) -> list[dict[str, Any]]:
    """What happened when, newest first: requests for help, alarms and unexpected exits of processes."""
    found: list[dict[str, Any]] = [
        {
            "at": request.since_s,
            "kind": "drift" if request.drift else "help",
            "who": request.robot,
            "text": request.text.removeprefix("drift: "),
            "waited": None if request.drift else request.waited_s,
            "open": request.open and run.state == "running",
        }
        for request in (run.statistics.help if run.statistics else [])
    ]
    for entry in run.exits:
        text = f"{entry['exit_reason']} after {duration(entry.get('uptime_s'))}"
        after = "; started again" if entry.get("restarted") else ""
        found.append({"at": _stamp(entry["time"]), "kind": "exit", "who": entry["process"], "text": text + after})
    return sorted(found, key=lambda event: -float(event["at"]))[:MOST_EVENTS]


def number(value: object, digits: int = 3) -> str:
    """A number for people, a dash for none."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int) or (abs(value) >= 10**digits and float(value).is_integer()):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 10**digits else f"{value:.{digits}g}"


def percent(share: float | None) -> str:
    """A share as a percentage."""
    return "–" if share is None else f"{100.0 * share:.1f} %"


def date(unix_s: float | None) -> str:
    """A time in the machine's zone."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(unix_s)) if unix_s else "–"


def duration(seconds: object) -> str:
    """A duration in the unit that suits it."""
    if not isinstance(seconds, int | float):
        return "–"
    for size, unit in ((86400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def hours(found: float | None) -> str:
    """A duration that is given in hours."""
    return duration(None if found is None else 3600.0 * found)


def _says_something(key: str, points: Sequence[tuple[float, float, float, float]]) -> bool:
    """Whether a chart is worth its room: of losses and repetitions only where there are any."""
    return bool(points) and (key not in ("missing", "identical") or any(high > 0.0 for *_, high in points))


def _stamp(text: str) -> float:
    try:
        return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))
    except (ValueError, OverflowError):
        return 0.0


def _distinct(runs: Sequence[RunData]) -> list[str]:
    """A name for each run: its folder's, and more of the path where two are alike."""
    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        names = [str(Path(run.folder.parent.name) / run.name) for run in runs]
    return [f"{name} ({k})" if names.count(name) > 1 else name for k, name in enumerate(names, 1)]
