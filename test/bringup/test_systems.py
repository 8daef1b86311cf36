"""The system in parts: what runs on which machine, in which folder, and what is refused before anything is written."""

import re
from pathlib import Path

import pytest

from naf_robot.bringup.log_follower import LogFollower
from naf_robot.bringup.options import SystemOptions, options
from naf_robot.bringup.system import (
    RobotNodes,
    robot_machine_system,
    robot_system,
    simulation_system,
    trainer_system,
    training_system,
)
from naf_robot.bringup.training import prepare
from naf_robot.core import run_files
from naf_robot.core.errors import ConfigError, NafRobotError, RunFolderError
from naf_robot.core.run_identity import known_run_id
from naf_robot.run.config import load

CONFIG = Path("config.yaml")


def test_the_training_system_is_the_union_of_the_parts():
    robots, sensors = ("left", "right"), ("door_sensor",)
    parts = [
        *trainer_system(CONFIG, 2),
        *robot_system(CONFIG, RobotNodes(robots, True, sensors, 2)),
        *simulation_system(CONFIG, 2),
    ]
    whole = training_system(CONFIG, RobotNodes(robots, True, sensors, 2))
    assert sorted(parts, key=lambda spec: spec.label) == sorted(whole, key=lambda spec: spec.label)
    assert [spec.label for spec in trainer_system(CONFIG)] == ["trainer"]
    assert {spec.namespace for spec in robot_system(CONFIG, RobotNodes(robots))} == set(robots)


def test_recorders_begin_first_end_last_and_a_run_goes_on_without_them():
    plain, recorded = (
        training_system(CONFIG, RobotNodes(("left", "right"))),
        training_system(CONFIG, RobotNodes(("left", "right"), record=True)),
    )
    own = [spec for spec in recorded if spec.name == "recorder"]
    assert [spec.label for spec in own] == ["left/recorder", "right/recorder"]
    assert [spec for spec in recorded if spec not in own] == plain
    others = [spec for spec in plain if spec.namespace]
    assert all(recorded.index(one) < recorded.index(other) for one in own for other in others)
    assert all(one.stop_order > other.stop_order for one in own for other in others)
    assert all(not one.required and one.restarts == 3 for one in own)
    assert training_system(CONFIG, RobotNodes(("left",), restarts=5, record=True))[1].restarts == 5
    machine = robot_machine_system(CONFIG, RobotNodes(("left",), record=True))
    assert {spec.remappings["/clock"] for spec in machine} == {"/left/clock"}
    assert [spec.label for spec in trainer_system(CONFIG)] == ["trainer"]


def test_robots_with_a_camera_have_its_node():
    plain, seeing = (
        training_system(CONFIG, RobotNodes(("left", "right"), False)),
        training_system(CONFIG, RobotNodes(("left", "right"), False, cameras=("right",), restarts=0)),
    )
    (camera,) = [spec for spec in seeing if spec not in plain]
    assert (camera.label, camera.enclave, camera.parameters["use_sim_time"]) == (
        "right/camera",
        "/right/camera",
        False,
    )
    machine = robot_machine_system(CONFIG, RobotNodes(("left", "right"), False, cameras=("left",)))
    assert [spec.label for spec in machine if spec.name == "camera"] == ["left/camera"]


def test_what_is_recorded_is_said_by_the_option_or_the_configuration(tmp_path: Path):
    def labels(folder: str, **given) -> set[str]:
        run = prepare(SystemOptions(run_dir=str(tmp_path / folder), robots="left", **given))
        run.lock.release()
        return {spec.label for spec in run.specs}

    assert "left/recorder" in labels("one", record=True)
    assert "left/recorder" in labels("two", settings=["recording.enabled=true"])
    assert "left/recorder" in labels("three", record="true")  # as under launch
    assert "left/recorder" not in labels("four")
    resumed = prepare(SystemOptions(resume=str(tmp_path / "four"), record=True))
    assert "left/recorder" in {spec.label for spec in resumed.specs}
    with pytest.raises(ConfigError, match="system 'trainer' has no option 'record'"):
        prepare(SystemOptions(record=True), "trainer")


def test_simulated_robots_of_a_machine_have_a_simulator_and_a_clock_of_their_own():
    specs = robot_machine_system(CONFIG, RobotNodes(("left", "right")))
    assert {spec.remappings["/clock"] for spec in specs} == {"/left/clock"}
    (simulator,) = [spec for spec in specs if not spec.namespace]
    assert (simulator.name, simulator.remappings["simulator/reset"]) == ("simulator_left", "/left/simulator/reset")
    real = robot_machine_system(CONFIG, RobotNodes(("left",), simulated=False))
    assert {spec.name for spec in real} == {"velocity_control", "collector"}
    assert all(not spec.remappings for spec in real)


def test_each_system_has_its_own_options():
    names = {system: {each.name for each in options(system)} for system in ("train", "trainer", "robot")}
    assert names["train"] | {"run_id"} == names["trainer"] | names["robot"]
    assert "algorithm" not in names["robot"]
    assert not {"simulated", "real_time_factor", "first_run", "record"} & names["trainer"]
    with pytest.raises(ConfigError, match="system 'trainer' has no option 'simulated'"):
        prepare(SystemOptions(simulated=True), "trainer")


def test_a_trainers_folder_and_a_robots_folder_are_not_taken_for_each_other(tmp_path: Path):
    trainer, robot = tmp_path / "trainer", tmp_path / "robot"
    run = prepare(SystemOptions(run_dir=str(trainer)), "trainer")
    run.lock.release()
    assert [spec.label for spec in run.specs] == ["trainer"]
    assert load(trainer / run_files.CONFIG).trainer.other_robots == "accept"
    run_id = known_run_id(trainer)
    assert len(run_id) == 16
    with pytest.raises(ConfigError, match="give the names of this machine's robots"):
        prepare(SystemOptions(run_dir=str(robot)), "robot")
    with pytest.raises(ConfigError, match="sixteen hexadecimal digits, got 'x'"):
        prepare(SystemOptions(run_dir=str(robot), robots="left", run_id="x"), "robot")
    assert not robot.exists()
    prepare(SystemOptions(run_dir=str(robot), robots="left"), "robot").lock.release()
    assert known_run_id(robot) == ""  # until it has heard a trainer
    for folder, system, own in ((robot, "trainer", "robot"), (robot, "train", "robot"), (trainer, "robot", "trainer")):
        with pytest.raises(RunFolderError, match=f"is a folder of `naf-robot {own}`"):
            prepare(SystemOptions(resume=str(folder)), system)
    prepare(SystemOptions(resume=str(robot), run_id=run_id), "robot").lock.release()
    assert known_run_id(robot) == run_id
    with pytest.raises(NafRobotError, match=re.escape(f"belongs to run {run_id}, not to {'b' * 16}")):
        prepare(SystemOptions(resume=str(robot), run_id="b" * 16), "robot")
    prepare(SystemOptions(resume=str(trainer)), "train").lock.release()  # robots of this machine from now on
    assert known_run_id(trainer) == run_id


def test_new_lines_of_a_log_are_shown_also_of_one_that_begins_anew(tmp_path: Path, capfd: pytest.CaptureFixture):
    log = tmp_path / "collector.log"
    log.write_text("of the run before, which was longer\n")
    with LogFollower({"left/collector": log}) as follower:
        log.write_text("one\n")
        follower._show()
        with log.open("a") as file:
            file.write("two\nhal")
    with log.open("a") as file:
        file.write("f\n")
    shown = capfd.readouterr().err.splitlines()
    assert shown == ["left/collector: one", "left/collector: two"]
