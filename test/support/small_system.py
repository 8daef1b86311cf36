"""A system of small scripts in the place of nodes, and the journal that they write."""

import textwrap
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from naf_robot.bringup.node_spec import NodeSpec
from naf_robot.run.stop_times import STOP_BY_SIGTERM

CHILD = """
    import os, signal, sys, time
    stop = []
    if {by_sigterm!r} not in os.environ: signal.signal(signal.SIGINT, lambda *a: stop.append(1))
    signal.signal(signal.SIGTERM, lambda *a: stop.append(1))
    def note(word):
        with open({journal!r}, "a") as f: f.write(f"{name} {{word}}\\n")
    note("up")
    {body}
    note("ready")
    while not stop: time.sleep(0.01)
    note("down")
    sys.exit({code})
"""


@dataclass(frozen=True)
class Script(NodeSpec):
    """A spec whose process is a script instead of a node."""

    source: str = ""

    def own_arguments(self) -> list[str]:
        return ["-c", self.source]


class Bench:
    """A folder with the journal `<name> up`, `<name> down` of its scripts."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.journal = folder, folder / "journal"

    def script(self, name: str, order: int, body: str = "", code: int = 0, decides: bool = False) -> Script:
        source = textwrap.dedent(CHILD).format(
            journal=str(self.journal), name=name, body=body, code=code, by_sigterm=STOP_BY_SIGTERM
        )
        return Script(name, "none", stop_order=order, decides=decides, source=source)

    def lines(self) -> list[str]:
        return self.journal.read_text().split("\n")[:-1] if self.journal.exists() else []

    def downs(self) -> list[str]:
        return [line.removesuffix(" down") for line in self.lines() if line.endswith("down")]

    def count(self, word: str) -> int:
        return sum(line.endswith(word) for line in self.lines())

    def once_up(self, count: int) -> str:
        """Beginning of a body that goes on when `count` scripts have come up."""
        return f"while open({str(self.journal)!r}).read().count(' up') < {count}: time.sleep(0.01)\n"

    def when(self, line: str, action) -> threading.Thread:
        def wait() -> None:
            deadline = time.monotonic() + 20.0
            while line not in self.lines() and time.monotonic() < deadline:
                time.sleep(0.01)
            action()

        thread = threading.Thread(target=wait)
        thread.start()
        return thread
