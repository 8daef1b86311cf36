"""The report of a study of many trainings: medians where some have not made it, one page, its charts as PNG."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from naf_robot.bringup.cli import main
from naf_robot.core.errors import RunFolderError
from naf_robot.run.html_report.study_rows import groups, markdown_table, median, read_grid

PAPER = {"reach": {"episodes_to_100_percent": {"NAF": 3600, "DDPG": 3200}}}
HOSTILE = "<script>alert(1)</script>"


def row(algorithm: str, seed: int, episodes: int | None, library: str = "naf_robot", task: str = "reach") -> dict:
    curve = [{"episodes": 10 * (k + 1), "success": k / 4, "evaluated": 17} for k in range(5)]
    return {
        "task": task,
        "algorithm": algorithm,
        "library": library,
        "seed": seed,
        "episodes_to_95": episodes,
        "held_out_success": 0.97 if episodes else 0.4,
        "env_steps": None if episodes is None else 150 * episodes,
        "evaluation_episodes": 130,
        "curve": curve,
    }


ROWS = [
    *(row("sac", seed, value, "stable-baselines3") for seed, value in ((2, 130), (0, None), (1, None))),
    *(row("naf", seed, value) for seed, value in ((1, 80), (0, 70), (2, None))),
    row("naf", 0, 160, task="door_push"),
]


def asynchronous(collectors: int, reached: int | None) -> dict[str, Any]:
    points = [{"updates": 1000 * k, "robot_s": 10.0 * k / collectors, "success": 0.1 * k} for k in range(1, 6)]
    found = {"task": "reach", "variant": "locked", "collectors": collectors, "seed": 0, "updates_to_95": reached}
    return {**found, "robot_s_to_95": reached and 60.0, "final_success": 0.5, "curve": points}


def study(folder: Path, kind: str, rows: list[dict], **facts: Any) -> Path:
    folder.mkdir()
    known = {
        "kind": kind,
        "command": f"naf-robot {HOSTILE}",
        "commit": "abc",
        "config_hash": "0f",
        "protocol": {"a": 1},
    }
    (folder / "grid.json").write_text(json.dumps(known | facts))
    (folder / "rows.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    return folder


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([3.0], 3.0),
        ([4.0, None, 2.0], 4.0),
        ([None, 2.0, None], None),
        ([2.0, 4.0], 3.0),
        ([2.0, None], None),
        ([None], None),
    ],
)
def test_who_has_not_made_it_needs_more_than_any(values: list[float | None], expected: float | None):
    assert median(values) == expected


def test_a_table_has_seeds_in_order_medians_and_the_papers_figures():
    lines = markdown_table(ROWS, PAPER).splitlines()
    assert lines[2:] == [
        "| reach | naf | naf_robot | 70, 80, – | 80 | 0.97, 0.97, 0.40 | 3,600 |",
        "| reach | sac | stable-baselines3 | –, –, 130 | – | 0.40, 0.40, 0.97 |  |",
        "| door_push | naf | naf_robot | 160 | 160 | 0.97 |  |",
    ]
    assert len(markdown_table(ROWS, PAPER, ["door_push"]).splitlines()) == 3


def test_numbers_of_robots_stand_in_their_order():
    rows = [asynchronous(count, None) for count in (8, 1, 2)]
    assert [group.labels[2] for group in groups("asynchrony", rows)] == ["1", "2", "8"]


@pytest.mark.parametrize(
    ("kind", "rows", "pictures", "shown"),
    [
        ("table4", ROWS, 2, ("70, 80, –", "3,600", "stable-baselines3")),
        ("asynchrony", [asynchronous(1, None), asynchronous(4, 5000)], 2, ("5,000", "robot minutes")),
    ],
)
def test_the_command_writes_one_page_complete_in_itself_and_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture, kind: str, rows: list[dict], pictures: int, shown: tuple[str, ...]
):
    folder = study(tmp_path / "study", kind, rows, paper=PAPER)
    (folder / "rows.jsonl").open("a").write('{"task": "under way')  # it is being written
    assert main(["report", "--run-dir", str(folder)]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [path.suffix for path in paths] == [".html"] + [".png"] * pictures
    text = paths[0].read_text(encoding="utf-8")
    assert all(each in text for each in shown)
    assert HOSTILE not in text
    assert "<script" not in text
    assert "<svg" in text
    assert not any(f'{name}="http' in text for name in ("src", "href"))
    for path in paths[1:]:
        with Image.open(path) as picture:
            assert picture.width > 300


def test_a_folder_without_a_finished_training_and_two_studies_are_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture
):
    empty, whole = study(tmp_path / "empty", "table4", []), study(tmp_path / "whole", "table4", ROWS)
    with pytest.raises(RunFolderError, match=r"no training of the study in .*empty' has finished"):
        read_grid(empty)
    with pytest.raises(RunFolderError, match="of kind 'other', of which there is no report"):
        read_grid(study(tmp_path / "other", "other", ROWS))
    assert main(["report", "--run-dir", str(whole), str(empty)]) == 2
    assert "has a report of its own" in capsys.readouterr().err
    assert not (whole / "report.html").exists()
