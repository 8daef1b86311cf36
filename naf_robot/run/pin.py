"""Pinning: a robot acts with one version, whatever is published, while its run folder holds a pin for it."""

import os
from pathlib import Path

from naf_robot.core import run_files
from naf_robot.core.errors import StoreError
from naf_robot.core.files import replace_file
from naf_robot.core.records import PolicyParameters
from naf_robot.experience.codec import Contract, decode_parameters, encode_parameters
from naf_robot.experience.envelope import MAX_BYTES

FOLDER = run_files.PINS


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
