"""The report's charts as SVG text, drawn by matplotlib; letters stay text, nothing is loaded."""

import html
import io
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from naf_robot.core.intervals import proportion
from naf_robot.core.records import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WINDOW = 20  # episodes of a moving share or median
MOST_POINTS = 1500  # of a line
LEAST_RANGE = 0.01  # of an axis, as a share of its values
MOST_DOTS = 400  # of a scatter, of one robot
COLOURS = ("#2563a8", "#c2571a", "#2f8f5b", "#8a4fa3", "#a98a12", "#47808f", "#b0396a", "#5c5f66")
INK, GRID = "#2b2f36", "#e4e7eb"
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "naf_robot",
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.edgecolor": "#9aa1ab",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
}
Records = Sequence[Mapping[str, Any]]


class Chart(NamedTuple):
    """A picture with its title."""

    title: str
    svg: str


def draw(paint: "Callable[[Axes], None]", title: str, width: float = 5.2, height: float = 2.5) -> Chart:
    """What `paint` puts on axes of this size [inch], with `title` also for those who cannot see it."""
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.subplots()
        paint(axes)
        low, high = axes.get_ylim()
        if high - low < LEAST_RANGE * max(abs(low), abs(high)):  # rounding must not look like a course
            middle = (low + high) / 2.0
            axes.set_ylim(middle - LEAST_RANGE * abs(middle), middle + LEAST_RANGE * abs(middle))
        axes.xaxis.set_major_locator(MaxNLocator(5 if width < 4.0 else 8))
        text = io.StringIO()
        unsaid: dict[str, Any] = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(text, format="svg", transparent=True, metadata=unsaid)
    svg = re.sub(r"<metadata>.*?</metadata>", "", text.getvalue(), flags=re.DOTALL)
    svg = svg[svg.index("<svg") :]
    box = re.search(r'viewBox="[^"]*"', svg)
    begin = f'<svg {box.group() if box else ""} role="img" aria-label="{html.escape(title, quote=True)}" {NAMES}>'
    return Chart(title, begin + svg[svg.index(">") + 1 :])


def save_png(paint: "Callable[[Axes], None]", title: str, path: Path) -> None:
    """The same axes with their title as a picture for documents.

    Raises:
        OSError: it cannot be written.
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(7.0, 4.2), layout="constrained")
        axes = figure.subplots()
        paint(axes)
        axes.set_title(title)
        figure.savefig(path, format="png", dpi=110, metadata={"Software": None})


NAMES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def returns(episodes: Records, robots: Sequence[str]) -> Chart:
    """Return of every episode, exploring ones by robot with their running median, evaluation ones as stars."""

    def paint(axes: "Axes") -> None:
        exploring = [record for record in episodes if not record["greedy"]]
        for robot, colour in zip(robots, _colours(len(robots)), strict=False):
            mine = thinned([record for record in exploring if record["robot"] == robot])
            axes.plot(*_xy(mine, "episode_return"), ".", color=colour, alpha=0.35, markersize=4, label=robot)
        greedy = thinned([record for record in episodes if record["greedy"]])
        axes.plot(*_xy(greedy, "episode_return"), "*", color="#d19a00", markersize=5, label="evaluation")
        if len(exploring) >= WINDOW:
            index, values = _xy(exploring, "episode_return")
            _line(axes, index, moving(np.median, values), color=INK, label=f"median of {WINDOW}")
        axes.set(xlabel="episodes of all robots", ylabel="return")
        _bounded(axes, [float(record["episode_return"]) for record in episodes])
        axes.legend(loc="best", ncols=2, fontsize=8)

    return draw(paint, "Return")


def success(episodes: Records) -> Chart:
    """Share of successes of the newest evaluation episodes with Wilson's interval."""

    def paint(axes: "Axes") -> None:
        index, share, low, high = success_curve(episodes)
        step = max(1, -(-len(index) // MOST_POINTS))
        axes.fill_between(
            index[::step], low[::step], high[::step], color=COLOURS[0], alpha=0.15, linewidth=0, label="95 % interval"
        )
        _line(axes, index, share, color=COLOURS[0], label=f"newest {WINDOW} evaluation episodes")
        axes.set(xlabel="episodes of all robots", ylabel="success", ylim=(-0.03, 1.03))
        axes.legend(loc="best", fontsize=8)

    return draw(paint, "Success of evaluation episodes")


def success_curve(episodes: Records) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Episode index, share of successes of the newest evaluation episodes, and its interval."""
    greedy = [record for record in episodes if record["greedy"]]
    found = []
    for end, record in enumerate(greedy, 1):
        newest = [bool(r["success"]) for r in greedy[max(0, end - WINDOW) : end]]
        found.append((float(record["index"]), sum(newest) / len(newest), *proportion(sum(newest), len(newest))))
    index, share, low, high = np.array(found).reshape(-1, 4).T
    return index, share, low, high


def terms(episodes: Records) -> Chart:
    """Moving mean of each reward term over exploring episodes."""

    def paint(axes: "Axes") -> None:
        exploring = [record for record in episodes if not record["greedy"]] or list(episodes)
        names = list(exploring[0]["reward_terms"])
        for name, colour in zip(names, _colours(len(names)), strict=False):
            values = np.array([float(record["reward_terms"].get(name, 0.0)) for record in exploring])
            _line(axes, [r["index"] for r in exploring], moving(np.mean, values), color=colour, label=name)
        axes.set(xlabel="episodes of all robots", ylabel="sum over an episode")
        axes.legend(loc="best", fontsize=8)

    return draw(paint, f"Reward terms, mean of {WINDOW} exploring episodes")


def version_age(episodes: Records, robots: Sequence[str]) -> Chart:
    """How many versions an episode's policy was behind the newest that any robot had used by then."""

    def paint(axes: "Axes") -> None:
        newest = np.maximum.accumulate([int(record["policy_version"]) for record in episodes])
        for robot, colour in zip(robots, _colours(len(robots)), strict=False):
            mine = [k for k, record in enumerate(episodes) if record["robot"] == robot]
            behind = np.array([newest[k] - int(episodes[k]["policy_version"]) for k in mine], dtype=np.float64)
            _line(axes, [episodes[k]["index"] for k in mine], moving(np.mean, behind), color=colour, label=robot)
        axes.set(xlabel="episodes of all robots", ylabel="versions behind")
        axes.legend(loc="best", fontsize=8)

    return draw(paint, f"Age of the policy in versions, mean of {WINDOW} episodes")


def trials(episodes: Records, robots: Sequence[str]) -> Chart:
    """Finished episodes per hour over the run's working time."""

    def paint(axes: "Axes") -> None:
        wall = np.array([float(record["wall_s"]) for record in episodes])
        scale, unit = time_scale(float(wall.max()))
        edges = np.linspace(0.0, max(float(wall.max()), 1e-6), 25)
        per_hour = 3600.0 / edges[1]
        for robot, colour in zip(robots, _colours(len(robots)), strict=False):
            mine = [end_s for end_s, record in zip(wall, episodes, strict=True) if record["robot"] == robot]
            counts, _ = np.histogram(mine, edges)
            axes.stairs(counts * per_hour, edges / scale, color=colour, label=robot)
        axes.set(xlabel=f"wall time [{unit}]", ylabel="episodes per hour", ylim=(0.0, None))
        axes.legend(loc="best", fontsize=8)

    return draw(paint, "Trials per hour")


def scalar(name: str, points: Sequence[tuple[float, float]]) -> Chart:
    """One of the learner's curves over updates."""

    def paint(axes: "Axes") -> None:
        steps, values = np.array(points, dtype=np.float64).reshape(-1, 2).T
        axes.plot(steps, values, color=COLOURS[0], alpha=0.25, linewidth=1.0)
        axes.plot(steps, moving(np.median, values), color=COLOURS[0])
        axes.set(xlabel="updates")
        _bounded(axes, values.tolist())

    return draw(paint, name, 3.4, 1.95)


def course(
    title: str, unit: str, points: Mapping[str, Sequence[tuple[float, float, float, float]]], since_s: float
) -> Chart:
    """Courses over the days of a run, by name: mean with the range of each stretch."""

    def paint(axes: "Axes") -> None:
        last_s = max((row[0] for rows in points.values() for row in rows), default=since_s)
        scale, unit_of_time = time_scale(last_s - since_s)
        for (name, rows), colour in zip(points.items(), _colours(len(points)), strict=False):
            time, mean, low, high = np.array(rows, dtype=np.float64).reshape(-1, 4).T
            time = (time - since_s) / scale
            axes.fill_between(time, low, high, color=colour, alpha=0.13, linewidth=0)
            axes.plot(time, mean, color=colour, label=name, marker="." if len(rows) == 1 else None)
        axes.set(xlabel=f"{unit_of_time} since the start", ylabel=unit)
        if len(points) > 1:
            axes.legend(loc="best", fontsize=8)

    return draw(paint, title, 3.4, 1.95)


def band(curves: Mapping[str, tuple[FloatArray, FloatArray]], label: str, low: float | None = None) -> Chart:
    """Several runs' curves over episodes; as far as all of them reach, their median and a band over all."""

    def paint(axes: "Axes") -> None:
        drawn = {name: (x, y) for name, (x, y) in curves.items() if len(x)}
        if not drawn:
            return
        for (name, (x, y)), colour in zip(drawn.items(), _colours(len(drawn)), strict=False):
            _line(axes, x, y, color=colour, linewidth=1.0, alpha=0.8, label=name)
        begin, end = max(x[0] for x, _ in drawn.values()), min(x[-1] for x, _ in drawn.values())
        if len(drawn) > 1 and end > begin:
            grid = np.linspace(begin, end, 200)
            rows = np.array([np.interp(grid, x, y) for x, y in drawn.values()])
            axes.fill_between(grid, rows.min(axis=0), rows.max(axis=0), color=INK, alpha=0.08, linewidth=0)
            axes.plot(grid, np.median(rows, axis=0), color=INK, linewidth=2.2, label="median")
        axes.set(xlabel="episodes of all robots", ylabel=label.partition(",")[0])
        if low is not None:
            axes.set_ylim(low - 0.03, 1.03)
        axes.legend(loc="best", fontsize=8)

    return draw(paint, label, 5.2, 3.0)


def return_curve(episodes: Records) -> tuple[FloatArray, FloatArray]:
    """Running median of the exploring episodes' returns over the episode index."""
    index, values = _xy([record for record in episodes if not record["greedy"]], "episode_return")
    return index, moving(np.median, values)


def time_scale(span_s: float) -> tuple[float, str]:
    """The unit for an axis of this length: its size [s] and its name."""
    for size, name in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if span_s > 2.0 * size:
            return size, name
    return 1.0, "seconds"


def moving(fold: Callable[..., Any], values: FloatArray) -> FloatArray:
    """`fold` of the newest `WINDOW` values at each place; at the beginning of as many as there are."""
    first = [fold(values[:end]) for end in range(1, min(WINDOW, len(values) + 1))]
    if len(values) < WINDOW:
        return np.array(first)
    return np.concatenate((first, fold(np.lib.stride_tricks.sliding_window_view(values, WINDOW), axis=1)))


def thinned(records: Records) -> Records:
    """At most `MOST_DOTS` of them, evenly."""
    return records[:: max(1, -(-len(records) // MOST_DOTS))]


def _line(axes: "Axes", x: Sequence[float] | FloatArray, y: FloatArray, **style: Any) -> None:
    step = max(1, -(-len(y) // MOST_POINTS))
    axes.plot(x[::step], y[::step], **style)


def _xy(records: Records, key: str) -> tuple[FloatArray, FloatArray]:
    return np.array([float(r["index"]) for r in records]), np.array([float(r[key]) for r in records])


def _colours(count: int) -> list[str]:
    return [COLOURS[k % len(COLOURS)] for k in range(count)]


def _bounded(axes: "Axes", values: Sequence[float]) -> None:
    """Leave single extremes out of the picture, where they would make a line of everything else."""
    finite = np.array([value for value in values if np.isfinite(value)])
    if len(finite) > WINDOW:
        low, high = np.percentile(finite, (1.0, 99.5))
        if high > low:
            axes.set_ylim(low - 0.08 * (high - low), high + 0.08 * (high - low))
