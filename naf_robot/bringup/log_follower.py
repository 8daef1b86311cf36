"""Shows on the screen what processes write to their logs: on a robot's machine nothing else says what it waits for."""

import sys
import threading
from collections.abc import Mapping
from pathlib import Path

LOOK_S = 0.2


class LogFollower:
    """Copies new lines of log files to the error output while entered, each with its label in front."""

    def __init__(self, logs: Mapping[str, Path]) -> None:
        self._logs = dict(logs)
        self._read = {label: path.stat().st_size if path.is_file() else 0 for label, path in logs.items()}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> "LogFollower":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        self._show()

    def _follow(self) -> None:
        while not self._ended.wait(LOOK_S):
            self._show()

    def _show(self) -> None:
        for label, path in self._logs.items():
            try:
                with path.open("rb") as file:
                    if path.stat().st_size < self._read[label]:  # begun anew
                        self._read[label] = 0
                    file.seek(self._read[label])
                    new, _, _ = file.read().rpartition(b"\n")
            except OSError:
                continue
            if new:
                self._read[label] += len(new) + 1
                for line in new.decode(errors="replace").splitlines():
                    print(f"{label}: {line}", file=sys.stderr, flush=True)
