"""The unexpected process exits of a run, as the process runner noted them."""

import json
from pathlib import Path
from typing import Any

from naf_robot.core import run_files


def read_process_exits(run_dir: Path) -> list[dict[str, Any]]:
    """One entry per exit, oldest first: time, process, exit_reason, uptime_s, restarted; incomplete lines left out."""
    path = run_dir / run_files.PROCESS_EXITS
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict) and {"time", "process", "exit_reason"} <= entry.keys():
            found.append(entry)
    return found
