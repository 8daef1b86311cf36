"""Every whole episode of a store as one LeRobotDataset."""

import json
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from naf_robot.core import run_files
from naf_robot.core.errors import RunFolderError
from naf_robot.core.frames import Frames
from naf_robot.experience.contract import Contract
from naf_robot.experience.reader import StoreReader
from naf_robot.run.config import RunConfig, load
from naf_robot.run.export.columns import METADATA, metadata_of
from naf_robot.run.export.episodes import Episode, WholeEpisodes
from naf_robot.run.export.lerobot import statistics
from naf_robot.run.export.lerobot.episode_rows import EpisodeRows
from naf_robot.run.export.lerobot.features import ActionChoice, Feature, features_of, schema_of, values_of
from naf_robot.run.export.lerobot.files import CHUNK_FILES, FILE_MIB, PATTERN, SplitFiles

VERSION = "v3.0"  # of the format
SUFFIXES = {"png": ".png", "jpeg": ".jpg"}
EPISODES = "meta/episodes"
VIDEO_MIB = 200  # of a file of videos; there are none, but readers expect the number


class About(NamedTuple):
    """What the steps themselves do not say."""

    instruction: str  # what the robot is to do, one sentence
    robot_type: str  # profiles of the robots
    fps: float  # control ticks per second
    action_names: tuple[str, ...]  # (A,)


def about(config: RunConfig) -> About:
    """What `config` says of the data set."""
    task = config.make_task()
    fps = 1.0 / task.control_period_s
    profiles = dict.fromkeys(Path(robot.profile).stem for robot in config.robots.values())
    joints = next(iter(config.robots.values())).arm.joints
    return About(
        task.instruction or task.name,
        "+".join(profiles),
        round(fps) if abs(fps - round(fps)) < 1e-6 else fps,
        task.action_spec.names(joints),
    )


def export_steps(run_dir: Path, contract: Contract, output: Path, action: ActionChoice = "requested") -> str:
    """Write the whole episodes that `run_dir` holds to the new folder `output`; a sentence that says how many.

    Memory does not grow with the store. If anything fails no folder is left.

    Raises:
        StoreError: there is no store, or a damaged batch.
        RunFolderError: no whole episode is in it.
        OSError: a file cannot be written.
    """
    known = about(load(run_dir / run_files.CONFIG))
    with (
        closing(StoreReader(run_dir / run_files.EXPERIENCE, contract)) as reader,
        tempfile.TemporaryDirectory(prefix=f".{output.name}.partial-", dir=output.parent) as aside,
    ):
        episodes = WholeEpisodes(reader)
        root = Path(aside) / output.name
        root.mkdir()
        with closing(DatasetWriter(root, contract, known, action)) as writer:
            for episode in episodes:
                writer.add(episode)
        if not writer.episodes:
            raise RunFolderError(f"{str(run_dir)!r} holds no whole episode to export")
        writer.finish()
        root.rename(output)
    rest = f"; {episodes.left_out} episodes that are not whole are left out" if episodes.left_out else ""
    return f"{output}: {writer.frames} frames in {writer.episodes} episodes{rest}"


class DatasetWriter:
    """Writes a data set to the empty folder `root`, episode by episode.

    An episode with steps without an action becomes several: the frames of one stand 1 / fps apart.
    """

    def __init__(self, root: Path, contract: Contract, known: About, action: ActionChoice) -> None:
        self._root, self._contract, self._known, self._action = root, contract, known, action
        self._features = features_of(contract.steps, known.action_names, action)
        self._schema = schema_of(self._features)
        self._data = SplitFiles(root / "data", self._schema)
        self._rows = EpisodeRows(root / EPISODES, self._features)
        self._statistics: Mapping[str, statistics.Statistics] | None = None
        self.episodes = self.frames = 0

    def add(self, episode: Episode) -> None:
        """Write the frames of `episode`."""
        for stretch in episode.stretches():
            self._add(episode, stretch)

    def _add(self, episode: Episode, stretch: slice) -> None:
        columns, found = [], {}
        values = values_of(
            episode.steps, stretch, self._contract.steps, self._action, self._known.fps, self.episodes, self.frames
        )
        for feature, own in zip(self._features, values, strict=True):
            columns.append(feature.column(own, SUFFIXES[self._contract.frame_format]))
            found[feature.name] = _statistics(feature, own)
        table = pa.Table.from_arrays(columns, schema=self._schema)
        chunk, file = self._data.place_for(table.nbytes)
        self._data.write(table)
        row = {
            "episode_index": self.episodes,
            "tasks": [self._known.instruction],
            "length": table.num_rows,
            "data/chunk_index": chunk,
            "data/file_index": file,
            "dataset_from_index": self.frames,
            "dataset_to_index": self.frames + table.num_rows,
            "collector": episode.collector,
            "collector_episode": episode.number,
            "collector_step": int(episode.steps.step[stretch.start]),
            "success": bool(episode.steps.success[stretch.stop]),
        }
        self._rows.add(row, found)
        self._statistics = found if self._statistics is None else statistics.joined(self._statistics, found)
        self.episodes += 1
        self.frames += table.num_rows

    def finish(self) -> None:
        """Write what is known of the whole, once the last episode is there."""
        self.close()
        assert self._statistics is not None
        found = {name: {k: v.tolist() for k, v in own.items()} for name, own in self._statistics.items()}
        meta = self._root / "meta"
        _write(meta / "info.json", self._info())
        _write(meta / "stats.json", found)
        _write(meta / "naf_robot.json", json.loads(metadata_of(self._contract)[METADATA]) | {"action": self._action})
        pq.write_table(_tasks(self._known.instruction), meta / "tasks.parquet")

    def close(self) -> None:
        """Close the files that are open."""
        self._data.close()
        self._rows.close()

    def _info(self) -> dict[str, Any]:
        return {
            "codebase_version": VERSION,
            "robot_type": self._known.robot_type,
            "total_episodes": self.episodes,
            "total_frames": self.frames,
            "total_tasks": 1,
            "chunks_size": CHUNK_FILES,
            "data_files_size_in_mb": FILE_MIB,
            "video_files_size_in_mb": VIDEO_MIB,
            "fps": self._known.fps,
            "splits": {"train": f"0:{self.episodes}"},
            "data_path": f"data/{PATTERN}",
            "video_path": None,
            "features": {feature.name: feature.info for feature in self._features},
        }


def _statistics(feature: Feature, values: Any) -> statistics.Statistics:
    if isinstance(values, Frames):
        assert feature.picture is not None
        return statistics.of_pictures(values, feature.picture)
    return statistics.of_values(values)


def _tasks(instruction: str) -> pa.Table:
    """The table of tasks, whose first column pandas reads as the index."""
    index = "__index_level_0__"
    columns = [
        {"name": None, "field_name": index, "pandas_type": "unicode", "numpy_type": "object", "metadata": None},
        {
            "name": "task_index",
            "field_name": "task_index",
            "pandas_type": "int64",
            "numpy_type": "int64",
            "metadata": None,
        },
    ]
    pandas = {"index_columns": [index], "column_indexes": [], "columns": columns, "pandas_version": "2.0.0"}
    table = pa.table({"task_index": pa.array([0], pa.int64()), index: pa.array([instruction], pa.string())})
    return table.replace_schema_metadata({"pandas": json.dumps(pandas)})


def _write(path: Path, document: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(document, indent=4, ensure_ascii=False), "utf-8")
