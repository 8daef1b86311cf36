"""The files of an exported LeRobotDataset against the rules of the format, without its library."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from dataset_run import CONTRACT, Stretch, frame_of, make_dataset_run

from naf_robot.core.array_spec import ArraySpec, ObservationSpec
from naf_robot.core.errors import StoreError
from naf_robot.core.frames import Frames
from naf_robot.core.images import decode_image, encode_image
from naf_robot.run.config import resolve
from naf_robot.run.contract import contract_of
from naf_robot.run.export.columns import METADATA
from naf_robot.tasks.registry import TASKS

pytest.importorskip("pyarrow", reason="needs pyarrow (pip install '.[export]')")
import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
from tqdm import tqdm

from naf_robot.run.export import episodes
from naf_robot.run.export.lerobot import dataset, episode_rows, files, statistics
from naf_robot.run.export.lerobot.features import vectors_of

ARROW = {"float32": pa.float32(), "float64": pa.float64(), "int64": pa.int64(), "bool": pa.bool_(), "uint8": pa.uint8()}
KINDS = {"min", "max", "mean", "std", "count", "q01", "q10", "q50", "q90", "q99"}
INDICES = {"timestamp", "frame_index", "episode_index", "index", "task_index"}


class Exported(NamedTuple):
    """A data set as plain tables, and what it must hold."""

    root: Path
    info: dict
    frames: list[dict]
    episodes: list[dict]
    expected: list[Stretch]

    @property
    def numbered(self):
        """(stretch, row of the stored episode, episode, frame of it) of every frame."""
        return [(s, row, e, f) for e, s in enumerate(self.expected) for f, row in enumerate(s.rows)]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A data set of five episodes in files of one episode each, two files in a chunk."""
    folder = tmp_path_factory.mktemp("dataset")
    expected = make_dataset_run(folder / "run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "FILE_MIB", 0)
        patch.setattr(files, "CHUNK_FILES", 2)
        patch.setattr(episode_rows, "ROWS_AT_ONCE", 2)
        said = dataset.export_steps(folder / "run", CONTRACT, folder / "out")
    assert said.endswith("17 frames in 5 episodes; 4 episodes that are not whole are left out")
    assert {path.name for path in folder.iterdir()} == {"run", "out"}
    info = json.loads((folder / "out" / "meta" / "info.json").read_text("utf-8"))
    frames, episodes = (
        [row for path in sorted((folder / "out" / part).glob("*/*.parquet")) for row in pq.read_table(path).to_pylist()]
        for part in ("data", "meta/episodes")
    )
    return Exported(folder / "out", info, frames, episodes, expected)


def test_every_frame_is_the_stored_step(exported: Exported):
    assert len(exported.frames) == len(exported.numbered)
    for found, (stretch, row, episode, number) in zip(exported.frames, exported.numbered, strict=True):
        for name, value in frame_of(stretch, row).items():
            np.testing.assert_array_equal(found[name], value, name)
        assert found["observation.images.camera"]["bytes"] == stretch.steps.images["camera"][row]
        assert (found["episode_index"], found["frame_index"], found["task_index"]) == (episode, number, 0)
        assert found["timestamp"] == np.float32(number / 20)
    assert [frame["index"] for frame in exported.frames] == list(range(17))


def test_features_are_the_columns_of_every_file(exported: Exported):
    features = exported.info["features"]
    assert INDICES | frame_of(exported.expected[0], 0).keys() | {"observation.images.camera"} == features.keys()
    for path in exported.root.glob("data/*/*.parquet"):
        schema = pq.read_schema(path)
        assert schema.names == list(features)
        described = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        assert list(described) == list(features)
        for name, feature in features.items():
            if feature["dtype"] == "image":
                assert schema.field(name).type == pa.struct([("bytes", pa.binary()), ("path", pa.string())])
                assert (feature["shape"], feature["names"]) == ([16, 12, 3], ["height", "width", "channels"])
                continue
            (size,) = feature["shape"]
            value = ARROW[feature["dtype"]]
            assert schema.field(name).type == (value if size == 1 else pa.list_(value, size)), name
            assert feature["names"] is None or len(set(feature["names"])) == size
    assert features["observation.state"]["names"][6:8] == ["joint_position.6", "joint_velocity.0"]
    assert features["observation.environment_state"]["names"] == ["target.0", "target.1", "target.2"]
    assert features["action"]["names"] == [f"joint_{i}" for i in range(1, 8)]
    assert features["extra.wrench"]["names"][-1] == "wrench.1.2"


def test_totals_paths_and_indices_say_where_every_frame_is(exported: Exported):
    info, episodes = exported.info, exported.episodes
    assert (info["codebase_version"], info["fps"], info["robot_type"]) == ("v3.0", 20, "arm7")
    assert (info["total_episodes"], info["total_frames"], info["total_tasks"]) == (5, 17, 1)
    assert info["splits"] == {"train": "0:5"}
    begin = 0
    for number, (row, stretch) in enumerate(zip(episodes, exported.expected, strict=True)):
        assert (row["episode_index"], row["length"]) == (number, len(stretch.rows))
        assert (row["dataset_from_index"], row["dataset_to_index"]) == (begin, begin + row["length"])
        assert row["tasks"] == ["Move the tool to the target and hold it there."]
        place = {"chunk_index": row["data/chunk_index"], "file_index": row["data/file_index"]}
        assert tuple(place.values()) == divmod(number, 2)
        indices = pq.read_table(exported.root / info["data_path"].format(**place), columns=["index"])["index"]
        assert indices.to_pylist() == list(range(begin, begin + row["length"]))
        assert (row["meta/episodes/chunk_index"], row["meta/episodes/file_index"]) == divmod(number // 2, 2)
        assert (row["collector"], row["collector_episode"]) == (stretch.collector, stretch.steps.episode[0])
        assert (row["collector_step"], row["success"]) == (stretch.rows[0], stretch.steps.success[0])
        begin += row["length"]
    assert len(list(exported.root.glob("meta/episodes/*/*.parquet"))) == 3


def test_the_table_of_tasks_has_its_sentence_as_index(exported: Exported):
    table = pq.read_table(exported.root / "meta" / "tasks.parquet")
    assert table.to_pylist() == [{"task_index": 0, "__index_level_0__": exported.episodes[0]["tasks"][0]}]
    assert json.loads(table.schema.metadata[b"pandas"])["index_columns"] == ["__index_level_0__"]


def test_the_meaning_of_the_arrays_stands_beside(exported: Exported):
    meaning = json.loads((exported.root / "meta" / f"{METADATA}.json").read_text("utf-8"))
    assert (meaning["task"], meaning["run"], meaning["action"]) == ("reach", CONTRACT.run_id, "requested")
    assert [array["unit"] for array in meaning["observation"][:2]] == ["rad", "rad/s"]


def test_statistics_are_those_of_the_frames(exported: Exported):
    found = json.loads((exported.root / "meta" / "stats.json").read_text("utf-8"))
    assert found.keys() == exported.info["features"].keys()
    for name, feature in exported.info["features"].items():
        assert found[name].keys() == KINDS
        shape = (3, 1, 1) if feature["dtype"] == "image" else tuple(feature["shape"])
        assert all(np.shape(found[name][kind]) == shape for kind in KINDS - {"count"}), name
        assert found[name]["count"] == [17]
        if feature["dtype"] == "image":
            spec = next(array for array in CONTRACT.steps.observation.arrays if array.is_image)
            pictures = [decode_image(frame[name]["bytes"], spec) for frame in exported.frames]
            values = np.stack(pictures).reshape(17, -1, 3) / 255.0
            values = values.transpose(2, 0, 1).reshape(3, -1).T
        else:
            values = np.array([frame[name] for frame in exported.frames], np.float64).reshape(17, -1)
        for kind, expected in (("min", np.min), ("max", np.max), ("mean", np.mean), ("std", np.std)):
            own = np.asarray(found[name][kind], np.float64).reshape(-1)
            np.testing.assert_allclose(own, expected(values, axis=0), rtol=1e-9, atol=1e-12, err_msg=f"{name} {kind}")
        for low, high in pairwise(sorted(KINDS - {"min", "max", "mean", "std", "count"})):
            assert (np.array(found[name][low]) <= np.array(found[name][high])).all()


def test_quantiles_are_values_that_occur():
    values = np.arange(1.0, 201.0)[:, None][::-1]
    found = statistics.of_values(values)
    assert [float(found[kind][0]) for kind in ("q01", "q10", "q50", "q90", "q99")] == [2.0, 20.0, 100.0, 180.0, 198.0]
    assert float(statistics.of_values(values[:1])["q10"][0]) == 200.0


def test_a_large_picture_is_thinned_out_and_many_are_sampled():
    spec = ArraySpec("camera", (300, 400, 3), dtype="uint8")
    picture = np.zeros(spec.shape, np.uint8)
    picture[::2, ::2] = (10, 20, 30)  # all that a step of two looks at
    found = statistics.of_pictures(Frames.of([encode_image(picture)] * 2), spec)
    np.testing.assert_allclose(found["q50"].ravel() * 255, [10, 20, 30])
    np.testing.assert_allclose(found["std"], 0.0, atol=1e-9)
    small = ArraySpec("camera", (2, 2, 3), dtype="uint8")
    pictures = Frames.of([encode_image(np.full(small.shape, i % 256, np.uint8)) for i in range(1000)])
    assert statistics.of_pictures(pictures, small)["count"] == [177]  # 1000 to the power 0.75


def test_the_option_names_the_action(tmp_path: Path):
    expected = make_dataset_run(tmp_path / "run")
    dataset.export_steps(tmp_path / "run", CONTRACT, tmp_path / "out", "executed")
    table = pads.dataset(tmp_path / "out" / "data").to_table()
    assert "executed_action" not in table.column_names
    for name, own in (("action", "action"), ("requested_action", "requested_action")):
        actions = [getattr(s.steps, own)[row] for s in expected for row in s.rows]
        np.testing.assert_array_equal(table[name].to_pylist(), actions)


def test_the_bar_runs_to_the_number_of_stored_steps(tmp_path: Path, monkeypatch):
    make_dataset_run(tmp_path / "run")
    seen: list[tqdm] = []
    monkeypatch.setattr(episodes, "tqdm", lambda **words: seen.append(tqdm(**words | {"disable": False})) or seen[0])
    dataset.export_steps(tmp_path / "run", CONTRACT, tmp_path / "out")
    assert (seen[0].n, seen[0].total) == (36, 36)


def test_what_fails_leaves_nothing(tmp_path: Path, monkeypatch):
    make_dataset_run(tmp_path / "run")

    def fail(self: object, row: object, found: object) -> None:
        raise StoreError("damaged")

    monkeypatch.setattr(episode_rows.EpisodeRows, "add", fail)
    with pytest.raises(StoreError):
        dataset.export_steps(tmp_path / "run", CONTRACT, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_vectors_without_elements_are_left_out():
    joints = ArraySpec("joint_position", (3,))
    picture = ArraySpec("camera", (4, 4, 3), dtype="uint8")
    assert list(vectors_of(ObservationSpec("x", (joints, picture)))) == ["observation.state"]
    assert list(vectors_of(ObservationSpec("x", (picture,)))) == []


@pytest.mark.parametrize("task", TASKS)
def test_every_task_says_in_one_sentence_what_to_do_and_names_its_action(task: str):
    config = resolve(task)
    known = dataset.about(config)
    assert re.fullmatch(r"[A-Z][^.]+\.", known.instruction)
    assert len(set(known.action_names)) == contract_of(config).action_size
