"""The study of Fig. 4: the same goals and evaluations for every contestant, and what does not fit in one sentence."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

from naf_robot.bringup.cli import main
from naf_robot.core.errors import ConfigError, UnknownNameError
from naf_robot.study.grid import folder as grid_folder
from naf_robot.study.grid.folder import read_json
from naf_robot.study.grid.worker import Workplace
from naf_robot.study.table4 import contestants, protocol
from naf_robot.study.table4.cell import train_cell
from naf_robot.study.table4.contestants import CONTESTANTS, DEFAULT, LIBRARIES, OURS, chosen
from naf_robot.study.table4.foreign import SeededEpisodes
from naf_robot.study.table4.protocol import Protocol, cells

SUPPORT = Path(__file__).resolve().parents[1] / "support"
SHORT = Protocol(
    episodes=4,
    evaluate_every=2,
    evaluation_episodes=3,
    confirmation_episodes=4,
    settings=("task.episode_steps=15", "trainer.learning_starts=20"),
)
KEYS = {"episodes_to_95", "held_out_success", "env_steps", "evaluation_episodes", "curve", "version"}


def installed(name: str) -> Any:
    """The name as a parameter, skipped where its library is missing."""
    library = LIBRARIES.get(CONTESTANTS[name].library)
    missing = library is not None and find_spec(library.module) is None
    return pytest.param(name, marks=pytest.mark.skipif(missing, reason=f"{library and library.title} is not installed"))


def trained(tmp_path: Path, name: str, by: Protocol = SHORT) -> dict[str, Any]:
    (cell,) = cells(by, ["reach"], {name: CONTESTANTS[name]}, [3])
    return train_cell(cell, Workplace(tmp_path))


@pytest.mark.parametrize("name", [installed(name) for name in ("naf_plain", "sb3_ddpg", "crossq", "tqc", "simba")])
def test_a_contestant_that_has_not_made_it_has_a_row_that_says_so(tmp_path: Path, name: str):
    row = trained(tmp_path, name)
    assert row.keys() >= KEYS
    assert (row["episodes_to_95"], row["env_steps"], row["trained_episodes"]) == (None, None, 4)
    assert row["trained_env_steps"] == 4 * 15
    assert [point["episodes"] for point in row["curve"]] == [2, 4]
    assert 0.0 <= row["held_out_success"] < 0.95


@pytest.mark.parametrize("name", [installed(name) for name in ("naf", "sb3_sac")])
def test_one_that_is_good_ends_at_its_confirmed_evaluation(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("naf_robot.tasks.reach.Reach.success", lambda *_: True)
    row = trained(
        tmp_path,
        name,
        Protocol(**{f: getattr(SHORT, f) for f in SHORT.__struct_fields__} | {"evaluation_episodes": 20}),
    )
    assert (row["episodes_to_95"], row["env_steps"], row["held_out_success"]) == (2, 30, 1.0)
    assert (row["evaluation_episodes"], row["trained_episodes"]) == (17 + 4, 2)
    assert row["robot_minutes"] == round(30 * 0.05 / 60.0, 2)


def test_every_contestant_learns_what_its_settings_say():
    assert set(DEFAULT) <= set(CONTESTANTS)
    ours = {name: each for name, each in CONTESTANTS.items() if each.library == OURS}
    made = {cell.labels["algorithm"]: cell.settings for cell in cells(SHORT, ["door_push"], ours, [0])}
    assert {each["study"]["algorithm"] for each in made.values()} == {"naf", "linear_naf", "ddpg", "sac"}
    plain = made["naf, plain form"]["study"]
    assert plain["algorithm_settings"]["variant"] == "plain"
    assert plain["algorithm_settings"]["time_limit_is_terminal"] is True
    assert plain["options"]["updates_per_transition"] == 1.0
    assert made["naf"]["study"]["options"]["updates_per_transition"] == 3.0
    names = [cell.name for cell in cells(SHORT, ["reach"], CONTESTANTS, [0, 1])]
    assert len(set(names)) == 2 * len(CONTESTANTS)


class Counting(gymnasium.Env):
    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)

    def __init__(self) -> None:
        self.seeds: list[int | None] = []

    def reset(self, *, seed: int | None = None, options: Any = None):
        self.seeds.append(seed)
        return np.zeros(2, np.float32), {}

    def step(self, action):
        return np.zeros(2, np.float32), 2.0, True, False, {}


def test_another_library_has_the_goals_of_our_own_study_and_its_scale_of_the_reward():
    inner = Counting()
    environment = SeededEpisodes(inner, 3, 0.1)
    for asked in (None, 77, None):
        environment.reset(seed=asked)
        assert environment.step(np.zeros(1))[1] == pytest.approx(0.2)
    first = inner.seeds[0]
    assert inner.seeds == [first, first + 1, first + 2]
    from naf_robot.core.seeding import derived_seed

    assert first == derived_seed(3, "reset") + 1  # as `Study.train` has it


def test_who_does_not_exist_or_is_not_installed_is_said_at_once(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(UnknownNameError, match="unknown contestant 'td7'; valid: crossq, "):
        chosen(["naf", "td7"])
    monkeypatch.setattr(contestants, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"'sb3_sac' needs Stable-Baselines3, .* pip install 'naf_robot\[compare\]'"):
        chosen(["sb3_sac"])
    assert list(chosen(["naf", "sac"])) == ["naf", "sac"]


class Discrete(Counting):
    action_space = gymnasium.spaces.Discrete(3)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--tasks", "reech"], "unknown task 'reech'"),
        (["--tasks", "naf_robot_test/Discrete-v0"], "the action space must be a one-dimensional Box, got Discrete"),
        (["--tasks", "reach", "--set", "trainer.devise=cpu"], "does not use trainer.devise"),
        (["--tasks", "reach", "reach"], "must be named once each"),
        (["--tasks", "reach", "--episodes", "0"], "must be a whole number of at least 1"),
    ],
)
def test_what_cannot_be_compared_is_one_sentence_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture, arguments: list[str], text: str
):
    if "naf_robot_test/Discrete-v0" not in gymnasium.registry:
        gymnasium.register("naf_robot_test/Discrete-v0", Discrete)
    code: int | str | None
    try:
        code = main(["study", "table4", "--output", str(tmp_path / "s"), "--contestants", "naf", *arguments])
    except SystemExit as ended:
        code = ended.code
    said = capsys.readouterr().err
    assert (code, said.count("\n")) == (2, 1)
    assert text in said
    assert not (tmp_path / "s").exists()


def test_the_command_leaves_all_rows_and_goes_on_with_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(grid_folder, "source_commit", lambda: "abc")  # whoever works on the checkout meanwhile
    monkeypatch.setattr(protocol, "TRAINED_BY", "counting_cells")  # the trainings themselves are tested above
    paths = [str(SUPPORT), str(SUPPORT.parents[1]), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    folder, file = tmp_path / "study", tmp_path / "table4.json"
    arguments = ["study", "table4", "--output", str(folder), "--tasks", "reach", "--contestants", "naf"]
    arguments += ["--episodes", "2", "--set", "task.episode_steps=15", "--json", str(file)]
    assert main([*arguments, "--seeds", "0"]) == 0
    first = read_json(file)["rows"]
    assert main([*arguments, "--seeds", "0", "1", "--workers", "2"]) == 0
    document = read_json(file)
    assert document["rows"][:1] == first
    assert [(row["task"], row["library"], row["seed"]) for row in document["rows"]] == [
        ("reach", "naf_robot", 0),
        ("reach", "naf_robot", 1),
    ]
    assert document["paper"]["reach"]["episodes_to_100_percent"]["NAF"] == 3600
