"""The tables of results in README.md and docs/studies.md, made from the JSON files below docs/results.

    python benchmarks/results_tables.py            # print them
    python benchmarks/results_tables.py --write    # put them where they belong

`test/project/test_results_tables.py` fails where a page and the files differ.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from naf_robot.run.html_report.study_rows import markdown_table
from naf_robot.study.paper import PAPER

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "docs" / "results"
README_HEAD = "| task | naf_robot, success on held-out episodes | Gu et al. 2016 |"
LINES = (  # of the README: file, its title there, the paper's task
    ("train_reach", "reach, 5 cm", "reach"),
    ("reach_camera", "reach by camera", ""),
    ("door_pull", "door, pull", "door_pull"),
    ("door_push", "door, push", "door_push"),
)
TABLE4 = RESULTS / "table4.json"


class Table(NamedTuple):
    """A table on a page: its first line, which stands there once, and the whole of it."""

    page: Path
    head: str
    text: str


def of_seeds(document: Mapping[str, Any]) -> list[tuple[float, int]]:
    """Success on held-out episodes and training episodes of each seed, of a study or of runs over ROS."""
    if "seeds" in document:
        ends = [seed["rows"][-1] for seed in document["seeds"]]
        return [(row["confirmed_success_rate"], row["episodes"]) for row in ends]
    return [(row["evaluation"]["success_rate"], row["episodes"]) for row in document["rows"]]


def line(title: str, document: Mapping[str, Any], paper: Mapping[str, Any]) -> str:
    """One line of the README's table."""
    seeds = of_seeds(document)
    success = ", ".join(f"{rate:.2f}" for rate, _ in seeds)
    episodes = ", ".join(str(count) for _, count in seeds)
    theirs = ""
    if paper:
        episodes_of, spread = paper["episodes_to_100_percent"]["NAF"], paper["plus_or_minus"]["NAF"]
        theirs = f"{episodes_of:,} ± {spread:,} episodes "
    return f"| {title} | {success} after {episodes} episodes | {theirs}|"


def tables() -> list[Table]:
    """All tables; that of the study only where its file is there."""
    lines = [README_HEAD, "|---|---|---|"]
    for name, title, task in LINES:
        document = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
        lines.append(line(title, document, PAPER.get(task, {})))
    found = [Table(ROOT / "README.md", README_HEAD, "\n".join(lines) + "\n")]
    if TABLE4.is_file():
        document = json.loads(TABLE4.read_text(encoding="utf-8"))
        text = markdown_table(document["rows"], PAPER)
        found.append(Table(ROOT / "docs" / "studies.md", text.splitlines()[0], text))
    return found


def on_page(table: Table) -> str:
    """The table that stands on its page now; "" where there is none."""
    page = table.page.read_text(encoding="utf-8")
    begin = page.find(table.head)
    return "" if begin < 0 else page[begin:].split("\n\n")[0].rstrip("\n") + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="replace the tables on their pages")
    write = parser.parse_args().write
    for table in tables():
        if not write:
            print(f"{table.page.relative_to(ROOT)}\n\n{table.text}")
            continue
        old = on_page(table)
        if not old:
            raise SystemExit(f"{table.page} has no table that begins with {table.head!r}: put that line there first")
        page = table.page.read_text(encoding="utf-8")
        table.page.write_text(page.replace(old, table.text), encoding="utf-8")


if __name__ == "__main__":
    main()
