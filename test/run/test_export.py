"""Steps as Parquet and policies as ONNX, read back by the libraries of those formats."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from policies import seeing
from step_batches import CAMERA, CONTRACT, make_batch, with_pictures
from stored_run import make_stored_run

from naf_robot.bringup.cli import main
from naf_robot.core.errors import NafRobotError
from naf_robot.core.frames import Frames
from naf_robot.core.records import STEP_DTYPES, ColumnSpec, PolicyParameters, StepBatch
from naf_robot.experience.codec import ExperienceMessage, encode_experience
from naf_robot.experience.contract import Contract
from naf_robot.experience.reader import StoreReader
from naf_robot.experience.store import ExperienceStore
from naf_robot.learning.policies.linear_gaussian import LinearGaussianPolicy
from naf_robot.learning.policies.registry import POLICY_KINDS
from naf_robot.run.checkpoint import Checkpoint, write_checkpoint
from naf_robot.run.contract import contract_of
from naf_robot.run.export.columns import METADATA, columns_of, values_of

D, A = 5, 3
RANDOM = np.random.default_rng(0)


def numbers(*shape: int) -> np.ndarray:
    return RANDOM.normal(size=shape).astype(np.float32)


def linear_gaussian(steps: int) -> dict[str, np.ndarray]:
    covariance = np.tile(0.01 * np.eye(A), (steps, 1, 1))
    return LinearGaussianPolicy.from_covariance(
        0.3 * numbers(steps, A, D), 0.1 * numbers(steps, A), covariance
    ).arrays()


PLAIN = {"w0": numbers(D, 8), "b0": numbers(8), "w1": numbers(8, A), "b1": numbers(A)}
POLICIES = {
    "mlp": ("mlp", PLAIN),
    "mlp of one layer": ("mlp", {"w0": numbers(D, A), "b0": numbers(A)}),
    "mlp with layer norm": ("mlp", {**PLAIN, "g0": numbers(8), "c0": numbers(8)}),
    "linear_gaussian of one step": ("linear_gaussian", linear_gaussian(1)),
    "linear_gaussian of four steps": ("linear_gaussian", linear_gaussian(4)),
    "vision": ("vision", seeing(5, 3).arrays()),
}


def export(*words: object) -> int:
    return main(["export", *map(str, words)])


def write_policy(run_dir: Path, contract: Contract, version: int, kind: str, arrays: dict[str, np.ndarray]) -> None:
    policy = PolicyParameters(
        arrays, version, contract.task, contract.observation_spec, 10 * version, 0, contract.run_id, kind
    )
    write_checkpoint(run_dir, Checkpoint({"x": np.zeros(1)}, policy, {}), keep=5)


def store_steps(folder: Path, contract: Contract, batches: list[StepBatch]) -> None:
    folder.mkdir()
    store = ExperienceStore(folder / "experience.sqlite", contract)
    for number, batch in enumerate(batches):
        message = ExperienceMessage("left", number, number * 100, batch)
        store.insert(message, encode_experience(message, contract))
    store.close()


def test_every_stored_step_is_in_the_parquet_file_bit_for_bit(tmp_path: Path, capsys):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow (pip install '.[export]')")
    config = make_stored_run(tmp_path / "run")
    assert export("--run-dir", tmp_path / "run", "--format", "parquet", "--output", tmp_path / "steps.parquet") == 0
    assert "84 steps in " in capsys.readouterr().out
    table = parquet.read_table(tmp_path / "steps.parquet")
    contract = contract_of(config, tmp_path / "run")
    held = list(StoreReader(tmp_path / "run" / "experience.sqlite", contract).after())
    assert table["collector"].to_pylist() == [h.collector for h in held for _ in range(h.steps)]
    columns = columns_of(contract.steps)
    assert table.column_names == ["collector", *(column.name for column in columns)]
    assert {*STEP_DTYPES} - {"reward_terms"} <= set(table.column_names)
    for number, column in enumerate(columns):
        expected = np.concatenate([list(values_of(h.message.batch, contract.steps))[number] for h in held])
        found = np.array(table[column.name].to_pylist(), column.dtype)
        np.testing.assert_array_equal(found, expected, column.name)
    meaning = json.loads(table.schema.metadata[METADATA.encode()])
    assert (meaning["task"], meaning["run"]) == ("reach", contract.run_id)
    assert [a["unit"] for a in meaning["observation"]] == [a.unit for a in contract.steps.observation.arrays]


def test_every_array_picture_and_extra_column_is_exported_group_by_group(tmp_path: Path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow (pip install '.[export]')")
    from naf_robot.run.export import parquet_file

    extra = (ColumnSpec("intervention", "bool"), ColumnSpec("wrench", "float64", (2, 3)))
    contract = replace(CAMERA, steps=replace(CAMERA.steps, extra=extra))
    batches = []
    for episode in range(3):
        batch = with_pictures(make_batch(4, episode=episode, last=True), seed=episode)
        values = {"intervention": np.arange(5) == episode, "wrench": np.full((5, 2, 3), episode, np.float64)}
        batches.append(replace(batch, extra=values))
    store_steps(tmp_path / "run", contract, batches)
    monkeypatch.setattr(parquet_file, "GROUP_BYTES", 1)
    parquet_file.export_steps(tmp_path / "run", contract, tmp_path / "steps.parquet")
    assert parquet.ParquetFile(tmp_path / "steps.parquet").num_row_groups == 3
    table = parquet.read_table(tmp_path / "steps.parquet")
    for name, own in (("distance", 0), ("action", 1)):
        assert table[f"reward.{name}"].to_pylist() == [float(x) for b in batches for x in b.reward_terms[:, own]]
    for array in ("joint_position", "target"):
        assert table[f"observation.{array}"].to_pylist() == [x.tolist() for b in batches for x in b.observation[array]]
    pictures = [b.images["camera"][i] for b in batches for i in range(5)]
    assert table["observation.camera"].to_pylist() == pictures
    assert table["extra.intervention"].to_pylist() == [i == e for e in range(3) for i in range(5)]
    assert table["extra.wrench"].to_pylist() == [[e] * 6 for e in range(3) for _ in range(5)]


def test_columns_and_values_belong_together():
    batch = with_pictures(make_batch(3, last=True))
    columns = columns_of(CAMERA.steps)
    for column, values in zip(columns, values_of(batch, CAMERA.steps), strict=True):
        assert len(values) == 4
        if isinstance(values, Frames):
            assert column.dtype is None
        else:
            assert values.dtype == column.dtype
            assert values.shape[1:] == (() if column.size is None else (column.size,)), column.name
    assert [c.name for c in columns if c.name.startswith("reward.")] == ["reward.distance", "reward.action"]


@pytest.mark.parametrize("name", POLICIES)
def test_an_onnx_model_acts_as_our_policy_does(name: str):
    pytest.importorskip("onnx", reason="needs onnx (pip install '.[export]')")
    from naf_robot.run.export.onnx_model import largest_difference, model_of

    kind, arrays = POLICIES[name]
    assert largest_difference(model_of(kind, arrays, {}), kind, arrays) < 1e-5


def test_a_model_that_acts_differently_is_refused():
    pytest.importorskip("onnx", reason="needs onnx (pip install '.[export]')")
    from naf_robot.run.export.onnx_model import largest_difference, model_of

    model = model_of("mlp", PLAIN, {})
    with pytest.raises(NafRobotError, match="from those of our policy; it is not written"):
        largest_difference(model, "mlp", PLAIN | {"b1": PLAIN["b1"] + np.float32(0.01)})


def test_kinds_with_a_form_are_registered_kinds():
    pytest.importorskip("onnx", reason="needs onnx (pip install '.[export]')")
    from naf_robot.run.export.onnx_model import FORMS

    assert set(FORMS) <= set(POLICY_KINDS)
    assert {kind for kind, _ in POLICIES.values()} == set(FORMS)


def test_the_policy_of_the_newest_checkpoint_or_of_a_version_is_exported(tmp_path: Path):
    onnx = pytest.importorskip("onnx", reason="needs onnx (pip install '.[export]')")
    config = make_stored_run(tmp_path / "run")
    contract = contract_of(config, tmp_path / "run")
    size = contract.observation_size
    for version in (1, 2):
        write_policy(tmp_path / "run", contract, version, "mlp", {"w0": numbers(size, 7), "b0": numbers(7)})
    for words, version in (([], 2), (["--version", 1], 1)):
        output = tmp_path / f"{version}.onnx"
        assert export("--run-dir", tmp_path / "run", "--format", "onnx", "--output", output, *words) == 0
        properties = {p.key: json.loads(p.value) for p in onnx.load(output).metadata_props}
        assert properties["policy"] == {"kind": "mlp", "version": version, "updates": 10 * version}
        assert properties[METADATA]["observation_spec"] == contract.observation_spec


BAD = {
    "no run folder": ("--run-dir {there}/none --format parquet --output {there}/x", "no run folder"),
    "output exists": ("--run-dir {there}/run --format parquet --output {there}/run", "exists already"),
    "no such folder": ("--run-dir {there}/run --format parquet --output {there}/none/x", "in a folder that exists"),
    "another one's version": (
        "--run-dir {there}/run --format parquet --version 3 --output {there}/x",
        "of --format onnx",
    ),
    "another one's action": (
        "--run-dir {there}/run --format parquet --action executed --output {there}/x",
        "--action is an option of --format lerobot, not of parquet",
    ),
    "no steps": ("--run-dir {there}/empty --format parquet --output {there}/x", "no steps to export"),
    "no whole episode": ("--run-dir {there}/empty --format lerobot --output {there}/x", "holds no whole episode"),
    "no store of episodes": ("--run-dir {there}/bare --format lerobot --output {there}/x", "experience.sqlite"),
    "a folder exists": ("--run-dir {there}/run --format lerobot --output {there}/empty", "exists already"),
    "no store": ("--run-dir {there}/bare --format parquet --output {there}/x", "experience.sqlite"),
    "no checkpoint": ("--run-dir {there}/run --format onnx --output {there}/x", "checkpoint"),
    "no such version": ("--run-dir {there}/run --format onnx --version 3 --output {there}/x", "checkpoint"),
    "a kind without form": ("--run-dir {there}/odd --format onnx --output {there}/x", "has no form in ONNX"),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders with steps, without any, without a store, and with a policy."""
    there = tmp_path_factory.mktemp("folders")
    config = make_stored_run(there / "run")
    for name in ("empty", "bare", "odd"):
        (there / name).mkdir()
        shutil.copy(there / "run" / "config.yaml", there / name)
    ExperienceStore(there / "empty" / "experience.sqlite", contract_of(config, there / "empty")).close()
    write_policy(there / "odd", CONTRACT, 1, "mlp", {"w0": numbers(20, 7), "b0": numbers(7)})
    return there


@pytest.mark.parametrize("bad", BAD)
def test_what_cannot_be_exported_is_one_sentence_and_leaves_no_file(folders: Path, capsys, monkeypatch, bad: str):
    pytest.importorskip("pyarrow", reason="needs pyarrow (pip install '.[export]')")
    pytest.importorskip("onnx", reason="needs onnx (pip install '.[export]')")
    from naf_robot.run.export import onnx_model

    monkeypatch.delitem(onnx_model.FORMS, "mlp")
    words, sentence = BAD[bad]
    assert export(*words.format(there=folders).split()) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert sentence in line
    assert {path.name for path in folders.iterdir()} == {"run", "empty", "bare", "odd"}


@pytest.mark.parametrize(("format", "package"), [("parquet", "pyarrow"), ("lerobot", "pyarrow"), ("onnx", "onnx")])
def test_a_missing_package_is_named_with_how_to_install_it(tmp_path: Path, capsys, monkeypatch, format, package):
    monkeypatch.setattr("naf_robot.run.export.command.find_spec", lambda name: None)
    assert export("--run-dir", tmp_path, "--format", format, "--output", tmp_path / "x") == 2
    assert f"needs the package {package}; install it" in capsys.readouterr().err
