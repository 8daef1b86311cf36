"""The display of a run: a progress bar on a terminal, periodic lines elsewhere; and TensorBoard."""

import contextlib
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from naf_robot.run.health import FleetHealth
from naf_robot.training.episode_log import EpisodeRecord
from naf_robot.training.trainer import Trainer

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

QUIET_PERIOD_S = 5.0  # between lines where the output is no terminal
ROBOTS_PERIOD_S = 30.0  # between the robots' lines above the bar of a terminal


class Progress:
    """Shows env steps, episodes, evaluation success, updates/s, policy version and time left."""

    def __init__(self, trainer: Trainer, health: FleetHealth) -> None:
        self._trainer = trainer
        self._health = health
        self._bar = tqdm(
            total=trainer.config.max_episodes,
            unit="episode",
            disable=not sys.stderr.isatty(),
            dynamic_ncols=True,
            mininterval=0.2,
        )
        self._last_line_s = time.monotonic()

    def show(self, force: bool = False) -> None:
        """Bring the display up to date; cheap enough to call in every loop."""
        episodes = self._trainer.episodes.episodes
        for call in self._health.calls():
            self._bar.write(f"ERROR {call}", file=sys.stderr)
        if not self._bar.disable:
            self._bar.set_postfix_str(self._text(), refresh=False)
            self._bar.update(episodes - self._bar.n)
            if force or time.monotonic() - self._last_line_s >= ROBOTS_PERIOD_S:
                self._last_line_s = time.monotonic()
                for line in self._health.lines():
                    self._bar.write(line, file=sys.stderr)
            return
        now = time.monotonic()
        if force or now - self._last_line_s >= QUIET_PERIOD_S:
            self._last_line_s = now
            limit = self._trainer.config.max_episodes
            wall = self._trainer.wall_s
            left = f"{wall / episodes * (limit - episodes):.0f} s at most" if episodes else "?"
            print(f"episodes {episodes}/{limit} | {self._text()} | time left {left}", file=sys.stderr, flush=True)
            for line in self._health.lines():
                print(f"  {line}", file=sys.stderr, flush=True)

    def close(self) -> None:
        """Leave the last state on the screen."""
        self.show(force=True)
        self._bar.close()

    def _text(self) -> str:
        trainer = self._trainer
        log = trainer.episodes
        shown = f"{log.evaluation_success:.2f} of {min(log.evaluations, trainer.config.trainer.evaluation_window)}"
        if log.test is not None:
            shown += f" (test: {log.test.successes} of {log.test.episodes})"
        known = {"loss": "loss", "gradient": "gradient_norm"}  # not every algorithm has them
        metrics = "".join(f"{w} {trainer.metrics[n]:.3g}, " for w, n in known.items() if n in trainer.metrics)
        return (
            f"steps {trainer.transitions}, evaluation success {shown}, "
            f"{trainer.updates_per_s:.0f} updates/s, "
            f"{trainer.updates / max(trainer.transitions, 1):.2f} updates/step, "
            f"{metrics}skipped {trainer.skipped_updates:.0f}, policy {trainer.publication.version}"
        )


class EventLog:
    """TensorBoard events of a training run; TensorBoard is loaded for the first of them, robots may begin before."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: SummaryWriter | None = None

    def episode(self, record: EpisodeRecord) -> None:
        """One finished episode."""
        kind = "greedy" if record.greedy else "exploring"
        self._add(f"collector/episode_return_{kind}", record.episode_return, record.env_steps)
        self._add(f"collector/success_{kind}", float(record.success), record.env_steps)
        for name, value in record.reward_terms.items():
            self._add(f"collector/reward_{name}_{kind}", value, record.env_steps)

    def learner(self, trainer: Trainer) -> None:
        """The learner's newest metrics."""
        for name, value in trainer.metrics.items():
            self._add(f"learner/{name}", value, trainer.updates)
        self._add("learner/updates_per_s", trainer.updates_per_s, trainer.updates)
        self._add("learner/transitions", trainer.transitions, trainer.updates)

    def _add(self, name: str, value: float, step: int) -> None:
        with contextlib.suppress(OSError):  # a full disk costs a picture, not the run
            if self._writer is None:
                from torch.utils.tensorboard import SummaryWriter

                self._writer = SummaryWriter(str(self._folder))
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write everything out.

        Raises:
            OSError: the disk refuses.
        """
        if self._writer is not None:
            self._writer.close()
