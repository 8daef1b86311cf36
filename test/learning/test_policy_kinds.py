"""What holds for every kind of policy of the registry, one from outside the package included."""

import subprocess
import sys

import numpy as np
import pytest
from page_code import module_from_page
from policies import seeing, untrained

from naf_robot.core.errors import NafRobotError, UnknownNameError
from naf_robot.learning.behaviour import BehaviourPolicy
from naf_robot.learning.exploration import ExplorationConfig, ExplorationSchedule
from naf_robot.learning.policies.linear_gaussian import LinearGaussianPolicy
from naf_robot.learning.policies.registry import (
    POLICY_KINDS,
    PolicyEntry,
    make_policy,
    policy_type,
    register_policy_kind,
)

module_from_page("add_a_policy_kind.md", "my_package.torch_linear")
D, A, T = 5, 3, 4


def arrays_of(kind: str, seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    if kind == "mlp":
        return untrained(D, A, seed).arrays()
    if kind == "linear_gaussian":
        covariance = [np.diag([0.01, 0.02, 0.03]) + 0.001 * t for t in range(T)]
        return LinearGaussianPolicy.from_covariance(
            0.1 * random.normal(size=(T, A, D)), 0.1 * random.normal(size=(T, A)), covariance
        ).arrays()
    if kind == "vision":
        return seeing(D, A, seed).arrays()
    return {"w": (0.1 * random.normal(size=(D, A))).astype(np.float32)}


every_kind = pytest.mark.parametrize("kind", sorted(POLICY_KINDS))


def episode(policy, exploration=None, steps=T + 2) -> np.ndarray:
    random = np.random.default_rng(7)
    policy.reset()
    if exploration is not None:
        exploration.reset()
    return np.array([policy.act(random.normal(size=D), exploration, *seen(policy, random)) for _ in range(steps)])


def seen(policy, random) -> list[dict[str, np.ndarray]]:
    """Random pictures for a policy that takes some."""
    shapes = getattr(policy, "pictures", {})
    return [{name: random.integers(0, 256, shape).astype(np.uint8) for name, shape in shapes.items()}] if shapes else []


def test_the_foreign_kind_is_among_them():
    assert {"mlp", "linear_gaussian", "torch_linear"} <= set(POLICY_KINDS)


@every_kind
def test_arrays_round_trip_are_copied_and_give_the_same_actions(kind):
    arrays = arrays_of(kind)
    policy = make_policy(kind, arrays)
    assert (policy.kind, policy.observation_size, policy.action_size) == (kind, D, A)
    again = make_policy(kind, policy.arrays())
    before = episode(policy)
    np.testing.assert_array_equal(before, episode(again))
    for array in (*arrays.values(), *policy.arrays().values()):
        assert array.dtype == np.float32
        array[:] = 0.0
    np.testing.assert_array_equal(before, episode(policy))


@every_kind
def test_actions_are_float32_vectors_in_the_box_and_greedy_without_exploration(kind):
    policy = make_policy(kind, arrays_of(kind))
    greedy = episode(policy)
    assert greedy.shape == (T + 2, A)
    assert np.abs(greedy).max() <= 1.0
    policy.reset()
    random = np.random.default_rng(7)
    x, pictures = random.normal(size=D), seen(policy, random)
    first = policy.action(x, *pictures)
    assert first.dtype == policy.act(x, None, *pictures).dtype == np.float32
    np.testing.assert_array_equal(first, greedy[0])


@every_kind
def test_exploring_departs_from_greedy_repeats_with_the_seed_and_stays_in_the_box(kind):
    schedule = ExplorationSchedule(ExplorationConfig(scale=2.0))
    policy = make_policy(kind, arrays_of(kind))
    first, second, other = (
        episode(policy, policy.exploration(schedule, np.random.default_rng(seed))) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
    assert not np.array_equal(first, episode(policy))
    assert np.abs(first).max() <= 1.0


@every_kind
def test_exploration_of_kind_none_is_greedy(kind):
    policy = make_policy(kind, arrays_of(kind))
    silent = policy.exploration(ExplorationSchedule(ExplorationConfig(kind="none")), np.random.default_rng(0))
    assert silent.next_scale == 0.0
    np.testing.assert_array_equal(episode(policy, silent), episode(policy))


@every_kind
@pytest.mark.parametrize(
    ("observation", "message"), [([0.0] * (D - 1), "takes an observation of shape"), ([np.nan] * D, "is not finite")]
)
def test_wrong_observations_are_refused(kind, observation, message):
    policy = make_policy(kind, arrays_of(kind))
    for method in (policy.action, policy.act):
        with pytest.raises(NafRobotError, match=message):
            method(observation)


@every_kind
@pytest.mark.parametrize("damage", ["missing", "stray", "misshapen", "not finite", "none"])
def test_wrong_arrays_are_refused(kind, damage):
    arrays = arrays_of(kind)
    name = sorted(arrays)[-1]
    if damage == "missing":
        del arrays[name]
    elif damage == "stray":
        arrays["stray"] = np.zeros(1, np.float32)
    elif damage == "misshapen":
        arrays[name] = arrays[name].ravel()
    elif damage == "not finite":
        arrays[name].flat[0] = np.inf
    else:
        arrays = {}
    with pytest.raises(NafRobotError, match=r"polic"):
        make_policy(kind, arrays)


def test_unknown_and_taken_kinds_and_missing_requirements_are_told():
    with pytest.raises(UnknownNameError, match="unknown policy kind 'os:system'; valid: linear_gaussian, mlp"):
        make_policy("os:system", {})
    with pytest.raises(NafRobotError, match="there is a policy kind 'mlp' already"):
        register_policy_kind("mlp", PolicyEntry("a:b"))


def test_a_kind_whose_requirement_is_missing_is_refused_by_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(POLICY_KINDS, "far", PolicyEntry("my_package.far:Far", ("numpy", "no_such_module")))
    with pytest.raises(NafRobotError, match="'far' needs no_such_module, not installed on this machine"):
        policy_type("far")


def test_acting_with_the_numpy_kinds_loads_no_torch():
    program = (
        "import sys, numpy as np\n"
        "import naf_robot.learning.behaviour, naf_robot.learning.registry, naf_robot.learning.algorithm\n"
        "from naf_robot.learning.policies.registry import POLICY_KINDS, policy_type\n"
        "naf_robot.learning.registry.algorithm_config_type('naf')()\n"
        "[policy_type(kind) for kind in POLICY_KINDS]\n"
        "sys.exit(1 if 'torch' in sys.modules else 0)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_an_installed_package_can_bring_a_kind_and_an_algorithm(tmp_path):
    info = tmp_path / "stranger-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stranger\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[naf_robot.plugins]\nstranger = stranger\n")
    (tmp_path / "stranger.py").write_text(
        "from naf_robot.learning.naf.config import NafConfig\n"
        "from naf_robot.learning.policies.registry import PolicyEntry, register_policy_kind\n"
        "from naf_robot.learning.registry import AlgorithmEntry, register_algorithm\n"
        "register_policy_kind('strange', PolicyEntry('naf_robot.learning.policies.mlp:MlpPolicy'))\n"
        "register_algorithm('strange', AlgorithmEntry(NafConfig))\n"
    )
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from naf_robot.learning.policies.registry import policy_type\n"
        "from naf_robot.learning.registry import algorithm_config_type\n"
        "print(policy_type('strange').__name__, algorithm_config_type('strange').__name__)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.stdout.split() == ["MlpPolicy", "NafConfig"], run.stderr
    (tmp_path / "stranger.py").write_text("import no_such_module\n")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "plugin 'stranger' (NAF_ROBOT_PLUGINS or entry points 'naf_robot.plugins') cannot be imported" in run.stderr


def test_behaviour_keeps_its_random_stream_through_policies():
    config, x = ExplorationConfig(scale=0.3), np.ones(D)
    behaviour, alone = BehaviourPolicy(config, np.random.default_rng(5)), np.random.default_rng(5)
    noise = untrained(D, A).exploration(ExplorationSchedule(config), alone)
    assert behaviour.next_scale == 0.3
    for seed in range(3):
        policy = untrained(D, A, seed)
        behaviour.load("mlp", policy.arrays())
        behaviour.reset()
        noise.reset()
        for _ in range(4):
            expected = np.clip(policy.action(x) + noise.sample(), -1.0, 1.0)
            np.testing.assert_array_equal(behaviour.act(x, greedy=False), expected)
            np.testing.assert_array_equal(behaviour.act(x, greedy=True), policy.action(x))


def test_behaviour_changes_its_exploration_with_the_kind_and_keeps_the_last_good_policy():
    behaviour, x = BehaviourPolicy(ExplorationConfig(scale=0.3), np.random.default_rng(5)), np.ones(D)
    behaviour.load("linear_gaussian", arrays_of("linear_gaussian"))
    assert behaviour.next_scale == 1.0
    behaviour.reset()
    before = behaviour.act(x, greedy=True)
    for kind in ("mlp", "unknown"):
        with pytest.raises(NafRobotError):
            behaviour.load(kind, {})
    behaviour.reset()
    np.testing.assert_array_equal(behaviour.act(x, greedy=True), before)
    behaviour.load("mlp", arrays_of("mlp"))
    assert behaviour.next_scale == 0.3
