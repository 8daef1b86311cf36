"""A run's configuration out of package files, a user's files and the command line."""

import json
from pathlib import Path

import pytest

from naf_robot.core import run_files
from naf_robot.core.composition import Layer, assignments_layer, file_layers
from naf_robot.core.errors import ConfigError, NafRobotError, UnknownNameError
from naf_robot.core.resources import find
from naf_robot.run.config import compose_run, compose_saved, load, profile_files, resolve, save, save_composed
from naf_robot.run.robot import check_name, parse_robots


def layers(path: Path, *settings: str) -> list[Layer]:
    return [*file_layers(path, str(path), path.parent), assignments_layer(settings)]


def file(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text)
    return path


def test_a_value_from_a_file_stands_unless_the_user_typed_another(tmp_path: Path):
    path = file(tmp_path, "seed: 7\nmax_episodes: 100\nrobots: left,right\nsimulation: {real_time_factor: 2.0}\n")
    config = compose_run(layers(path)).config
    assert (config.seed, config.max_episodes, tuple(config.robots)) == (7, 100, ("left", "right"))
    assert config.simulation.real_time_factor == 2.0
    assert compose_run(layers(path, "seed=0")).config.seed == 0


def test_the_order_of_the_places_and_where_each_value_came_from(tmp_path: Path):
    path = file(tmp_path, "task_name: door_real\ntrainer:\n  success_fraction: 0.5\n")
    composed = compose_run(layers(path, "collector.exploration.scale=0.2"))
    origins = {
        ".".join(key): composed.composition.origin(key)
        for key in (
            ("task_name",),
            ("trainer", "success_fraction"),
            ("trainer", "updates_per_transition"),
            ("collector", "exploration", "scale"),
            ("robots", "robot_2", "arm", "tool_frame"),
            ("seed",),
        )
    }
    assert origins == {
        "task_name": f"{path}:1",
        "trainer.success_fraction": f"{path}:3",
        "trainer.updates_per_transition": "config/tasks/door_pull.yaml:5",
        "collector.exploration.scale": "command line",
        "robots.robot_2.arm.tool_frame": "config/robots/arm7.yaml:4",
        "seed": None,
    }
    assert composed.config.trainer.success_fraction == 0.5


def test_what_is_at_the_top_level_is_meant_for_every_robot_and_the_later_one_wins(tmp_path: Path):
    text = "robots:\n  left: {safety: {velocity_scale: 0.5}}\n  right:\nsafety: {velocity_scale: 0.8, delay_s: 0.04}\n"
    config = compose_run(layers(file(tmp_path, text))).config
    scales = {name: robot.safety.velocity_scale for name, robot in config.robots.items()}
    assert scales == {"left": 0.5, "right": 0.8}
    assert all(robot.safety.delay_s == 0.04 for robot in config.robots.values())
    config = compose_run(layers(file(tmp_path, text), "safety.velocity_scale=0.1")).config
    assert {robot.safety.velocity_scale for robot in config.robots.values()} == {0.1}
    config = compose_run(layers(file(tmp_path, text), "robots.right.safety.velocity_scale=0.2")).config
    assert config.robot("right").safety.velocity_scale == 0.2


def test_single_robots_can_only_be_spoken_of_where_there_are_some(tmp_path: Path):
    with pytest.raises(UnknownNameError, match="unknown robot 'lft' in command line; valid: robot_1, robot_2"):
        compose_run([assignments_layer(["robots.lft.backend=mujoco"])])
    listed = [Layer("a", {"robots": ["left", "right"]}), Layer("b", {"robots": {"middle": {}}})]
    with pytest.raises(UnknownNameError, match="unknown robot 'middle' in b; valid: left, right"):
        compose_run(listed)
    with pytest.raises(ConfigError, match=r"robots\.left must be a mapping"):
        compose_run(layers(file(tmp_path, "robots: {left: 3}\n")))
    assert tuple(
        compose_run([Layer("a", {"robots": {"left": {}, "right": {}}}), Layer("b", {"robots": 1})]).config.robots
    )


def test_the_doors_have_a_home_and_a_sphere_of_their_own_and_the_same_settings():
    pull, push, real, reach = (resolve(task) for task in ("door_pull", "door_push", "door_real", "reach"))
    assert pull.robots == push.robots
    assert (pull.trainer, pull.collector, pull.algorithm) == (push.trainer, push.collector, push.algorithm)
    arms = [config.robot("robot_1") for config in (pull, real, reach)]
    assert len({robot.arm.home for robot in arms}) == 3
    assert [robot.safety.sphere.radius for robot in arms] == [0.55, 0.55, 0.35]
    assert [robot.safety.sphere.margin for robot in arms] == [0.01, 0.01, 0.03]


def test_an_arm_of_ones_own_is_a_profile_or_a_file_and_its_paths_start_at_its_file(
    my_arm: Path, monkeypatch: pytest.MonkeyPatch
):
    urdf = str(my_arm.parent / "small.urdf")
    assert resolve(overrides=[{"profile": str(my_arm)}]).robot("robot_1").arm.urdf == urdf
    config = compose_run(layers(my_arm)).config
    assert config.robot("robot_2").arm.urdf == urdf
    monkeypatch.chdir(my_arm.parent)
    assert compose_run([assignments_layer(["profile=my_arm.yaml"])]).config.robot("robot_1").arm.urdf == urdf
    mixed = {"robots": {"left": {"profile": "my_arm.yaml"}, "right": {}}}
    config = resolve(overrides=[mixed])
    assert [robot.arm.home[1] for robot in config.robots.values()] == [0.4, 0.3]
    assert [robot.profile for robot in config.robots.values()] == [str(my_arm), "arm7"]
    with pytest.raises(UnknownNameError, match=r"unknown robot profile 'arm9' in .*a YAML file; valid: arm6, arm7, "):
        resolve(overrides=[{"profile": "arm9"}])
    assert {"arm7", "fr3", "ur5e"} < set(profile_files())


def test_another_folder_does_not_change_the_arm(my_arm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save(compose_run(layers(my_arm)).config, tmp_path / "config.yaml")
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "config" / "tasks").mkdir(parents=True)
    (elsewhere / "urdf").mkdir()
    (elsewhere / "small.urdf").write_text("<robot name='other'/>")
    (elsewhere / "urdf" / "arm7.urdf").write_text("<robot name='other'/>")
    (elsewhere / "config" / "tasks" / "reach.yaml").write_text("seed: 99\n")
    monkeypatch.chdir(elsewhere)
    assert load(tmp_path / "config.yaml").robot("robot_1").arm.urdf == str(my_arm.parent / "small.urdf")
    reach = resolve("reach")
    assert reach.seed == 0
    assert find(reach.robot("robot_1").arm.urdf) != elsewhere / "urdf" / "arm7.urdf"
    assert reach.robot("robot_1").arm.model().size == 7


def test_a_new_arm_does_not_get_the_home_and_the_sphere_of_another(my_arm: Path):
    my_arm.write_text(my_arm.read_text().partition("safety")[0])
    with pytest.raises(ConfigError, match=r"safety\.sphere\.centre is still the one of config/robots/arm7\.yaml"):
        compose_run(layers(my_arm))
    my_arm.write_text("arm: {urdf: small.urdf}\n")
    with pytest.raises(ConfigError, match=r"arm\.joints is still the one of config/robots/arm7\.yaml, for another arm"):
        compose_run(layers(my_arm))


def test_robots_of_one_policy_have_equally_many_joints():
    six = {"joints": [f"joint_{index}" for index in range(1, 7)], "home": [0.0] * 6}
    with pytest.raises(ConfigError, match="equally many joints: left has 7, right has 6"):
        resolve(overrides=[{"robots": {"left": {}, "right": {"arm": six}}}])


@pytest.mark.parametrize(
    ("overrides", "path"),
    [
        ({"safety": {"half_spaces": [{"name": "table", "normal": [0, 0, 1], "offset": float("nan")}]}}, "offset"),
        ({"safety": {"delay_s": float("inf")}}, r"delay_s"),
        ({"collector": {"action_velocity": "inf"}}, r"collector\.action_velocity must be a finite number, got inf"),
        ({"algorithm": {"learning_rate": float("inf")}}, r"algorithm\.learning_rate must be a finite number, got inf"),
        ({"task": {"target_centre": [0.5, float("nan"), 0.4]}}, r"task\.target_centre\[1\] must be a finite number"),
        ({"base_pose": [0, 0, float("-inf"), 0, 0, 0]}, r"robots\.robot_1\.base_pose\[2\] must be a finite number"),
        ({"simulator": {"scene": {"x": float("nan")}}}, r"simulator\.scene\.x must be a finite number"),
    ],
)
def test_a_number_that_is_not_finite_is_refused_by_its_path(overrides: dict, path: str):
    with pytest.raises(ConfigError, match=path) as caught:
        resolve("reach", overrides=[overrides])
    assert "finite" in str(caught.value)


@pytest.mark.parametrize("name", ["y", "no", "on", "nan", "null", "a__b", "_a", "Left", "1a", "a b", "a/b", "", "é"])
def test_a_robot_has_no_name_that_some_grammar_reads_as_something_else(name: str):
    for given in ([name], {name: {}}):
        with pytest.raises(ConfigError, match="robot name"):
            resolve(overrides=[{"robots": given}])
    with pytest.raises(ConfigError, match="robot name"):
        check_name(name)


def test_robots_are_a_count_names_or_a_list():
    assert parse_robots("3") == ("robot_1", "robot_2", "robot_3")
    assert parse_robots("left, right") == ("left", "right")
    assert parse_robots(["left"]) == ("left",)
    for wrong in (0, -1, "0", 10**9, True, [], None, 2.5, ["a", "a"]):
        with pytest.raises(ConfigError, match="robots must"):
            parse_robots(wrong)


def test_the_clock_is_a_fact_of_its_own():
    with pytest.raises(ConfigError, match="follows simulated_time of the run"):
        resolve(overrides=[{"velocity_control": {"simulated_time": True}}])
    assert resolve().simulated_time is True
    real = resolve(overrides=[{"backend": "ros2_control"}])
    assert (real.simulated, real.simulated_time) == (False, False)
    gazebo_control = resolve(overrides=[{"backend": "ros2_control", "simulated_time": True}])
    assert (gazebo_control.simulated, gazebo_control.simulated_time) == (False, True)


def test_a_saved_run_is_the_same_and_remembers_where_its_values_were_given(my_arm: Path, tmp_path: Path, monkeypatch):
    composed = compose_run(layers(my_arm, "seed=3"))
    save_composed(composed, tmp_path)
    monkeypatch.chdir(tmp_path)
    for path in (tmp_path / run_files.CONFIG, Path(run_files.CONFIG)):
        again = compose_saved(path)
        assert again.config == composed.config
        assert again.composition.origin(("seed",)) == "command line"
        assert again.composition.origin(("robots", "robot_1", "arm", "home")) == f"{my_arm}:5"
        assert again.composition.origin(("max_episodes",)) is None
    (tmp_path / run_files.ORIGINS).write_text(json.dumps({"no": "list"}))
    assert compose_saved(tmp_path / run_files.CONFIG).config == composed.config


def test_a_run_of_an_older_version_with_one_arm_for_all_is_read(tmp_path: Path):
    config = resolve("reach", overrides=[{"robots": ["a", "b"]}])
    own = config.robot("a")
    path = tmp_path / "config.yaml"
    path.write_text(
        "task_name: reach\nalgorithm_name: naf\nrobots: [a, b]\n"
        "safety: {sphere: {centre: [0.5, 0.0, 0.42], radius: 0.35}}\n"
        f"arm:\n  urdf: urdf/arm7.urdf\n  tool_frame: tool\n  joints: [{', '.join(own.arm.joints)}]\n"
        f"  home: {list(own.arm.home)}\n"
    )
    read = load(path)
    assert tuple(read.robots) == ("a", "b")
    assert read.robot("b").arm == own.arm


def test_a_missing_file_is_named_with_the_value_that_names_it():
    with pytest.raises(NafRobotError, match=r"arm\.urdf: file 'none\.urdf' not found, neither below .* nor below"):
        compose_run([assignments_layer(["arm.urdf=none.urdf"])])


def test_a_success_rate_that_is_asked_for_is_one_over_a_window():
    assert resolve(overrides=[{"target_success": 0.9}]).trainer.evaluation_rule == "window"
    assert resolve(overrides=[{}]).trainer.evaluation_rule == "sequential"
