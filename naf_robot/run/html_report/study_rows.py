"""The rows of a study of many trainings in tables: medians and seeds, also where some have not made it."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from naf_robot.core.errors import RunFolderError
from naf_robot.core.run_files import GRID, GRID_ROWS

Row = Mapping[str, Any]
GROUPED_BY = {"table4": ("task", "algorithm", "library"), "asynchrony": ("task", "variant", "collectors")}
REACHED = {"table4": "episodes_to_95", "asynchrony": "updates_to_95"}  # what is compared
PAPER_NAMES = {"naf": "NAF", "ddpg": "DDPG", "linear_naf": "Linear-NAF"}


class Grid(NamedTuple):
    """A study's folder as it stands."""

    facts: dict[str, Any]
    rows: list[dict[str, Any]]

    @property
    def kind(self) -> str:
        """Which study it is."""
        return str(self.facts["kind"])


class Group(NamedTuple):
    """Rows that differ in their seeds alone."""

    labels: tuple[str, ...]
    rows: list[Row]  # by seed
    reached: list[float | None]  # of each
    median: float | None  # None: half of them have not made it


def read_grid(folder: Path) -> Grid:
    """What is complete in the folder of a study, finished or under way.

    Raises:
        RunFolderError: it is no such folder, or has no complete row.
    """
    try:
        facts = json.loads((folder / GRID).read_bytes())
        lines = (folder / GRID_ROWS).read_text(encoding="utf-8").splitlines() if (folder / GRID_ROWS).exists() else []
        rows = [json.loads(line) for line in lines if line.endswith("}")]
    except (OSError, ValueError) as error:
        raise RunFolderError(f"cannot read the study in {str(folder)!r}: {error}") from None
    if facts.get("kind") not in GROUPED_BY:
        raise RunFolderError(
            f"{str(folder)!r} holds a study of kind {facts.get('kind')!r}, of which there is no report"
        )
    if not rows:
        raise RunFolderError(f"no training of the study in {str(folder)!r} has finished")
    return Grid(facts, rows)


def groups(kind: str, rows: Sequence[Row]) -> list[Group]:
    """Rows by what they have in common, in the order in which they came; each with its median over the seeds."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(str(row[name]) for name in GROUPED_BY[kind]), []).append(row)
    made = []
    for labels, mine in found.items():
        mine.sort(key=lambda row: row["seed"])
        reached = [row[REACHED[kind]] for row in mine]
        made.append(Group(labels, mine, reached, median(reached)))
    first = {task: k for k, task in enumerate(dict.fromkeys(group.labels[0] for group in made))}
    return sorted(made, key=lambda group: (first[group.labels[0]], *_order(kind, group)))


def median(values: Sequence[float | None]) -> float | None:
    """The median, with None as more than any number; None where that is the median."""
    ordered = sorted(math.inf if value is None else value for value in values)
    middle = len(ordered) // 2
    found = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2.0
    return None if math.isinf(found) else found


def paper_episodes(paper: Mapping[str, Any], task: str, algorithm: str) -> int | None:
    """What Gu et al. 2016 have for it."""
    known = paper.get(task, {}).get("episodes_to_100_percent", {})
    value = known.get(PAPER_NAMES.get(algorithm.partition(",")[0], ""))
    return int(value) if value else None


def markdown_table(rows: Sequence[Row], paper: Mapping[str, Any], tasks: Sequence[str] = ()) -> str:
    """The table of `table4` as Markdown, for the pages that show it; of `tasks` alone where any are given."""
    lines = [
        "| task | algorithm | library | episodes to 95 %, by seed | median | held-out success | Gu et al. 2016 |",
        "|---|---|---|---|---|---|---|",
    ]
    for group in groups("table4", rows):
        task, algorithm, library = group.labels
        if tasks and task not in tasks:
            continue
        seeds = ", ".join(shown(value) for value in group.reached)
        held_out = ", ".join(f"{row['held_out_success']:.2f}" for row in group.rows)
        theirs = paper_episodes(paper, task, algorithm) if library == "naf_robot" else None
        lines.append(
            f"| {task} | {algorithm} | {library} | {seeds} | {shown(group.median)} | {held_out} | "
            f"{'' if theirs is None else f'{theirs:,}'} |"
        )
    return "\n".join(lines) + "\n"


def shown(value: float | None) -> str:
    """A number of a table, a dash for what was not reached."""
    return "–" if value is None else f"{value:,.0f}"


def _order(kind: str, group: Group) -> tuple[Any, ...]:
    key: Callable[[str], Any] = int if kind == "asynchrony" else str
    if kind == "asynchrony":
        return (group.labels[1], key(group.labels[2]))
    return (math.inf if group.median is None else group.median, group.labels[1:])
