"""Episodes of a task's scripted policy in the synchronous simulation, stored as those of a run. D, A sizes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from naf_robot.core import run_files
from naf_robot.core.errors import ConfigError, NafRobotError
from naf_robot.core.files import make_run_folder
from naf_robot.core.records import StepBatch
from naf_robot.core.seeding import derived_seed, stream
from naf_robot.experience.codec import ExperienceMessage, encode_experience
from naf_robot.experience.recorder import EpisodeRecorder
from naf_robot.experience.store import ExperienceStore
from naf_robot.learning.exploration import ExplorationConfig, ExplorationSchedule, OrnsteinUhlenbeck
from naf_robot.run.config import ComposedRun, save_composed
from naf_robot.run.contract import contract_of
from naf_robot.run.descriptions import describe_arms, save_descriptions, settled
from naf_robot.run.environments import make_environment
from naf_robot.sim.gym_env import TaskEnv, observation_space
from naf_robot.study.gym_episodes import Act, record, step_spec
from naf_robot.study.observations import Observations
from naf_robot.tasks.scripted.policy import ScriptedArm, ScriptedPolicy
from naf_robot.tasks.scripted.registry import make_scripted
from naf_robot.tasks.task import Task


@dataclass(frozen=True)
class Demonstrated:
    """What the episodes came to."""

    episodes: int  # that were run
    successes: int
    kept: int  # that were stored
    transitions: int  # of them
    mean_return: float  # of all that were run


class ScriptedActing:
    """A scripted policy on flat observations, with correlated noise of stationary deviation `noise` on its action."""

    def __init__(self, script: ScriptedPolicy, task: Task, action_size: int, noise: float, seed: int) -> None:
        spec = task.observation_spec
        self._script, self._observed = script, Observations(observation_space(spec))
        self._parts = [(array.name, spec.slice_of(array.name), array.shape) for array in spec.vector_arrays]
        schedule = ExplorationSchedule(ExplorationConfig(kind="ornstein_uhlenbeck" if noise else "none", scale=noise))
        self._noise = OrnsteinUhlenbeck(schedule, action_size, stream(seed, "demonstration", "noise"))

    def begin(self, info: Mapping[str, Any]) -> Act:
        """What acts in the episode whose goal stands in `info`."""
        self._script.begin(info["goal"])
        self._noise.reset()
        return self.act

    def act(self, observation: Any) -> NDArray[np.float32]:
        """The action (A,) in [-1, 1] for an observation of the task's environment; pictures are not looked at."""
        vector = self._observed.vector(observation)
        named = {name: vector[part].reshape(shape) for name, part, shape in self._parts}
        action = self._script.act(named) + self._noise.sample()
        return np.clip(action, -1.0, 1.0).astype(np.float32)


def scripted_acting(environment: TaskEnv, noise: float = 0.0, seed: int = 0) -> ScriptedActing:
    """The scripted policy of the task of `environment`.

    Raises:
        ConfigError: the task has none.
    """
    script = make_scripted(environment.task, ScriptedArm(environment.model, environment.actions))
    return ScriptedActing(script, environment.task, environment.actions.size, noise, seed)


def demonstrate(
    composed: ComposedRun,
    run_dir: Path,
    episodes: int,
    seed: int,
    noise: float = 0.0,
    keep_all: bool = False,
    report: Callable[[bool], None] = lambda success: None,
) -> Demonstrated:
    """Run `episodes` with goals drawn from `seed`, and store the successful ones, or all, in a new folder `run_dir`.

    The folder is made with the first episode that is kept. `report` hears of each whether it was a success.

    Raises:
        RunFolderError: `run_dir` exists already.
        ConfigError: the task has no scripted policy, or one is to be corrected.
        NafRobotError: no episode was kept; nothing was written.
    """
    if composed.config.residual.scale:
        raise ConfigError("residual.scale is set: a demonstration is the scripted policy itself, without a correction")
    environment = make_environment(composed.config)
    acting = scripted_acting(environment, noise, seed)
    spec, period_s = step_spec(environment), environment.task.control_period_s
    folder: DemonstrationFolder | None = None
    returns: list[float] = []
    successes, start_s = 0, period_s
    try:
        for episode in range(episodes):
            recorder = EpisodeRecorder(spec, episode)
            goals = derived_seed(seed, "demonstration", episode)
            for _ in record(environment, acting.begin, recorder, spec, goals, "end", start_s, period_s):
                pass
            start_s += period_s * (recorder.steps + 1)
            steps = recorder.take()
            assert steps is not None, "an episode has at least one step"
            success = bool(steps.success[-1])
            successes += success
            returns.append(recorder.total_reward)
            if success or keep_all:
                folder = folder or DemonstrationFolder(composed, run_dir)
                folder.keep(steps)
            report(success)
    finally:
        if folder is not None:
            folder.close()
    if folder is None:
        raise NafRobotError(
            f"none of {episodes} episodes of the scripted policy of {composed.config.task_name!r} was a success: "
            "nothing was written; --keep-all keeps the others too"
        )
    return Demonstrated(episodes, successes, folder.kept, folder.transitions, float(np.mean(returns)))


class DemonstrationFolder:
    """A new run folder with configuration, identity and experience; the first robot of the run is its collector.

    Raises:
        RunFolderError: it exists already, or cannot be made.
    """

    def __init__(self, composed: ComposedRun, run_dir: Path) -> None:
        config = composed.config
        described = describe_arms(config)
        folder = make_run_folder(run_dir)
        save_composed(replace(composed, config=settled(config, folder)), folder)
        save_descriptions(described, folder)
        self._robot = next(iter(config.robots))
        self._contract = contract_of(config, folder)
        self._store = ExperienceStore(folder / run_files.EXPERIENCE, self._contract)
        self._steps = 0
        self.kept = 0  # episodes
        self.transitions = 0

    def keep(self, episode: StepBatch) -> None:
        """Store one whole episode durably.

        Raises:
            StoreError: the disk refused.
        """
        message = ExperienceMessage(self._robot, self.kept, self._steps, episode)
        self._store.insert(message, encode_experience(message, self._contract))
        self._steps += len(episode)
        self.kept += 1
        self.transitions += episode.transitions

    def close(self) -> None:
        """Let other processes use the folder."""
        self._store.close()
