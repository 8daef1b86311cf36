"""The table of episodes: a row for each with its length, where its frames are, where it comes from, its statistics."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from naf_robot.run.export.lerobot.features import Feature
from naf_robot.run.export.lerobot.files import SplitFiles
from naf_robot.run.export.lerobot.statistics import QUANTILES, Statistics

ROWS_AT_ONCE = 100  # in memory before they are written as one row group
OWN = {
    "episode_index": pa.int64(),
    "tasks": pa.list_(pa.string()),
    "length": pa.int64(),
    "data/chunk_index": pa.int64(),
    "data/file_index": pa.int64(),
    "dataset_from_index": pa.int64(),
    "dataset_to_index": pa.int64(),
    "collector": pa.string(),
    "collector_episode": pa.int64(),
    "collector_step": pa.int64(),
    "success": pa.bool_(),
}
PLACE = ("meta/episodes/chunk_index", "meta/episodes/file_index")


class EpisodeRows:
    """Writes the rows below `folder` in the order in which they come."""

    def __init__(self, folder: Path, features: Sequence[Feature]) -> None:
        kinds = {
            f"stats/{feature.name}/{kind}": _type(feature, kind)
            for feature in features
            for kind in ("min", "max", "mean", "std", "count", *QUANTILES)
        }
        self._schema = pa.schema([*OWN.items(), *kinds.items(), *((name, pa.int64()) for name in PLACE)])
        self._files = SplitFiles(folder, self._schema)
        self._waiting: list[dict[str, Any]] = []

    def add(self, row: Mapping[str, Any], found: Mapping[str, Statistics]) -> None:
        """Take the row of one episode, and the statistics of its features by name."""
        flat = {f"stats/{name}/{kind}": v.tolist() for name, own in found.items() for kind, v in own.items()}
        self._waiting.append({**row, **flat, **dict.fromkeys(PLACE, 0)})
        if len(self._waiting) >= ROWS_AT_ONCE:
            self._flush()

    def close(self) -> None:
        """Write what waits, and close the file."""
        self._flush()
        self._files.close()

    def _flush(self) -> None:
        if not self._waiting:
            return
        size = pa.Table.from_pylist(self._waiting, self._schema).nbytes
        place = dict(zip(PLACE, self._files.place_for(size), strict=True))
        self._files.write(pa.Table.from_pylist([row | place for row in self._waiting], self._schema))
        self._waiting = []


def _type(feature: Feature, kind: str) -> pa.DataType:
    if kind == "count":
        return pa.list_(pa.int64())
    if feature.picture is not None:
        return pa.list_(pa.list_(pa.list_(pa.float64())))
    whole = kind in ("min", "max") and np.dtype(feature.dtype).kind in "biu"
    if not whole:
        return pa.list_(pa.float64())
    return pa.list_(pa.bool_() if feature.dtype == "bool" else pa.int64())
