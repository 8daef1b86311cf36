"""A policy that corrects the task's scripted policy: what its actions stand for, recorded and rewarded."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from collecting_robot import CONFIG, FULL, MODEL, STEPS, Robot, parameters
from rendering import skip_if_it_cannot_render

from naf_robot.bringup.cli import main
from naf_robot.collecting.bags.rebuild import Rebuild
from naf_robot.core.errors import ConfigError, NafRobotError
from naf_robot.core.records import concatenate
from naf_robot.run.agreement import agreement_of, disagreement
from naf_robot.run.checks_of_run import residual
from naf_robot.run.config import resolve
from naf_robot.run.contract import contract_of
from naf_robot.run.environments import make_environment
from naf_robot.run.filling import check_folders
from naf_robot.run.records import ResidualConfig
from naf_robot.run.robot_parts import policy_actions
from naf_robot.study.demonstrations import scripted_acting
from naf_robot.tasks.scripted.registry import SCRIPTED

SCALE = 0.3
CORRECTED = msgspec.structs.replace(CONFIG, residual=ResidualConfig(SCALE))


def environment(task: str, scale: float):
    return make_environment(resolve(task, overrides=[{"residual": {"scale": scale}}]))


@pytest.mark.parametrize("task", sorted(SCRIPTED))
def test_without_a_correction_the_world_goes_as_with_the_script_alone(task: str):
    skip_if_it_cannot_render(task)
    alone, corrected = environment(task, 0.0), environment(task, SCALE)
    acting = scripted_acting(alone)
    found, info = alone.reset(seed=3)
    act = acting.begin(info)
    same, _ = corrected.reset(seed=3)
    for _ in range(12):
        np.testing.assert_allclose(state_of(found), state_of(same), atol=1e-5)
        found, reward, *_ = alone.step(act(found))
        same, as_much, *_, info = corrected.step(np.zeros(corrected.actions.size))
        assert reward == pytest.approx(as_much, abs=1e-5)  # the script's own action is float32


def state_of(observation) -> np.ndarray:
    """The flat vector of an observation, which may have pictures beside it."""
    return observation["state"] if isinstance(observation, dict) else observation


def test_an_environment_adds_the_scaled_action_and_says_what_was_executed_of_it():
    alone, corrected = environment("reach", 0.0), environment("reach", SCALE)
    acting = scripted_acting(alone)
    found, info = alone.reset(seed=3)
    act = acting.begin(info)
    corrected.reset(seed=3)
    action = np.full(corrected.actions.size, 0.5)
    scripted = act(found).astype(np.float64)
    _, reward, *_, info = alone.step(np.clip(scripted + SCALE * action, -1.0, 1.0))
    _, same_reward, *_, same = corrected.step(action)
    assert same_reward == pytest.approx(reward, abs=1e-6)
    executed = (info["executed_action"] - scripted) / SCALE
    np.testing.assert_allclose(same["executed_action"], executed, atol=1e-5)


def test_a_collector_asks_for_script_and_correction_and_records_the_correction():
    robot = Robot(scale=0.5, config=CORRECTED)
    robot.collector.offer(parameters())
    robot.run_until(lambda: robot.ended)
    (episode, *_), steps = robot.ended, concatenate(robot.batches)
    steps.validate(robot.collector._steps)
    task, script = CORRECTED.make_task(), policy_actions(CORRECTED, MODEL, FULL)
    script.begin(episode.goal)
    for row in range(STEPS):
        script.see({name: array[row] for name, array in steps.observation.items()})
        requested = steps.requested_action[row].astype(np.float64)
        whole = np.clip(script.whole(np.zeros(7)) + SCALE * requested, -1.0, 1.0)
        sent = robot.requests[round(steps.stamp_s[row], 6)]
        np.testing.assert_allclose(sent, whole, atol=1e-6)
        np.testing.assert_allclose(steps.action[row], script.part(0.5 * sent), atol=1e-5)
        there = {"tool_position": steps.observation["tool_position"][row + 1].astype(np.float64)}
        rewarded = task.reward_terms(there, episode.goal, 0.5 * sent, sent)  # of the whole action
        np.testing.assert_allclose(steps.reward_terms[row], rewarded, atol=1e-5)
    assert np.abs(steps.requested_action).max() <= 1.0


def test_steps_with_and_without_a_correction_do_not_mix(tmp_path: Path):
    assert main(["demonstrate", "--task", "reach", "--episodes", "1", "--run-dir", str(tmp_path / "shown")]) == 0
    values = {"trainer": {"filled": {"demonstration": [str(tmp_path / "shown")]}, "sources": {"demonstration": 1.0}}}
    run = resolve("reach", overrides=[values, {"residual": {"scale": SCALE}}])
    with pytest.raises(ConfigError, match=r"residual.scale is none there and 0.3 here"):
        check_folders(contract_of(run), run)
    sides = agreement_of(CONFIG), agreement_of(CORRECTED)
    assert disagreement(*sides) == "residual.scale is 0.3 there and none here"


def test_a_run_keeps_its_scale(tmp_path: Path, capsys: pytest.CaptureFixture):
    short = ["--episodes", "1", "--evaluate-every", "1", "--evaluation-episodes", "2"]
    study = ["study", "--task", "reach", *short, "--set", "residual.scale=0.2", "--output", str(tmp_path / "s")]
    assert main([*study, "--json", str(tmp_path / "rows.json")]) == 0
    (row,) = json.loads((tmp_path / "rows.json").read_text())["seeds"][0]["rows"]
    assert row["success_rate"] == 1.0  # a policy that has learned nothing does not spoil the script
    capsys.readouterr()
    assert main(["study", "--resume", str(tmp_path / "s"), "--set", "residual.scale=0.3"]) == 2
    assert "keeps its --set residual.scale=0.2" in capsys.readouterr().err


def refused(capsys: pytest.CaptureFixture, *words: str) -> str:
    assert main(list(words)) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def test_what_has_no_meaning_with_it_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture):
    setting = ["--task", "reach", "--set", "residual.scale=0.3"]
    assert "a demonstration is the scripted policy itself" in refused(
        capsys, "demonstrate", *setting, "--run-dir", str(tmp_path / "shown")
    )
    assert "Expected `float` <= 1.0" in refused(capsys, "study", "--task", "reach", "--set", "residual.scale=1.5")
    assert list(tmp_path.iterdir()) == []


def test_a_task_without_a_scripted_policy_has_none_to_correct(monkeypatch: pytest.MonkeyPatch):
    assert list(residual(CORRECTED)) == []
    monkeypatch.delitem(SCRIPTED._entries, "reach")
    (problem,) = residual(CORRECTED)
    assert "task 'reach' has none: those that have one are: door_" in problem
    with pytest.raises(NafRobotError, match="scripted policy"):
        policy_actions(CORRECTED, MODEL, FULL)


def test_joint_velocities_alone_do_not_tell_a_correction():
    with pytest.raises(ConfigError, match="read the recorded /experience instead, without --raw"):
        Rebuild(CORRECTED, "robot_1", True, 0.0, lambda *finding: None)
