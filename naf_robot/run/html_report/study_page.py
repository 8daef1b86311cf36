"""The report of a study of many trainings: one page, and each chart as a PNG beside it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from naf_robot.core.files import replace_file
from naf_robot.run.html_report import charts
from naf_robot.run.html_report.page import rendered
from naf_robot.run.html_report.study_rows import GROUPED_BY, Grid, Group, groups, paper_episodes, read_grid, shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AXES = {  # of the charts: value of a point of the curve, its label and its divisor
    "table4": (("episodes", "training episodes", 1.0),),
    "asynchrony": (("updates", "updates", 1.0), ("robot_s", "minutes of robot time", 60.0)),
}
TITLES = {
    "table4": "Episodes until 95 of 100 held-out episodes succeed",
    "asynchrony": "Robots in lockstep with one trainer",
}


class StudyChart(NamedTuple):
    """A chart and what paints it."""

    name: str  # of its file
    chart: charts.Chart
    paint: "Callable[[Axes], None]"


def write_study_report(folder: Path, output: Path) -> list[Path]:
    """Write the page of the study in `folder` to `output`, and its charts as PNG beside it; the paths.

    Raises:
        RunFolderError: `folder` is no study, or no training has finished.
        OSError: a file cannot be written.
    """
    grid = read_grid(folder)
    found = study_charts(grid)
    pictures = []
    for one in found:
        path = output.with_name(f"{output.stem}_{one.name}.png")
        charts.save_png(one.paint, one.chart.title, path)
        pictures.append(path)
    replace_file(output, study_page(grid, folder.name, [one.chart for one in found]).encode())
    return [output, *pictures]


def study_page(grid: Grid, name: str, found: Sequence[charts.Chart]) -> str:
    """The page's text."""
    context = {
        "name": name,
        "title": TITLES[grid.kind],
        "facts": grid.facts,
        "table": table(grid),
        "heads": heads(grid.kind),
        "charts": found,
        "rows": len(grid.rows),
    }
    return rendered("study.html.j2", context)


def heads(kind: str) -> list[str]:
    """The columns of the table."""
    if kind == "table4":
        return [*GROUPED_BY[kind], "episodes, by seed", "median", "held-out success", "evaluation episodes", "paper"]
    return [*GROUPED_BY[kind], "updates to 95 %, by seed", "median", "robot minutes, by seed", "success at the end"]


def table(grid: Grid) -> list[list[str]]:
    """Its cells, line by line."""
    from naf_robot.run.html_report.page import number

    lines = []
    for group in groups(grid.kind, grid.rows):
        seeds = ", ".join(shown(value) for value in group.reached)
        line = [*group.labels, seeds, shown(group.median)]
        if grid.kind == "table4":
            theirs = paper_episodes(grid.facts.get("paper", {}), group.labels[0], group.labels[1])
            line += [
                ", ".join(number(row["held_out_success"]) for row in group.rows),
                ", ".join(number(row["evaluation_episodes"]) for row in group.rows),
                number(theirs) if group.labels[2] == "naf_robot" else "–",
            ]
        else:
            minutes = [None if row["robot_s_to_95"] is None else row["robot_s_to_95"] / 60.0 for row in group.rows]
            line += [
                ", ".join(number(value) for value in minutes),
                ", ".join(number(row["final_success"]) for row in group.rows),
            ]
        lines.append(line)
    return lines


def study_charts(grid: Grid) -> list[StudyChart]:
    """Success of each group, task by task, over everything that is counted."""
    made = groups(grid.kind, grid.rows)
    found = []
    for task in dict.fromkeys(group.labels[0] for group in made):
        mine = [group for group in made if group.labels[0] == task]
        for key, label, divisor in AXES[grid.kind]:
            title = f"{task}: success over {label}"
            paint = _success(mine, key, label, divisor)
            name = "".join(c if c.isalnum() else "_" for c in f"{task}_{key}")
            found.append(StudyChart(name, charts.draw(paint, title, 5.2, 3.2), paint))
    return found


def _success(mine: Sequence[Group], key: str, label: str, divisor: float) -> "Callable[[Axes], None]":
    def paint(axes: "Axes") -> None:
        for k, group in enumerate(mine):
            colour = charts.COLOURS[k % len(charts.COLOURS)]
            style = "-" if k < len(charts.COLOURS) else "--"
            for seed, row in enumerate(group.rows):
                points: Sequence[Mapping[str, Any]] = [p for p in row["curve"] if p["success"] is not None]
                axes.plot(
                    [float(point[key]) / divisor for point in points],
                    [float(point["success"]) for point in points],
                    style,
                    color=colour,
                    linewidth=1.1,
                    alpha=0.8,
                    label=", ".join(group.labels[1:]) if seed == 0 else None,
                )
        axes.set(xlabel=label, ylabel="success", ylim=(-0.03, 1.03))
        axes.legend(loc="best", fontsize=7)

    return paint
