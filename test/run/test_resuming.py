"""What may be changed of a run that is resumed."""

from pathlib import Path

import pytest

from naf_robot.core import run_files
from naf_robot.core.composition import COMMAND_LINE, Layer
from naf_robot.core.errors import ConfigError
from naf_robot.run.config import compose_run, save_composed
from naf_robot.run.resuming import compose_resumed
from naf_robot.run.run_config import RunConfig


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    save_composed(compose_run([Layer(COMMAND_LINE, {"max_episodes": 100, "seed": 5})]), tmp_path)
    return tmp_path


def resumed(run_dir: Path, **values: object) -> RunConfig:
    return compose_resumed(run_dir, [Layer(COMMAND_LINE, values)]).config


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"max_episodes": 400}, ("max_episodes",)),  # its default: what is typed counts
        ({"target_success": 0.5}, ("target_success",)),
        ({"restarts": 3}, ("restarts",)),
        ({"simulation": {"real_time_factor": 0.0}}, ("simulation", "real_time_factor")),
        ({"trainer": {"checkpoint_period_s": 5.0}}, ("trainer", "checkpoint_period_s")),
        ({"collector": {"max_policy_age_s": 5.0}}, ("collector", "max_policy_age_s")),
    ],
)
def test_what_may_change_counts_even_where_it_is_the_default(run_dir: Path, values: dict, path: tuple[str, ...]):
    found: object = resumed(run_dir, **values)
    wanted: object = values
    for part in path:
        found, wanted = getattr(found, part), wanted[part]
    assert found == wanted


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"task_name": "door_push"}, "task_name is 'reach' in the run, 'door_push' was asked for"),
        ({"algorithm_name": "sac"}, "algorithm_name is 'naf' in the run, 'sac' was asked for"),
        ({"seed": 0}, "seed is 5 in the run, 0 was asked for"),
        ({"robots": 3}, r"robots is \['robot_1', 'robot_2'\] in the run, .*'robot_3'.* was asked for"),
        ({"arm": {"tool_frame": "link_7"}}, r"robots\.robot_1\.arm\.tool_frame is 'tool' in the run, 'link_7'"),
        ({"task": {"target_size": 0.3}}, r"task\.target_size is 0\.2 in the run, 0\.3 was asked for"),
        ({"simulator": {"physics_step_s": 0.0025}}, r"simulator\.physics_step_s is 0\.005 in the run"),
    ],
)
def test_what_may_not_is_refused_with_both_values_and_only_where_it_differs(run_dir: Path, values: dict, text: str):
    before = (run_dir / run_files.CONFIG).read_bytes()
    with pytest.raises(ConfigError, match=text) as caught:
        resumed(run_dir, **values)
    assert "\n" not in str(caught.value)
    assert (run_dir / run_files.CONFIG).read_bytes() == before
    same = {"task_name": "reach", "algorithm_name": "naf", "seed": 5, "robots": "2", "profile": "arm7"}
    assert resumed(run_dir, **same).seed == 5


def test_limits_may_be_narrowed_for_every_robot_or_one(run_dir: Path):
    config = resumed(run_dir, safety={"velocity_scale": 0.5}, robots={"robot_2": {"safety": {"velocity_scale": 0.2}}})
    assert [robot.safety.velocity_scale for robot in config.robots.values()] == [0.5, 0.2]
