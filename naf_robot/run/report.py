"""Learning curves of a run as a picture.

What draws is loaded when it is needed: it takes as long to load as a simulation takes to start.
"""

import contextlib
import importlib
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np

from naf_robot.core import run_files
from naf_robot.core.errors import RunFolderError

WINDOW = 20


def read_episodes(run_dir: Path) -> list[dict[str, Any]]:
    """The finished episodes of a run, in order of arrival.

    Raises:
        RunFolderError: the folder has no episode log.
    """
    path = run_dir / run_files.EPISODES
    if not path.is_file():
        raise RunFolderError(f"{str(run_dir)!r} is not a run folder: it has no {run_files.EPISODES}")
    records = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        with contextlib.suppress(ValueError, RecursionError):  # incomplete: being written, or cut off by a full disk
            if isinstance(record := json.loads(line), dict):
                records.append(record)
    return records


def load_drawing() -> None:
    """Load in the background what `write_learning_curve` needs, so that it is quick when a run ends."""
    threading.Thread(target=lambda: importlib.import_module("matplotlib.figure"), daemon=True).start()


def write_learning_curve(run_dir: Path) -> Path:
    """Draw return and success over episodes into `learning_curve.png`; returns its path."""
    from matplotlib.figure import Figure

    episodes = read_episodes(run_dir)
    figure = Figure(figsize=(8.0, 6.0), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    for robot in sorted({record["robot"] for record in episodes}):
        mine = [record for record in episodes if record["robot"] == robot and not record["greedy"]]
        upper.plot([r["index"] for r in mine], [r["episode_return"] for r in mine], ".", label=f"{robot}, exploring")
    greedy = [record for record in episodes if record["greedy"]]
    upper.plot([r["index"] for r in greedy], [r["episode_return"] for r in greedy], "k*", label="greedy")
    upper.set_ylabel("return")
    upper.legend(loc="lower right")
    successes = np.array([float(record["success"]) for record in greedy])
    rates = [successes[max(0, i + 1 - WINDOW) : i + 1].mean() for i in range(len(successes))]
    lower.plot([r["index"] for r in greedy], rates, "k.-", label=f"evaluation success, last {WINDOW}")
    lower.set_ylim(-0.05, 1.05)
    lower.set_xlabel("episodes of all robots")
    lower.set_ylabel("success rate")
    lower.legend(loc="lower right")
    path = run_dir / run_files.LEARNING_CURVE
    figure.savefig(path, dpi=100)
    return path
