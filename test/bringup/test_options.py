"""What a user typed, and what a user did not, on the command line and under launch."""

import json
import re
from pathlib import Path

import pytest

from naf_robot.bringup.cli import main
from naf_robot.bringup.options import Option, SystemOptions, boolean, default_at, given_layers, options
from naf_robot.bringup.training import prepare
from naf_robot.core import run_files
from naf_robot.core.errors import ConfigError, NafRobotError, UnknownNameError
from naf_robot.run.config import compose_run, load, resolve
from naf_robot.run.robot import time_out_warning


def said(capsys: pytest.CaptureFixture, *arguments: str) -> str:
    """The one line of a command that fails."""
    code: object
    try:
        code = main(arguments)
    except SystemExit as end:  # of argparse
        code = end.code
    assert code == 2
    text = capsys.readouterr().err
    assert text.startswith("error: ")
    assert text.count("\n") == 1
    return text


def test_what_is_not_typed_overrules_nothing(tmp_path: Path):
    file = tmp_path / "mine.yaml"
    file.write_text(
        "task_name: door_push\nrobots: 3\nseed: 8\nmax_episodes: 9\ntarget_success: 0.5\nrestarts: 2\n"
        "simulation: {real_time_factor: 1.5}\n"
    )
    config = compose_run(given_layers(SystemOptions(config=str(file)))).config
    assert (config.task_name, len(config.robots), config.seed, config.max_episodes) == ("door_push", 3, 8, 9)
    assert (config.target_success, config.restarts, config.simulation.real_time_factor) == (0.5, 2, 1.5)


OTHERS = {"robots": 1, "seed": 8, "max_episodes": 9, "target_success": 0.5, "restarts": 2, "real_time_factor": 1.5}


@pytest.mark.parametrize("each", [each for each in options() if each.name in OTHERS], ids=lambda each: each.name)
def test_an_option_at_its_default_is_one_that_was_typed(tmp_path: Path, each: Option):
    *above, last = each.path.split(".")
    text = f"{last}: {OTHERS[each.name]}"
    for part in reversed(above):
        text = f"{part}: {{{text}}}"
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    found = compose_run(given_layers(SystemOptions(config=str(file), **{each.name: each.default}))).config
    default = compose_run([]).config
    assert found == default


def test_several_files_and_settings_are_all_taken_in_their_order(tmp_path: Path):
    first, second = tmp_path / "1.yaml", tmp_path / "2.yaml"
    first.write_text("seed: 1\nmax_episodes: 11\n")
    second.write_text("seed: 2\n")
    given = SystemOptions(config=[str(first), str(second)], max_episodes=12, settings=["max_episodes=13", "restarts=1"])
    config = compose_run(given_layers(given)).config
    assert (config.seed, config.max_episodes, config.restarts) == (2, 13, 1)


def test_simulated_says_what_moves_the_arms_and_whose_clock_counts():
    real = compose_run(given_layers(SystemOptions(simulated="no"))).config
    assert {robot.backend for robot in real.robots.values()} == {"ros2_control"}
    assert real.simulated_time is False
    assert boolean("On", "x") is boolean("1", "x") is boolean(True, "x") is True
    assert boolean("off", "x") is boolean("0", "x") is False
    with pytest.raises(ConfigError, match="simulated must be true or false, got 'maybe'"):
        given_layers(SystemOptions(simulated="maybe"))


def test_processes_of_a_real_arm_take_its_clock_and_its_controllers_topic(tmp_path: Path):
    topic, run_dir = "forward_velocity_controller/commands", str(tmp_path / "run")
    run = prepare(SystemOptions(run_dir=run_dir, robots="arm", simulated=False, settings=f"output.topic={topic}"))
    run.lock.release()
    specs = {spec.name: spec for spec in run.specs}
    assert "simulator" not in specs
    own = run.config.robot("arm")
    assert (own.command_topic, own.controller) == (topic, "forward_velocity_controller")
    assert run.config.safety_of("arm").velocity_scale == own.safety.velocity_scale
    assert specs["collector"].parameters["use_sim_time"] is False


def test_a_first_run_of_real_arms_is_slow(tmp_path: Path):
    given = SystemOptions(run_dir=str(tmp_path / "run"), robots="arm", simulated="false", first_run=True)
    run = prepare(given)
    run.lock.release()
    own = run.config.robot("arm")
    assert run.config.safety_of("arm").velocity_scale == own.first_run_speed * own.safety.velocity_scale
    with pytest.raises(ConfigError, match="first_run is for real arms"):
        prepare(SystemOptions(run_dir=str(tmp_path / "other"), first_run="true"))


def test_a_simulated_arm_takes_velocities_whatever_its_profile_says_of_the_real_one():
    values = {"output": {"kind": "trajectory", "topic": "/x/joint_trajectory"}, "driver": {"joint_states": "/states"}}
    for backend, topic, states, controller in (
        ("mujoco", "velocity_controller/commands", "joint_states", ""),
        ("ros2_control", "/x/joint_trajectory", "/states", "/x"),
    ):
        own = resolve("reach", overrides=[values | {"backend": backend}]).robot("robot_1")
        assert (own.command_topic, own.joint_states_topic, own.controller) == (topic, states, controller)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "driver.timeout_s is not given: if velocity_control is killed"),
        ({"driver": {"timeout_s": 0.02}}, r"driver.timeout_s 0\.02 s is less than 2 control periods of 0\.05 s"),
        ({"driver": {"timeout_s": 0.3}}, "^$"),
        ({"output": {"kind": "trajectory"}}, "^$"),
    ],
)
def test_what_the_time_out_of_the_drives_means_is_said(values: dict, text: str):
    own = resolve("reach", overrides=[values | {"backend": "ros2_control"}]).robot("robot_1")
    assert re.search(text, time_out_warning(own, 0.05))


@pytest.mark.parametrize("name", ["run #3", "run: second", "my run"])
def test_a_run_folder_of_any_name_is_made_and_resumed(tmp_path: Path, name: str):
    folder = str(tmp_path / name)
    prepare(SystemOptions(run_dir=folder, robots="left")).lock.release()
    assert tuple(load(Path(folder) / run_files.CONFIG).robots) == ("left",)
    prepare(SystemOptions(resume=folder, max_episodes="400")).lock.release()
    with pytest.raises(ConfigError, match="a resumed run stays in its folder"):
        prepare(SystemOptions(resume=folder, run_dir=folder))


def test_a_refused_resume_leaves_the_folder_unlocked_and_as_it_was(tmp_path: Path):
    folder = str(tmp_path / "run")
    prepare(SystemOptions(run_dir=folder, robots="left")).lock.release()
    before = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    for wrong in ({"seed": 3}, {"settings": "trainer.device=gpu"}, {"settings": "trainer.threads=none"}):
        with pytest.raises(NafRobotError):
            prepare(SystemOptions(resume=folder, **wrong))
    assert {path.name: path.read_bytes() for path in Path(folder).iterdir()} == before
    prepare(SystemOptions(resume=folder)).lock.release()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["train", "--max", "3"], "unrecognized arguments: --max 3"),
        (["train", "--max-episodes", "0"], r"Expected `int` >= 1 at max_episodes"),
        (["train", "--max-episodes", "many"], r"Expected `int`, got `str` at max_episodes"),
        (["train", "--seed", "-1"], "Expected `int` >= 0 at seed"),
        (["train", "--restarts", "-1"], "Expected `int` >= 0 at restarts"),
        (["train", "--target-success", "nan"], "target_success"),
        (["train", "--robots", "0"], "robots must be a count from 1 to 1000"),
        (["train", "--robots", "y"], "robot name 'y'"),
        (["train", "--simulated", "maybe"], "simulated must be true or false"),
        (["train", "--set", "trainer.device=[a"], "the value in setting 'trainer.device=.a' is not valid YAML"),
        (["train", "--set", "seed"], "setting 'seed' must have the form key.subkey=value"),
        (["train", "--config", "none.yaml"], "cannot read configuration file .*none.yaml.*: No such file"),
        (
            ["train", "--robot", "none"],
            "unknown robot profile 'none' in config/robots, and no path of a YAML file; valid: arm7",
        ),
        (
            ["evaluate", "--run-dir", "x", "--episodes", "0"],
            "--episodes: must be a whole number of at least 1",
        ),
        (["evaluate", "--run-dir", "x", "--seed", "-1"], "--seed: must be a whole number of at least 0"),
        (["pin", "--run-dir", "x", "--version", "-1"], "--version: must be a whole number of at least 0"),
        (["config", "--run-dir", "x", "--task", "reach"], "--run-dir shows a run as it is; leave out --task"),
        (["config", "--run-dir", "x"], "'x' is not a run folder: it has no config.yaml"),
        (["train", "--run-dir", "~nobody-of-that-name/run"], "begins with a home folder that is not known"),
        (["train", "--config", "~nobody-of-that-name/a.yaml"], "begins with a home folder that is not known"),
        (["evaluate", "--run-dir", "x", "--set", "trainer.threads=2"], "an evaluation does not use trainer.threads"),
        ([], "COMMAND"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str], text: str
):
    monkeypatch.chdir(tmp_path)
    assert re.search(text, said(capsys, *arguments))
    assert list(tmp_path.iterdir()) == []


def test_config_prints_every_value_with_its_origin_and_meaning(capsys: pytest.CaptureFixture, tmp_path: Path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("task:\n  target_size: 0.3\n")
    arguments = ["config", "--task", "reach", "--config", str(mine), "--set", "seed=4"]
    assert main([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    size, seed, theta = (document[key] for key in ("task.target_size", "seed", "collector.exploration.theta"))
    assert (size["value"], size["origin"], size["default"], size["unit"]) == (0.3, f"{mine}:2", "0.2", "m")
    assert (seed["value"], seed["origin"], seed["range"]) == (4, "command line", ">= 0")
    assert (theta["origin"], theta["range"]) == ("default of ExplorationConfig", "> 0, <= 1")
    assert all(entry["meaning"] for entry in document.values())
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert f"task.target_size: 0.3 m  ({mine}:2)" in text
    assert "number, > 0, default 0.2; edge of the cube" in text


def test_config_of_a_run_folder_says_where_its_values_were_given(capsys: pytest.CaptureFixture, tmp_path: Path):
    folder = tmp_path / "run"
    prepare(SystemOptions(run_dir=str(folder), task="door_pull", seed="4")).lock.release()
    prepare(SystemOptions(resume=str(folder), max_episodes="900")).lock.release()
    assert main(["config", "--run-dir", str(folder), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    origins = {key: document[key]["origin"] for key in ("seed", "max_episodes", "algorithm.batch_size", "restarts")}
    assert origins == {
        "seed": "command line",
        "max_episodes": "command line",
        "algorithm.batch_size": "config/tasks/door_pull.yaml:3",
        "restarts": "default of RunConfig",
    }


def test_defaults_of_the_options_are_those_of_the_records():
    assert (default_at("max_episodes"), default_at("simulation.real_time_factor")) == ("400", "0.0")
    assert {each.name: each.default for each in options()}["algorithm"] == "naf"


def test_the_backend_is_chosen_by_name_and_agrees_with_simulated():
    gazebo = compose_run(given_layers(SystemOptions(backend="gazebo"))).config
    assert {robot.backend for robot in gazebo.robots.values()} == {"gazebo"}
    assert gazebo.simulated_time is True
    real = compose_run(given_layers(SystemOptions(backend="ros2_control"))).config
    assert real.simulated_time is False
    both = compose_run(given_layers(SystemOptions(backend="gazebo", simulated="true"))).config
    assert both == gazebo
    with pytest.raises(ConfigError, match="simulated false and backend 'gazebo' contradict one another"):
        given_layers(SystemOptions(backend="gazebo", simulated="false"))
    with pytest.raises(UnknownNameError, match="unknown backend 'dream'; valid: gazebo, mujoco, ros2_control"):
        given_layers(SystemOptions(backend="dream"))
