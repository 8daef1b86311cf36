"""Checkpoints that are whole at every instant: written to a new folder, then renamed."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from naf_robot.core.errors import CheckpointError, CodecError
from naf_robot.core.records import PolicyParameters
from naf_robot.experience.codec import decode_parameters, encode_parameters
from naf_robot.experience.envelope import decode, encode

FOLDER = "checkpoints"
MAX_STATE_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True)
class Checkpoint:
    """What a training run goes on from."""

    learner_state: dict[str, NDArray]
    policy: PolicyParameters
    counters: dict[str, Any]  # whatever JSON can hold


def write_checkpoint(run_dir: Path, checkpoint: Checkpoint, keep: int) -> Path:
    """Write `checkpoint` below `run_dir` and remove all but the newest `keep`; returns its folder."""
    folder = run_dir / FOLDER
    folder.mkdir(exist_ok=True)
    final = folder / f"{checkpoint.policy.updates:012d}"
    partial = folder / f".partial-{os.getpid()}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    identity = {"task": checkpoint.policy.task, "observation_spec": checkpoint.policy.observation_spec}
    _write(partial / "learner.safetensors", encode("learner_state", checkpoint.learner_state, identity))
    _write(partial / "policy.safetensors", encode_parameters(checkpoint.policy))
    summary = identity | {"version": checkpoint.policy.version, "updates": checkpoint.policy.updates}
    _write(partial / "checkpoint.json", json.dumps(summary | checkpoint.counters, indent=2).encode())
    if final.exists():  # the same update count: the content is the same, the newer counters win
        shutil.rmtree(final)
    partial.rename(final)
    for old in _folders(run_dir)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def read_checkpoint(run_dir: Path) -> Checkpoint:
    """The newest whole checkpoint of `run_dir`; torn ones are passed over.

    Raises:
        CheckpointError: there is none, with the reason of each that was passed over.
    """
    reasons = []
    for folder in reversed(_folders(run_dir)):
        try:
            state = decode((folder / "learner.safetensors").read_bytes(), "learner_state", MAX_STATE_BYTES)
            policy = decode_parameters((folder / "policy.safetensors").read_bytes())
            counters = json.loads((folder / "checkpoint.json").read_text(encoding="utf-8"))
        except (OSError, CodecError, ValueError) as error:
            reasons.append(f"{folder.name}: {error}")
            continue
        return Checkpoint(state.arrays, policy, counters)
    detail = "; ".join(reasons) or "none was written"
    raise CheckpointError(f"no whole checkpoint below {str(run_dir / FOLDER)!r}: {detail}")


def read_policy(run_dir: Path) -> PolicyParameters:
    """The policy of the newest whole checkpoint.

    Raises:
        CheckpointError: there is none.
    """
    return read_checkpoint(run_dir).policy


def _folders(run_dir: Path) -> list[Path]:
    folder = run_dir / FOLDER
    return sorted(p for p in folder.iterdir() if p.is_dir() and p.name.isdigit()) if folder.is_dir() else []


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
