"""An exported LeRobotDataset, read back by its own library and compared with what that library would have written.

The library is no part of our environment: it wants another torch. In one of its own (docs/export.md):
`PYTHONPATH=. python -m pytest test/run/test_lerobot_library.py`.
"""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from dataset_run import CONTRACT, Stretch, frame_of, make_dataset_run
from PIL import Image

CAMERA = "observation.images.camera"
NAME = "naf_robot/test"
OF_BYTES = (CAMERA, "observation.buttons")


class Exported(NamedTuple):
    """A data set and what it must hold."""

    root: Path
    expected: list[Stretch]

    @property
    def frames(self) -> list[tuple[Stretch, int, int, int]]:
        """Stretch, row of the stored episode, episode and frame of it, of every frame."""
        return [(s, row, e, f) for e, s in enumerate(self.expected) for f, row in enumerate(s.rows)]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The library, which neither asks the network nor leaves files in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("cache")))
        yield pytest.importorskip(
            "lerobot.datasets.lerobot_dataset", reason="needs lerobot, which wants another torch (docs/export.md)"
        )


@pytest.fixture(scope="module")
def exported(library: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Five episodes with pictures, 17 frames."""
    from naf_robot.run.export.lerobot.dataset import export_steps

    folder = tmp_path_factory.mktemp("dataset")
    expected = make_dataset_run(folder / "run")
    export_steps(folder / "run", CONTRACT, folder / "out")
    return Exported(folder / "out", expected)


@pytest.fixture(scope="module")
def rewritten(library: ModuleType, exported: Exported, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The same frames as the library itself writes them, and reads them back."""
    source = library.LeRobotDatasetMetadata(NAME, exported.root)
    root = tmp_path_factory.mktemp("rewritten") / "out"
    features = {name: f for name, f in source.features.items() if name not in library.DEFAULT_FEATURES}
    written = library.LeRobotDataset.create(
        NAME, source.fps, features, root=root, robot_type=source.robot_type, use_videos=False
    )
    for stretch in exported.expected:
        for row in stretch.rows:
            values = {
                name: np.asarray(value, features[name]["dtype"]).reshape(features[name]["shape"])
                for name, value in frame_of(stretch, row).items()
            }
            written.add_frame({**values, CAMERA: picture(stretch, row), "task": source.tasks.index[0]})
        written.save_episode()
    written.finalize()
    return library.LeRobotDataset(NAME, root)


def picture(stretch: Stretch, row: int) -> np.ndarray:
    with Image.open(io.BytesIO(stretch.steps.images["camera"][row])) as image:
        return np.asarray(image)


def test_every_frame_is_read_back(library: ModuleType, exported: Exported):
    read = library.LeRobotDataset(NAME, exported.root)
    assert (len(read), read.num_episodes, read.fps, read.meta.robot_type) == (17, 5, 20, "arm7")
    assert read.meta.info["codebase_version"] == library.CODEBASE_VERSION
    for number, (stretch, row, episode, frame) in enumerate(exported.frames):
        found = read[number]
        for name, value in frame_of(stretch, row).items():
            kind = np.float32 if np.asarray(value).dtype == np.float64 else None  # the library's own rounding
            np.testing.assert_array_equal(found[name].numpy(), np.asarray(value, kind), name)
        assert found[CAMERA].shape == (3, 16, 12)
        np.testing.assert_array_equal(np.rint(found[CAMERA].numpy() * 255).transpose(1, 2, 0), picture(stretch, row))
        assert [int(found[f"{k}index"]) for k in ("episode_", "frame_", "", "task_")] == [episode, frame, number, 0]
        assert float(found["timestamp"]) == np.float32(frame / 20)
        assert found["task"] == "Move the tool to the target and hold it there."


def test_episodes_can_be_chosen_by_what_we_say_of_them(library: ModuleType, exported: Exported):
    known = library.LeRobotDatasetMetadata(NAME, exported.root).episodes
    chosen = [row["episode_index"] for row in known if row["success"]]
    assert chosen == [0]
    read = library.LeRobotDataset(NAME, exported.root, episodes=[2, 4])
    assert [int(read[i]["episode_index"]) for i in range(len(read))] == [2, 2, 2, 4]


def test_it_is_what_the_library_itself_would_have_written(library: ModuleType, exported: Exported, rewritten: Any):
    import pyarrow.parquet as pq

    own = library.LeRobotDataset(NAME, exported.root)
    assert own.meta.info == rewritten.meta.info
    assert own.meta.tasks.equals(rewritten.meta.tasks)
    assert own.hf_dataset.features == rewritten.hf_dataset.features
    files = [root / "data" / "chunk-000" / "file-000.parquet" for root in (exported.root, rewritten.root)]
    mine, theirs = (pq.read_table(file) for file in files)
    assert mine.schema.equals(theirs.select(mine.schema.names).schema)
    described = [json.loads(table.schema.metadata[b"huggingface"])["info"] for table in (mine, theirs)]
    assert described[0] == described[1]
    for name in set(mine.column_names) - {CAMERA}:
        assert mine[name].equals(theirs[name]), name
    mine, theirs = (
        pq.read_table(root / "meta/episodes/chunk-000/file-000.parquet") for root in (own.root, rewritten.root)
    )
    assert set(theirs.column_names) <= set(mine.column_names)
    for name in theirs.column_names:
        assert mine.schema.field(name).type == theirs.schema.field(name).type, name
        if not name.startswith("stats/"):
            assert mine[name].to_pylist() == theirs[name].to_pylist(), name


def test_statistics_are_those_of_the_library(exported: Exported, rewritten: Any):
    """But for std of pictures and other bytes, which it squares as bytes (0.4.4): zero is as good as any there."""
    mine = json.loads((exported.root / "meta" / "stats.json").read_text("utf-8"))
    theirs = json.loads((rewritten.root / "meta" / "stats.json").read_text("utf-8"))
    assert mine.keys() == theirs.keys()
    for name, found in theirs.items():
        assert mine[name].keys() == found.keys()
        low, high = np.array(found["min"], float), np.array(found["max"], float)
        size = np.maximum(np.abs(low), np.abs(high)).max()
        for kind, value in found.items():
            if kind == "std" and name in OF_BYTES:
                continue
            bin_width = (high - low).max() / 5000  # of the histogram that its quantiles come from
            tolerance = 1e-3 * size if kind == "std" else 1e-6 * size + bin_width + 1e-9
            assert np.shape(mine[name][kind]) == np.shape(value)
            np.testing.assert_allclose(mine[name][kind], value, rtol=0, atol=tolerance, err_msg=f"{name} {kind}")


def test_batches_and_windows_of_time_are_loaded(library: ModuleType, exported: Exported):
    import torch

    windows = {"observation.state": [-0.1, -0.05, 0.0], "action": [0.0, 0.05, 0.1], CAMERA: [-0.05, 0.0]}
    read = library.LeRobotDataset(NAME, exported.root, delta_timestamps=windows)
    batch = next(iter(torch.utils.data.DataLoader(read, batch_size=8)))
    assert batch["observation.state"].shape == (8, 3, 20)
    assert batch["action"].shape == (8, 3, 7)
    assert batch[CAMERA].shape == (8, 2, 3, 16, 12)
    stretch = exported.expected[0]
    np.testing.assert_array_equal(batch["action"][1].numpy(), stretch.steps.requested_action[1:4])
    assert batch["action_is_pad"][2].tolist() == [False, False, True]
    assert batch["observation.state_is_pad"][1].tolist() == [True, False, False]
