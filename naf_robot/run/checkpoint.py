"""Complete checkpoints at every instant: written to a new folder, synchronised, then renamed.

A folder's name is its number of updates and the policy version: `000000012000-000000000240`. One that
passed the evaluation gate is kept under the same name with the prefix `best-`. A folder that is being
written has a name that begins with a dot and is never read.
"""

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from naf_robot.core import run_files
from naf_robot.core.errors import CheckpointError, CodecError
from naf_robot.core.files import replace_file, sync_folder, write_new
from naf_robot.core.records import PolicyParameters
from naf_robot.experience.codec import Contract, decode_parameters, encode_parameters
from naf_robot.experience.envelope import MAX_BYTES, decode, encode

FOLDER = run_files.CHECKPOINTS
BEST = "best-"
ASIDE = "aside-"
COUNTERS = "checkpoint.json"
MAX_STATE_BYTES = 1024 * 1024 * 1024
MAX_COUNTERS_BYTES = 1024 * 1024
NAME = re.compile(r"\d{12,18}-\d{12,18}")


@dataclass(frozen=True)
class Checkpoint:
    """The state from which a training run continues."""

    learner_state: dict[str, NDArray]
    policy: PolicyParameters
    counters: dict[str, Any]  # whatever JSON can hold


def write_checkpoint(run_dir: Path, checkpoint: Checkpoint, keep: int, prefix: str = "") -> Path:
    """Write `checkpoint` below `run_dir` and remove all but the newest `keep` of its kind; returns its folder.

    Raises:
        OSError: the write failed; existing checkpoints are not changed.
    """
    folder = run_dir / FOLDER
    folder.mkdir(exist_ok=True)
    final = folder / f"{prefix}{checkpoint.policy.updates:012d}-{checkpoint.policy.version:012d}"
    if not final.exists():  # else it is this very policy: no version has been given out since
        partial = folder / f".partial-{os.getpid()}"
        shutil.rmtree(partial, ignore_errors=True)
        try:
            _fill(partial, checkpoint)
            partial.rename(final)
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        sync_folder(folder)
    else:  # a version that is evaluated again has another score
        replace_file(final / COUNTERS, _counters(checkpoint))
    for old in _folders(run_dir, prefix)[:-keep]:
        _remove(old)
    return final


def read_checkpoint(run_dir: Path, version: int | None = None) -> Checkpoint:
    """The newest complete checkpoint of `run_dir`, or the one of policy `version`; incomplete ones are skipped.

    Raises:
        CheckpointError: there is none, with the reason for each skipped one.
    """
    folders = _folders(run_dir) if version is None else _of_version(run_dir, version)
    return _newest_whole(run_dir, folders)


def read_best(run_dir: Path) -> Checkpoint:
    """The checkpoint that passed the evaluation gate best.

    Raises:
        CheckpointError: there is none.
    """
    return _newest_whole(run_dir, _folders(run_dir, BEST))


def check_identity(checkpoint: Checkpoint, contract: Contract, algorithm: str) -> None:
    """Reject a checkpoint of another task, observation spec or algorithm.

    Raises:
        CheckpointError: naming both sides.
    """
    policy, made_by = checkpoint.policy, str(checkpoint.counters.get("algorithm", algorithm))
    found, own = (policy.task, policy.observation_spec, made_by), (contract.task, contract.observation_spec, algorithm)
    if found != own:
        raise CheckpointError(f"the checkpoint is of task, observation spec and algorithm {found}, this run {own}")


def has_checkpoint(run_dir: Path) -> bool:
    """Whether any was written, complete or not."""
    return bool(_folders(run_dir))


def versions(run_dir: Path) -> list[int]:
    """Policy versions for which a checkpoint is kept, including the best ones."""
    folders = _folders(run_dir) + _folders(run_dir, BEST)
    return sorted({int(folder.name.rpartition("-")[2]) for folder in folders})


def read_policy(run_dir: Path) -> PolicyParameters:
    """The policy of the newest complete checkpoint.

    Raises:
        CheckpointError: there is none.
    """
    return read_checkpoint(run_dir).policy


def roll_back(run_dir: Path, checkpoint: Checkpoint) -> list[Path]:
    """Make `checkpoint` the one from which training continues; newer ones are moved aside, not removed.

    If this is interrupted, the newest complete checkpoint is either an old one or the requested one.

    Raises:
        OSError: the write failed.
    """
    target = f"{checkpoint.policy.updates:012d}-{checkpoint.policy.version:012d}"
    write_checkpoint(run_dir, checkpoint, keep=1_000_000)
    moved = []
    for folder in reversed(_folders(run_dir)):
        if folder.name > target:
            aside = folder.with_name(f"{ASIDE}{folder.name}")
            _remove(aside)
            moved.append(folder.rename(aside))
    sync_folder(run_dir / FOLDER)
    return moved


def read_folder(folder: Path) -> Checkpoint:
    """One checkpoint folder.

    Raises:
        OSError, CodecError, ValueError: it is incomplete.
    """
    state = decode(_read(folder / "learner.safetensors", MAX_STATE_BYTES), "learner_state", MAX_STATE_BYTES)
    policy = decode_parameters(_read(folder / "policy.safetensors", MAX_BYTES))
    counters = json.loads(_read(folder / COUNTERS, MAX_COUNTERS_BYTES))
    if not isinstance(counters, dict):
        raise ValueError("checkpoint.json holds no mapping")
    return Checkpoint(state.arrays, policy, counters)


def _newest_whole(run_dir: Path, folders: list[Path]) -> Checkpoint:
    reasons = []
    for folder in reversed(folders):
        try:
            return read_folder(folder)
        except (OSError, CodecError, ValueError, RecursionError) as error:
            reasons.append(f"{folder.name}: {error}")
    detail = "; ".join(reasons) or f"none was written; there are versions {versions(run_dir)}"
    raise CheckpointError(f"no complete checkpoint below {str(run_dir / FOLDER)!r}: {detail}")


def _fill(partial: Path, checkpoint: Checkpoint) -> None:
    partial.mkdir()
    identity = {"task": checkpoint.policy.task, "observation_spec": checkpoint.policy.observation_spec}
    write_new(partial / "learner.safetensors", encode("learner_state", checkpoint.learner_state, identity))
    write_new(partial / "policy.safetensors", encode_parameters(checkpoint.policy))
    write_new(partial / COUNTERS, _counters(checkpoint))
    sync_folder(partial)


def _counters(checkpoint: Checkpoint) -> bytes:
    policy = checkpoint.policy
    summary: dict[str, Any] = {"task": policy.task, "observation_spec": policy.observation_spec}
    summary |= {"version": policy.version, "updates": policy.updates}
    return json.dumps(summary | checkpoint.counters, indent=2).encode()


def _remove(folder: Path) -> None:
    """Rename it first, so that a crash leaves no incomplete checkpoint under a valid name."""
    if folder.exists():
        hidden = folder.with_name(f".removed-{folder.name}")
        shutil.rmtree(hidden, ignore_errors=True)
        folder.rename(hidden)
        shutil.rmtree(hidden, ignore_errors=True)


def _read(path: Path, max_bytes: int) -> bytes:
    size = path.stat().st_size
    if size > max_bytes:
        raise CodecError(f"{path.name} has {size} bytes, at most {max_bytes} are read")
    return path.read_bytes()


def _of_version(run_dir: Path, version: int) -> list[Path]:
    both = _folders(run_dir, BEST) + _folders(run_dir)
    return [folder for folder in both if int(folder.name.rpartition("-")[2]) == version]


def _folders(run_dir: Path, prefix: str = "") -> list[Path]:
    folder = run_dir / FOLDER
    if not folder.is_dir():
        return []
    found = [p for p in folder.iterdir() if p.name.startswith(prefix) and NAME.fullmatch(p.name[len(prefix) :])]
    return sorted(p for p in found if p.is_dir() and not p.is_symlink())
