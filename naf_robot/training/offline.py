"""Learning without robots: from what stored steps hold alone, in one process and without ROS."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from naf_robot.core import run_files
from naf_robot.core.clock import SteadyClock
from naf_robot.core.files import replace_file
from naf_robot.run.config import RunConfig
from naf_robot.training.progress import EventLog
from naf_robot.training.trainer import Trainer

UPDATES_AT_ONCE = 64  # between two looks at the time and at who wants to stop
EVENTS_S = 1.0
QUIET_S = 5.0  # between lines where the output is no terminal


def learn_offline(config: RunConfig, run_dir: Path, stopped: Callable[[], bool]) -> int:
    """Learn what `config` asks for, or go on with it, until it is done or `stopped`; the exit code.

    Checkpoints, TensorBoard events and the summary are those of any training run.

    Raises:
        NafRobotError: a source that cannot be filled, or checkpoints that do not fit.
        KeyboardInterrupt: `stopped` before the sources were filled; there is nothing new to keep.
    """
    import torch

    def look() -> None:
        if stopped():
            print("stopped while the sources were being filled; nothing was learned", file=sys.stderr, flush=True)
            raise KeyboardInterrupt

    look()
    torch.set_num_threads(config.trainer.threads)
    trainer = Trainer(config, run_dir, SteadyClock(), look)
    events = EventLog(run_dir / run_files.EVENTS)
    filled = sum(trainer.filled.values())
    total = max(1, round(config.trainer.offline_updates_per_transition * filled))
    print(f"{filled} transitions in {', '.join(trainer.filled)}; {total} updates", file=sys.stderr, flush=True)
    shown_s = noted_s = time.monotonic()
    try:
        with tqdm(total=total, initial=trainer.updates, unit=" updates", disable=None, dynamic_ncols=True) as bar:
            while trainer.updates < total and not stopped():
                bar.update(trainer.update(min(UPDATES_AT_ONCE, total - trainer.updates)))
                if trainer.publication.is_due(trainer.updates):
                    trainer.new_parameters()
                if trainer.checkpoint_is_due() and not trainer.try_checkpoint():
                    print(f"error: {trainer.trouble['checkpoint']}", file=sys.stderr, flush=True)
                now_s = time.monotonic()
                if now_s - noted_s >= EVENTS_S:
                    noted_s = now_s
                    events.learner(trainer)
                    bar.set_postfix_str(_metrics(trainer), refresh=False)
                if bar.disable and now_s - shown_s >= QUIET_S:
                    shown_s = now_s
                    left_s = (total - trainer.updates) / max(trainer.updates_per_s, 1e-9)
                    line = f"updates {trainer.updates}/{total} | {_metrics(trainer)} | time left {left_s:.0f} s"
                    print(line, file=sys.stderr, flush=True)
        if trainer.updates >= total:
            replace_file(run_dir / run_files.OUTCOME, b"0\n")
    finally:
        summary = trainer.finish()
        events.close()
    print(json.dumps(summary, indent=2), flush=True)
    return 0


def _metrics(trainer: Trainer) -> str:
    named = {"loss": "loss", "gradient": "gradient_norm"}
    shown = [f"{word} {trainer.metrics[name]:.3g}" for word, name in named.items() if name in trainer.metrics]
    return ", ".join([f"{trainer.updates_per_s:.0f} updates/s", *shown, f"skipped {trainer.skipped_updates:.0f}"])
