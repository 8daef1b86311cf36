"""Pinning: a robot acts with one version, whatever is published, while its run folder holds a pin for it.

Checkpoints are on the trainer's machine. A robot on another one asks its trainer for the version: while its folder
holds a request, its collector repeats it, and makes the answer its pin.
"""

import os
import re
from pathlib import Path

from naf_robot.core import run_files
from naf_robot.core.errors import CodecError, StoreError
from naf_robot.core.files import replace_file
from naf_robot.core.records import PolicyParameters
from naf_robot.experience.codec import Contract, decode_parameters, encode_parameters
from naf_robot.experience.contract import check_run
from naf_robot.experience.envelope import MAX_BYTES, Envelope, decode, encode

FOLDER = run_files.PINS
BEST = "best"  # in a request: the version that passed evaluation best
REQUEST = re.compile(r"best|[0-9]{1,18}")
REFUSAL = "policy_refusal"


def write_pin(run_dir: Path, robot: str, parameters: PolicyParameters | None) -> None:
    """Pin `robot` to these parameters, or release it with None; a running collector follows at its next episode.

    Raises:
        OSError: the write failed; the pin stays as it was.
    """
    path = run_dir / FOLDER / f"{robot}.safetensors"
    if parameters is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(exist_ok=True)
    replace_file(path, encode_parameters(parameters))


def write_request(run_dir: Path, robot: str, version: str | None) -> None:
    """Have the collector of `robot` ask its trainer for `version`, to be pinned to it; None: ask no more.

    Raises:
        OSError: the write failed.
    """
    path = _request_path(run_dir, robot)
    if version is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(exist_ok=True)
    replace_file(path, f"{version}\n".encode())


def read_request(run_dir: Path, robot: str) -> str:
    """The version that `robot` is to ask for, "" if none; what is no request is none."""
    try:
        text = _request_path(run_dir, robot).read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
    return text if REQUEST.fullmatch(text) else ""


def _request_path(run_dir: Path, robot: str) -> Path:
    return run_dir / FOLDER / f"{robot}.request"


def encode_refusal(run_id: str, robot: str, version: str, reason: str) -> bytes:
    """Bytes of the trainer's answer that it cannot give `version` to `robot`."""
    return encode(REFUSAL, {}, {"run": run_id, "robot": robot, "version": version, "reason": reason})


def decode_refusal(data: bytes, contract: Contract) -> tuple[str, str, str]:
    """Robot, version and reason of a refusal.

    Raises:
        CodecError: malformed.
        RunMismatchError: of another run.
    """

    def admit(envelope: Envelope) -> None:
        check_run(envelope, contract.run_id)

    envelope = decode(data, REFUSAL, 64 * 1024, admit)
    if not REQUEST.fullmatch(envelope.text("version")):
        raise CodecError("policy_refusal message: 'version' is none")
    return envelope.text("robot"), envelope.text("version"), " ".join(envelope.text("reason").split())[:400]


class PinFile:
    """One robot's pin as its collector sees it."""

    def __init__(self, run_dir: Path, robot: str) -> None:
        self._path = run_dir / FOLDER / f"{robot}.safetensors"
        self._seen: tuple[int, int, int] | None = None

    def changed(self) -> bool:
        """Whether the pin was set, replaced or released since the last call."""
        try:
            status = os.stat(self._path)
        except OSError:
            found = None
        else:
            found = (status.st_ino, status.st_mtime_ns, status.st_size)
        changed, self._seen = found != self._seen, found
        return changed

    def read(self, contract: Contract) -> PolicyParameters | None:
        """The pinned parameters, None without a pin.

        Raises:
            CodecError: the file holds no parameters for this run.
            StoreError: it cannot be read.
        """
        if self._seen is None:
            return None
        if self._seen[2] > MAX_BYTES:
            raise StoreError(f"{str(self._path)!r} has {self._seen[2]} bytes, at most {MAX_BYTES} are read")
        try:
            return decode_parameters(self._path.read_bytes(), contract)
        except OSError as error:
            raise StoreError(f"cannot read {str(self._path)!r}: {error.strerror}") from None
