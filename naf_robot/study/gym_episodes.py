"""Episodes in Gymnasium environments with Box actions: exploring ones and greedy ones."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import gymnasium
import numpy as np
from numpy.typing import NDArray

from naf_robot.core.array_spec import ArraySpec, ObservationSpec
from naf_robot.core.errors import ConfigError, NafRobotError
from naf_robot.core.records import StepSpec
from naf_robot.core.sequential import SuccessTest
from naf_robot.experience.recorder import EpisodeRecorder
from naf_robot.learning.behaviour import BehaviourPolicy
from naf_robot.study.observations import Observations

Report = Callable[[dict[str, Any]], None]
Act = Callable[[Any], NDArray[np.float32]]  # from an environment's observation to an action (A,)
SuccessAt = Literal["end", "any"]  # the last step decides, or one step with success is enough
SUCCESS_KEYS = ("success", "is_success")  # of an environment's `info`, the first that is there
Answer = TypeVar("Answer")


class Acting(Protocol):
    """What acts in greedy episodes: a `Policy`, or a learner of another library."""

    def reset(self) -> None:
        """An episode begins."""
        ...

    @property
    def act(self) -> Callable[..., NDArray[np.float32]]:
        """From a flat observation (D,), and with pictures also None and those by name, to an action (A,)."""
        ...


class EnvironmentFailedError(NafRobotError):
    """An exception inside an environment that is not ours."""


def box_environment(environment: gymnasium.Env) -> gymnasium.Env:
    """`environment` with its Box actions scaled to [-1, 1] from their bounds.

    Raises:
        ConfigError: observation or action space is not a bounded Box as needed.
    """
    Observations(environment.observation_space)
    actions = environment.action_space
    if not isinstance(actions, gymnasium.spaces.Box) or len(actions.shape) != 1:
        raise ConfigError(f"the action space must be a one-dimensional Box, got {actions}")
    if not (np.isfinite(actions.low).all() and np.isfinite(actions.high).all()):
        raise ConfigError(f"the action space must have finite bounds to scale from, got {actions}")
    if (actions.low == -1.0).all() and (actions.high == 1.0).all():
        return environment
    return gymnasium.wrappers.RescaleAction(environment, np.float32(-1.0), np.float32(1.0))


def step_spec(environment: gymnasium.Env) -> StepSpec:
    """What the steps of an `environment` are: a task's own arrays and reward terms, else one vector and one reward."""
    observed, (actions,) = Observations(environment.observation_space), environment.action_space.shape
    task: Any = getattr(environment.unwrapped, "task", None)
    spec: Any = getattr(task, "observation_spec", None)
    own = isinstance(spec, ObservationSpec) and spec.size == observed.size
    if own and _shapes(spec.images) == _shapes(observed.images):
        return StepSpec(spec, actions, tuple(task.reward_names))
    arrays = (ArraySpec("observation", (observed.size,)), *observed.images)
    return StepSpec(ObservationSpec("box", arrays), actions, ("reward",))


def _shapes(images: Sequence[ArraySpec]) -> dict[str, tuple[int, ...]]:
    return {image.name: image.shape for image in images}


def explore(
    environment: gymnasium.Env,
    behaviour: BehaviourPolicy,
    recorder: EpisodeRecorder,
    steps: StepSpec,
    seed: int,
    success_at: SuccessAt = "end",
) -> Iterator[bool]:
    """One exploring episode of `behaviour` into `recorder`, goals drawn from `seed`.

    After each step it yields whether the episode is over.

    Raises:
        EnvironmentFailedError: an exception inside the environment.
    """

    observed = Observations(environment.observation_space)

    def act(observation: Any) -> NDArray[np.float32]:
        return behaviour.act(observed.vector(observation), False, observed.pictures(observation))

    def begin(info: Mapping[str, Any]) -> Act:
        behaviour.reset()
        return act

    return record(environment, begin, recorder, steps, seed, success_at)


def record(
    environment: gymnasium.Env,
    begin: Callable[[Mapping[str, Any]], Act],
    recorder: EpisodeRecorder,
    steps: StepSpec,
    seed: int,
    success_at: SuccessAt = "end",
    start_s: float = 0.0,
    period_s: float = 0.0,
) -> Iterator[bool]:
    """One episode into `recorder`, goals drawn from `seed`, of what `begin` gives for the `info` of its reset.

    After each step it yields whether the episode is over. Observations are stamped `period_s` apart from `start_s` on.

    Raises:
        EnvironmentFailedError: an exception inside the environment.
    """
    spec, observed = steps.observation, Observations(environment.observation_space)
    parts = [(array.name, spec.slice_of(array.name), array.shape) for array in spec.vector_arrays]

    def named(observation: Any) -> dict[str, NDArray]:
        vector = observed.vector(observation)
        arrays: dict[str, NDArray] = {name: vector[part].reshape(shape) for name, part, shape in parts}
        return arrays | observed.pictures(observation)

    observation, info = _ask(environment, "reset", lambda: environment.reset(seed=seed))
    act = begin(info)
    recorder.observe(start_s, named(observation), success=False)
    over, success = False, False
    while not over:
        requested = act(observation)
        observation, reward, terminated, truncated, info = _ask(
            environment,
            "step",
            lambda requested=requested: environment.step(requested),  # type: ignore[misc]
        )
        success = bool(reported_success(info)) or (success and success_at == "any")
        executed = info.get("executed_action", requested)
        recorder.complete(requested, executed, _terms(info, float(reward), steps.reward_names))
        recorder.observe(start_s + period_s * recorder.steps, named(observation), success)
        over = bool(terminated or truncated)
        if over:
            recorder.close(bool(terminated), bool(truncated))
        yield over


class Greedy(NamedTuple):
    """What greedy episodes came to; None where the environment does not say."""

    success_rate: float | None
    mean_return: float
    mean_final_distance: float | None
    episodes: int
    successes: int | None


def evaluate(
    environment: gymnasium.Env,
    policy: Acting,
    episodes: int,
    seed: int,
    report: Report = lambda row: None,
    success_at: SuccessAt = "end",
    test: SuccessTest | None = None,
) -> Greedy:
    """Greedy episodes of `policy`, at most `episodes`; fewer where a `test` that has begun empty is decided before.

    Raises:
        EnvironmentFailedError: an exception inside the environment.
    """
    observed = Observations(environment.observation_space)
    successes: list[bool] = []
    distances: list[float] = []
    returns: list[float] = []
    for episode in range(episodes):
        first = seed if episode == 0 else None
        observation, _ = _ask(environment, "reset", lambda first=first: environment.reset(seed=first))  # type: ignore[misc]
        policy.reset()
        total, over, success, info = 0.0, False, None, {}
        while not over:
            vector, pictures = observed.vector(observation), observed.pictures(observation)
            action = policy.act(vector, None, pictures) if pictures else policy.act(vector)
            observation, reward, terminated, truncated, info = _ask(
                environment,
                "step",
                lambda action=action: environment.step(action),  # type: ignore[misc]
            )
            total, over = total + float(reward), terminated or truncated
            told = reported_success(info)
            success = success if told is None else told or (bool(success) and success_at == "any")
        returns.append(total)
        if success is not None:
            successes.append(success)
        if "distance" in info:
            distances.append(float(info["distance"]))
        report({"episode": episode + 1, "return": total, "success": success})
        if test is not None and success is not None:
            test.add(success)
            if test.passed is not None:
                break
    rate = float(np.mean(successes)) if successes else None
    distance = float(np.mean(distances)) if distances else None
    return Greedy(rate, float(np.mean(returns)), distance, len(returns), sum(successes) if successes else None)


def reported_success(info: Mapping[str, Any]) -> bool | None:
    """What a step's `info` says of success, None if it says nothing."""
    for key in SUCCESS_KEYS:
        if key in info:
            return bool(info[key])
    return None


def _terms(info: Mapping[str, Any], reward: float, names: tuple[str, ...]) -> list[float]:
    terms = info.get("reward_terms")
    if isinstance(terms, Mapping) and terms.keys() == set(names):
        return [float(terms[name]) for name in names]
    return [reward]


def _ask(environment: gymnasium.Env, what: str, call: Callable[[], Answer]) -> Answer:
    """What the environment answers; an exception of its own in one sentence."""
    try:
        return call()
    except NafRobotError:
        raise
    except Exception as error:
        name = environment.spec.id if environment.spec is not None else type(environment.unwrapped).__name__
        raise EnvironmentFailedError(
            f"environment {name!r} failed in {what}: {type(error).__name__}: {error}"
        ) from error
