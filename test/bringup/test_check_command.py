"""`naf-robot check`: a table or JSON of what was found, and what to do; exit code 0 only if nothing is wrong."""

import json
from pathlib import Path

import pytest

from naf_robot.bringup.cli import main
from naf_robot.bringup.training import SystemOptions, prepare
from naf_robot.core.resources import find
from naf_robot.run.config import profile_files
from naf_robot.run.findings import Finding, table

MEASURED = {
    "description",
    "limits",
    "home",
    "targets",
    "self-collision",
    "projection step",
    "contacts",
    "simulated arm",
}


def found(capsys: pytest.CaptureFixture, *arguments: str, code: int = 0) -> list[dict]:
    assert main(["check", *arguments, "--json"]) == code
    document = json.loads(capsys.readouterr().out)
    findings = document["findings"]
    assert document["problems"] == sum(each["level"] == "problem" for each in findings)
    assert document["warnings"] == sum(each["level"] == "warning" for each in findings)
    return findings


@pytest.mark.parametrize("robot", profile_files())
def test_nothing_is_wrong_with_a_profile(capsys: pytest.CaptureFixture, robot: str):
    findings = found(capsys, "--robot", robot)
    assert {each["check"] for each in findings} == MEASURED
    assert [each["found"] for each in findings if each["level"] == "problem"] == []


def test_a_problem_is_said_with_what_is_right_and_nothing_is_measured(capsys: pytest.CaptureFixture):
    home = "arm.home=[0, 17, 0, -90, 0, 70, 0]"
    findings = found(capsys, "--robot", "arm7", "--set", home, code=1)
    wrong = [each for each in findings if each["level"] == "problem"]
    assert all(each["check"] == "home within limits" for each in wrong)
    assert "in degrees it would be within" in wrong[0]["found"]
    assert findings[-1]["check"] == "measurements"
    assert main(["check", "--set", home]) == 1
    out = capsys.readouterr().out
    assert "-> mend them and check again" in out
    assert out.endswith("3 problems, 1 warning\n")


@pytest.mark.parametrize(
    ("settings", "check", "level", "text"),
    [
        (["arm.home=[0, 0.3, 0, -2.06, 0, 1.2, 0]"], "home", "warning", "joint_4 is 0.030 rad from its limit"),
        (["collector.action_velocity=1.4"], "limits", "warning", "more than joint_4 may do"),
        (["safety.self_collision.slow_distance=0.3"], "self-collision", "warning", "the arm is slow there"),
        (
            ["safety.self_collision.slow_distance=0.3", "safety.self_collision.stop_distance=0.25"],
            "self-collision",
            "problem",
            "m is the least",
        ),
        (["safety.self_collision.enabled=false"], "self-collision", "warning", "switched off"),
        (
            ["simulator.imperfections.actuator_lag_s=10"],
            "simulated arm",
            "problem",
            "share of the asked speed: joint_1 ",
        ),
    ],
)
def test_what_is_measured_is_compared_with_what_is_needed(
    capsys: pytest.CaptureFixture, settings: list[str], check: str, level: str, text: str
):
    findings = found(capsys, "--set", *settings, code=int(level == "problem"))
    assert any(each["check"] == check and each["level"] == level and text in each["found"] for each in findings)


def test_targets_that_no_posture_reaches_are_a_problem(capsys: pytest.CaptureFixture):
    home = dict(zip(range(1, 7), (0.0, 0.3, 0.0, -1.6, 0.0, 1.2), strict=True))
    limits = (f"joint_{n}: {{min_position: {at - 0.1}, max_position: {at + 0.1}}}" for n, at in home.items())
    joints = f"safety.joints={{{', '.join(limits)}}}"
    findings = found(capsys, "--set", joints, code=1)
    (wrong,) = [each for each in findings if each["level"] == "problem"]
    assert wrong["check"] == "targets reachable"
    assert "comes no nearer to it than 0." in wrong["found"]


def test_robots_of_a_file_are_checked_each(capsys: pytest.CaptureFixture, tmp_path: Path):
    file = tmp_path / "run.yaml"
    file.write_text("robots: {left: {}, right: {safety: {velocity_scale: 0.5}}, third: {}}\n", encoding="utf-8")
    assert {each["robot"] for each in found(capsys, "--config", str(file))} == {"left", "right"}


def test_the_table_wraps_and_counts():
    text = table([Finding("one", "word " * 60, robot="left"), Finding("three", "bad", "problem", "mend it", "left")])
    assert max(map(len, text.splitlines())) <= 118
    assert text.startswith("left:\n  one    ok       word")
    assert "  three  problem  bad\n                  -> mend it\n1 problem, 0 warnings\n" in text


def test_what_a_description_assumes_is_known_before_a_run_begins(tmp_path: Path):
    profile = tmp_path / "my_fr3.yaml"
    text = find("config/robots/fr3.yaml").read_text(encoding="utf-8")
    profile.write_text(text.replace("franka_description", "no_such_package"), encoding="utf-8")
    given = SystemOptions(task="reach", robot=str(profile), run_dir=str(tmp_path / "run"))
    run = prepare(given)
    run.lock.release()
    (note,) = run.notes
    assert "fr3.urdf' is used in place of 'package://no_such_package/robots/" in note
