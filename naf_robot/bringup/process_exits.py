"""Which process that ended unexpectedly is started again, and the record of every such exit in the run folder."""

import json
import signal
import time
from pathlib import Path

from naf_robot.bringup.node_spec import NodeSpec

USER_ERROR = 2  # a mistake that a restart would only repeat
FIRST_DELAY_S, MAX_DELAY_S = 0.2, 8.0
SETTLED_S = 30.0  # after so long an uptime the delays begin with the first one again


class ProcessExits:
    """Counts unexpected exits by label, decides on restarts, and writes one line for each to `process_exits.jsonl`.

    A line has the `time`, the `process`, its `exit_reason` and `uptime_s`, the number of its `exits` in this session,
    and whether it was `restarted`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._counts: dict[str, int] = {}
        self._quick: dict[str, int] = {}

    def restart_after_s(self, spec: NodeSpec, code: int, uptime_s: float) -> float | None:
        """Note that the process of `spec` ended with `code` (negative: killed by that signal).

        Returns the delay before it may be started again, None if it may not.
        """
        label = spec.label
        count = self._counts[label] = self._counts.get(label, 0) + 1
        self._quick[label] = 1 if uptime_s >= SETTLED_S else self._quick.get(label, 0) + 1
        again = code != USER_ERROR and count <= spec.restarts
        entry = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S"),
            "process": label,
            "exit_reason": exit_reason(code),
            "uptime_s": round(uptime_s, 2),
            "exits": count,
            "restarted": again,
        }
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError as error:  # a full disk must not end what it cannot describe
            print(f"cannot write {str(self._path)!r}: {error.strerror}; {json.dumps(entry)}", flush=True)
        return min(MAX_DELAY_S, FIRST_DELAY_S * 2.0 ** (self._quick[label] - 1)) if again else None


def exit_reason(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal without a name
        return f"was killed by signal {-code}"
