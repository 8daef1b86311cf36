"""Each benchmark in its smallest form: it runs from a checkout and prints one JSON object."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from naf_robot.bringup.environment import local_environment
from naf_robot.core.resources import SOURCE_ROOT
from naf_robot.sim.registry import SIMULATORS

FOLDER = SOURCE_ROOT / "benchmarks"
pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="benchmarks are only in the source tree")


def run(name: str, *arguments: str) -> dict:
    command = [sys.executable, str(FOLDER / name), "--json", *arguments]
    done = subprocess.run(command, env=local_environment(), capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    result = json.loads(done.stdout)
    assert result["command"].startswith(f"python benchmarks/{name} --json")
    return result


def test_replay():
    result = run("replay.py", "--size", "1000", "--seconds", "0.01", "--repeats", "1", "--fill-seconds", "0.1")
    assert result["results"]["ours"]["sampled_per_s"]["64 x 64"] > 0.0
    assert (result["results"]["cpprb"] is None) == (importlib.util.find_spec("cpprb") is None)


def test_simulation():
    result = run("simulation.py", "--tasks", "reach", "--seconds", "0.05", "--repeats", "1", "--worlds", "2")
    (row,) = result["rows"]
    assert set(row["steps_per_s"]) == {"environment", "world", "batched, 1 threads", "batched, 2 threads"}
    assert all(rate > 0.0 for rate in row["steps_per_s"].values())
    assert row["stages_us"]["physics"] > 0.0


def test_simulators_are_compared():
    result = run("simulators.py", "--tasks", "reach", "--seconds", "0.1", "--motions", "1")
    there = [name for name, entry in SIMULATORS.items() if entry.missing() is None]
    assert list(result["speed"]["reach"]) == there
    assert result["speed"]["reach"]["mujoco"]["of_first"] == 1.0
    assert set(result["motion"]["reach"]) == {f"{name} {kind}" for name in there[1:] for kind in ("smooth", "scripted")}


def test_replay_bags():
    pytest.importorskip("rosbags", reason="needs the extra bags")
    (row,) = run("replay_bags.py", "--episodes", "1", "--picture-mib", "2", "--bags", "pictures")["rows"]
    assert (row["steps"], row["refused"]) == (150, 0)
    assert row["times_real_time"] > 0.0
    assert row["memory_mib"] > 0.0


@pytest.mark.ros
def test_lockstep():
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    (row,) = run("lockstep.py", "--robots", "1", "--executors", "events", "--seconds", "2.5")["rows"]
    assert row["recorded_transitions"] > 0
    assert row["control_steps_per_s"] > 20.0
    assert all(0.0 < span < 50.0 for span in row["stages_ms"].values())


SOON = ("--set", "trainer.learning_starts=30")


@pytest.mark.ros
def test_real_time():
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    (row,) = run("real_time.py", "--robots", "1", "--seconds", "2.5", "--settle", "0", "--busy-at-end", "4", *SOON)[
        "rows"
    ]
    assert row["exit_code"] == 0, "Ctrl-C pressed twice, on a busy machine: no process is killed"
    assert row["at_rest"]
    assert row["faults"] == []
    assert row["tick"]["periods"] > 20
    assert row["updates_per_s"] > 0.0
    assert 0.0 < row["tick_to_command_ms"]["p50"] < row["state_to_command_ms"]["p50"]


@pytest.mark.ros
def test_camera():
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    pytest.importorskip("cv2", reason="needs OpenCV: pip install 'naf_robot[camera]'")
    (row,) = run("camera.py", "--alone", "--seconds", "1", "--frames", "30")["rows"]
    for kind in ("raw", "compressed"):
        of_kind = row[kind]
        assert of_kind["stamps_rise"]
        assert of_kind["lost"] < 0.5 * of_kind["received"], f"{kind}: without room for pictures three of four are lost"
    assert row["processor_share"]["robot_1/camera"] > 0.0


@pytest.mark.ros
def test_training_profile():
    pytest.importorskip("rclpy", reason="needs rclpy and its messages")
    result = run("training_profile.py", "--robots", "1", "--episodes", "2")
    assert result["episodes"] >= 2
    assert result["trainer_loop_s"].keys() >= {
        "receiving",
        "storing and answering",
        "learning",
        "publishing",
        "waiting",
    }
    assert all(spent >= 0.0 for spent in result["trainer_loop_s"].values())


def test_fuzz():
    result = run("fuzz.py", "--messages", "2000")
    assert (result["crashes"], result["hangs"], result["garbage_accepted"]) == (0, 0, 0)
    for reader in ("parameters", "experience", "acknowledgement", "chunk"):  # what is whole is taken
        assert result["by_reader"][f"{reader} accepted"] > 0
        assert result["by_reader"][f"{reader} refused"] > 0


def test_quadratic():
    result = run("quadratic.py", "--problems", "60", "--repeats", "1")
    ours = result["solvers"]["daqp"]
    assert sum(result["by_joints"].values()) == 60
    assert ours["worst_violation"] < 1e-8
    assert ours["agrees"] == 1.0


def test_reach_with_profiles_runs_what_is_missing_only(tmp_path: Path):
    output = tmp_path / "reach.json"
    for robots, done in ((["ur5e"], ["ur5e"]), (["ur5e", "arm7"], ["ur5e", "arm7"])):
        command = [sys.executable, str(FOLDER / "reach_profiles.py"), "--episodes", "1", "--evaluate-every", "1"]
        command += ["--evaluation-episodes", "1", "--folder", str(tmp_path / "studies"), "--output", str(output)]
        run = subprocess.run([*command, "--robots", *robots], capture_output=True, text=True, timeout=110, check=False)
        assert run.returncode == 0, run.stderr[-3000:]
        runs = json.loads(output.read_text(encoding="utf-8"))["runs"]
        assert [each["robot"] for each in runs] == done
        assert [len(each["curve"]) for each in runs] == [1] * len(done)
