"""A stored run as it was: every robot's postures, goals and readings at any instant, out of the trainer's store."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from naf_robot.core import run_files
from naf_robot.core.errors import RunFolderError
from naf_robot.core.records import FloatArray, StepBatch
from naf_robot.experience.reader import StoreReader
from naf_robot.run.config import RunConfig
from naf_robot.run.contract import contract_of
from naf_robot.run.goals import REACHED
from naf_robot.sensing.signals import Signals, joint_positions
from naf_robot.view.playback import Span
from naf_robot.view.scene import Scene

GOALS = ("door_frame", *REACHED)  # arrays of an observation that say where the goal is, the first that is there
READINGS = ("door_angle", "handle_angle", "door_orientation")
COLUMNS = ("stamp_s", "episode", "step", "policy_version", "greedy", "success", "closing")


class StoredEpisode(NamedTuple):
    """One episode of a robot: its steps are rows `first` to `end` of the robot's own."""

    robot: str
    number: int
    first: int
    end: int
    greedy: bool
    success: bool
    policy_version: int
    span: Span


@dataclass(frozen=True)
class StoredRobot:
    """All steps of one robot in the order of their stamps: N rows."""

    position: FloatArray  # (N, n) [rad]
    columns: dict[str, NDArray]  # (N,) as named in `COLUMNS`
    goal: NDArray | None  # (N, 3) [m]
    readings: dict[str, NDArray]  # (N, k) by name

    def episodes(self, robot: str) -> list[StoredEpisode]:
        """Its episodes in order."""
        numbers, stamps = self.columns["episode"], self.columns["stamp_s"]
        bounds = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
        found = []
        for first, end in itertools.pairwise(bounds):
            last = end - 1
            greedy, success, version = (self.columns[name][last] for name in ("greedy", "success", "policy_version"))
            span = Span(float(stamps[first]), float(stamps[last]))
            found.append(
                StoredEpisode(robot, int(numbers[last]), first, end, bool(greedy), bool(success), int(version), span)
            )
        return found


def read_robots(run_dir: Path, config: RunConfig) -> dict[str, StoredRobot]:
    """The stored steps of the run in `run_dir`, by robot; robots without a whole batch are left out.

    Raises:
        RunFolderError: there is no store, it has no steps, or the task does not observe joint positions.
        StoreError: the store is damaged or of an older version.
    """
    path = run_dir / run_files.EXPERIENCE
    if not path.is_file():
        raise RunFolderError(f"run folder {str(run_dir)!r} has no {run_files.EXPERIENCE}: nothing to replay")
    batches: dict[str, list[StepBatch]] = {}
    reader = StoreReader(path, contract_of(config, run_dir))
    try:
        for held in reader.after():
            if held.message is not None and held.collector in config.robots:
                batches.setdefault(held.collector, []).append(held.message.batch)
    finally:
        reader.close()
    if not batches:
        raise RunFolderError(f"run folder {str(run_dir)!r} holds no steps: nothing to replay")
    return {name: _joined(batches[name], config, name) for name in config.robots if name in batches}


def _joined(batches: list[StepBatch], config: RunConfig, robot: str) -> StoredRobot:
    arm = config.robot(robot).arm
    names = batches[0].observation.keys()
    columns = {name: np.concatenate([getattr(batch, name) for batch in batches]) for name in COLUMNS}
    order = np.argsort(columns["stamp_s"], kind="stable")
    observed = {name: np.concatenate([batch.observation[name] for batch in batches])[order] for name in names}
    turning = [joint in (arm.continuous or ()) for joint in arm.joints]
    position = joint_positions(observed, turning)
    if position is None:
        raise RunFolderError(
            f"task {config.task_name!r} does not observe joint positions: a stored run of it cannot be drawn"
        )
    position[:, turning] = np.unwrap(position[:, turning], axis=0)  # no whole turns between two steps
    goal = next((observed[name] for name in GOALS if name in observed), None)
    readings = {name: observed[name] for name in READINGS if name in observed}
    return StoredRobot(position, {name: column[order] for name, column in columns.items()}, goal, readings)


class StoredRun:
    """The stored steps of a run, shown in a scene."""

    def __init__(self, robots: dict[str, StoredRobot]) -> None:
        self.robots = robots
        self.episodes = {name: robot.episodes(name) for name, robot in robots.items()}
        self._firsts = {name: [episode.first for episode in own] for name, own in self.episodes.items()}
        self._paths: dict[str, tuple[int, list[FloatArray]]] = {}  # of each robot's tool in the episode shown

    def show(self, scene: Scene, instant_s: float, now_s: float) -> None:
        """Put every robot of `scene` where it was at `instant_s` on its clock; between episodes at its last step."""
        for name, stored in self.robots.items():
            state, stamps = scene.robots[name], stored.columns["stamp_s"]
            row = max(int(np.searchsorted(stamps, instant_s, side="right")) - 1, 0)
            episode = self.episode_of(name, row)
            state.position, state.received_s = self._between(stored, episode, row, instant_s), now_s
            state.goal = None if stored.goal is None else np.asarray(stored.goal[row], dtype=np.float64)
            state.signals = _signals(stored, row)
            state.policy_version = str(episode.policy_version)
            kind, end = "greedy" if episode.greedy else "exploring", "success" if episode.success else "no success"
            step = int(stored.columns["step"][row])
            state.caption = f"episode {episode.number}, {kind}, step {step} of {episode.end - episode.first - 1}: {end}"
            path = self._path(scene, name, episode)[: row - episode.first + 1]
            scene.show_trail(name, [*path, scene.bodies[name].tool_position(state.position)])

    def _path(self, scene: Scene, robot: str, episode: StoredEpisode) -> list[FloatArray]:
        """Where the tool of `robot` was at each step of `episode`, found once."""
        if self._paths.get(robot, (-1, []))[0] != episode.first:
            rows = self.robots[robot].position[episode.first : episode.end]
            self._paths[robot] = (episode.first, [scene.bodies[robot].tool_position(row) for row in rows])
        return self._paths[robot][1]

    def episode_of(self, robot: str, row: int) -> StoredEpisode:
        """The episode that `row` of `robot` belongs to."""
        return self.episodes[robot][int(np.searchsorted(self._firsts[robot], row, side="right")) - 1]

    @staticmethod
    def _between(stored: StoredRobot, episode: StoredEpisode, row: int, instant_s: float) -> FloatArray:
        """The posture at `instant_s`, between `row` and the next one of the same episode."""
        begin = stored.position[row]
        if row + 1 >= episode.end:
            return begin
        stamps = stored.columns["stamp_s"]
        share = (instant_s - stamps[row]) / max(stamps[row + 1] - stamps[row], 1e-9)
        return begin + min(max(share, 0.0), 1.0) * (stored.position[row + 1] - begin)


def _signals(stored: StoredRobot, row: int) -> Signals:
    return {name: np.asarray(values[row], dtype=np.float64).reshape(-1) for name, values in stored.readings.items()}
