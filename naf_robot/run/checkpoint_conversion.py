"""Checkpoints and pins of older versions in today's format; the learner's arrays stay as they are."""

import json
import os
import shutil
from pathlib import Path

from naf_robot.core.errors import CheckpointError, CodecError
from naf_robot.core.files import replace_file, sync_folder, write_new
from naf_robot.experience.contract import Contract
from naf_robot.experience.conversion import KEPT
from naf_robot.experience.envelope import MAX_BYTES, decode, encode
from naf_robot.experience.old_format import SCHEMA
from naf_robot.run.checkpoint import ASIDE, BEST, FOLDER, MAX_STATE_BYTES, NAME
from naf_robot.run.pin import FOLDER as PINS

LEARNER, POLICY, COUNTERS = "learner.safetensors", "policy.safetensors", "checkpoint.json"
KINDS = {LEARNER: "learner_state", POLICY: "policy_parameters"}


def convert_checkpoints(run_dir: Path, contract: Contract) -> int:
    """Convert every checkpoint and pin of `run_dir`; how many there were. Torn checkpoints are left as they are.

    Raises:
        CheckpointError: the disk refused.
    """
    try:
        folder = run_dir / FOLDER
        found = sorted(folder.iterdir()) if folder.is_dir() else []
        count = sum(_convert_folder(path, contract) for path in _restored(found))
        return count + sum(_convert_pin(path, contract) for path in sorted((run_dir / PINS).glob("*.safetensors")))
    except OSError as error:
        raise CheckpointError(f"cannot convert the checkpoints of {str(run_dir)!r}: {error}") from None


def _restored(found: list[Path]) -> list[Path]:
    """The checkpoints to look at; one whose conversion was interrupted between two renames is put back."""
    names = {path.name for path in found}
    paths = [path for path in found if NAME.fullmatch(path.name.removeprefix(ASIDE).removeprefix(BEST))]
    for path in found:
        original = path.name.removesuffix(KEPT)
        if path.name.endswith(KEPT) and original not in names:
            paths.append(path.rename(path.with_name(original)))
    return paths


def _convert_folder(path: Path, contract: Contract) -> int:
    try:
        converted = {name: _converted(path / name, kind, contract) for name, kind in KINDS.items()}
        counters = json.loads((path / COUNTERS).read_bytes())
        counters["observation_spec"] = contract.observation_spec
    except (CodecError, OSError, ValueError, TypeError):
        return 0  # torn, or converted already
    partial = path.with_name(f".partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    for name, data in converted.items():
        write_new(partial / name, data)
    write_new(partial / COUNTERS, json.dumps(counters, indent=2).encode())
    sync_folder(partial)
    path.rename(path.with_name(path.name + KEPT))
    partial.rename(path)
    sync_folder(path.parent)
    return 1


def _convert_pin(path: Path, contract: Contract) -> int:
    try:
        data = _converted(path, KINDS[POLICY], contract)
    except CodecError:
        return 0
    os.link(path, path.with_name(path.name + KEPT))
    replace_file(path, data)
    return 1


def _converted(path: Path, kind: str, contract: Contract) -> bytes:
    """A file of the old schema as one of today's, for the observation spec and the run of `contract`."""
    limit = MAX_STATE_BYTES if kind == KINDS[LEARNER] else MAX_BYTES
    envelope = decode(path.read_bytes(), kind, limit, schema=SCHEMA)
    words = {key: value for key, value in envelope.metadata.items() if key not in ("schema", "kind", "sha256")}
    return encode(
        kind, envelope.arrays, words | {"observation_spec": contract.observation_spec, "run": contract.run_id}
    )
