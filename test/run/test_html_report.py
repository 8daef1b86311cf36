"""The report: one page, complete in itself, of runs that end, go on, or were aborted."""

import fcntl
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from naf_robot.core.errors import RunFolderError
from naf_robot.core.files import replace_file
from naf_robot.run.config import resolve, save
from naf_robot.run.html_report.data import read_run, state_of
from naf_robot.run.html_report.page import write_report
from naf_robot.run.unattended.drift import Watching
from naf_robot.run.unattended.file import StatisticsFile
from naf_robot.run.unattended.fold import RunStatistics
from naf_robot.run.unattended.records import Statistics

HOSTILE = '<script src="http://example.org/x.js">needs help</script>'


class Page(HTMLParser):
    """What a page is made of and where it points."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.points_to: set[str] = set()
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "action", "data", "srcset", "poster"):
                self.points_to.add(value or "")
            if name == "id":
                self.ids.add(value or "")


def make_run(folder: Path, episodes: int = 40, seed: int = 0, statistics: bool = True) -> Path:
    folder.mkdir()
    save(resolve("reach", overrides=[{"seed": seed}]), folder / "config.yaml")
    lines = [
        {
            "index": k + 1,
            "robot": f"robot_{k % 2 + 1}",
            "episode": k // 2,
            "greedy": k % 5 == 4,
            "success": k > 20,
            "steps": 150,
            "episode_return": -100.0 + 2.0 * k + seed,
            "reward_terms": {"distance": -90.0 + k, "action": -10.0 + k},
            "policy_version": k // 3,
            "env_steps": 150 * (k + 1),
            "wall_s": 10.0 * (k + 1),
        }
        for k in range(episodes)
    ]
    (folder / "episodes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"index": 9')
    (folder / "process_exits.jsonl").write_text(
        '{"time": "2026-01-02T03:04:05", "process": "robot_1/collector", "exit_reason": "was killed by SIGKILL", '
        '"uptime_s": 12.0, "restarted": true}\n'
    )
    if statistics:
        folded = RunStatistics(("robot_1", "robot_2"), Statistics(), Watching(300.0, 10.0), True)
        values = {
            "state": "collecting",
            "sensor imu rate [Hz]": "100",
            "sensor imu messages": "5",
            "operator enable": "2",
        }
        for k in range(30):
            error = k in range(5, 9)
            folded.take("/robot_1/collector", HOSTILE, values, error, float(k), 1.8e9 + k)
            folded.tick(float(k), 1.8e9 + k)
        StatisticsFile(folder).close(folded.record)
    return folder


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("runs")
    runs = [make_run(folder / "first"), make_run(folder / "second", seed=1, statistics=False)]
    return write_report(runs, folder / "report.html").read_text(encoding="utf-8")


def test_the_page_refers_to_nothing_outside_itself(page: str):
    parsed = Page(page)
    assert not parsed.tags & {"script", "link", "iframe", "object", "embed", "base", "img", "form"}
    assert parsed.points_to
    assert all(target.startswith("#") for target in parsed.points_to)
    assert {target[1:] for target in parsed.points_to} <= parsed.ids
    names = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink")
    rest = re.sub(r'xmlns(:xlink)?="[^"]*"', "", page)
    assert all(name in page for name in names)
    assert not re.search(r"(https?:)?//[a-z]", rest.replace("http://example.org/x.js", "").replace("package://", ""))
    assert not re.search(r"@import|url\((?!#)", page)


def test_what_came_over_the_network_is_text_and_no_part_of_the_page(page: str):
    assert "&lt;script src=" in page
    assert "needs help" in page


def test_the_page_says_what_there_is_and_what_is_missing(page: str):
    for text in (
        "2 runs",
        "evaluation success",
        "was killed by SIGKILL after 12 s; started again",
        "operator: enable",
        "process exits",
        "more than",
        "100 Hz",
        "This run has no statistics over days",
        "stopped before a decision",
        "collector.evaluation_period",
        "median",
    ):
        assert text in page, text
    assert page.count("<svg") > 12


def test_a_run_under_way_and_one_that_has_ended_say_so(tmp_path: Path):
    assert state_of(tmp_path) == "stopped before a decision"
    replace_file(tmp_path / "outcome", b"3\n")
    assert state_of(tmp_path) == "ran out of episodes"
    with (tmp_path / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert state_of(tmp_path) == "running"


def test_no_run_and_a_run_without_episodes_are_one_sentence(tmp_path: Path):
    with pytest.raises(RunFolderError, match=r"is not a run folder: it has no config\.yaml"):
        read_run(tmp_path)
    save(resolve("reach"), tmp_path / "config.yaml")
    with pytest.raises(RunFolderError, match="no finished episode yet"):
        read_run(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.yaml"]


def test_damaged_parts_are_said_and_the_rest_is_shown(tmp_path: Path):
    run = make_run(tmp_path / "run", episodes=3)
    (run / "statistics.json").write_bytes(b"\xff")
    (run / "summary.json").write_text("{")
    found = read_run(run)
    assert len(found.episodes) == 3
    assert [text.split(":")[0] for text in found.trouble] == ["There are no statistics", "The summary cannot be read"]
