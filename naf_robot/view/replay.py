"""`python -m naf_robot.view.replay RUN_DIR HOST [PORT]`: serves a stored run; `naf-robot view` starts it."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from naf_robot.core import run_files
from naf_robot.core.arguments import USER_ERROR
from naf_robot.core.console import protect_output
from naf_robot.core.errors import NafRobotError
from naf_robot.run.config import load
from naf_robot.view import addresses, rounds, server
from naf_robot.view.curves import CurveFile
from naf_robot.view.page import Page, PlaybackControls
from naf_robot.view.scene import Scene
from naf_robot.view.stored import StoredRun, read_robots


def replay(run_dir: Path, host: str, port: int | None, stop: Callable[[], bool]) -> None:
    """Serve the run in `run_dir` until `stop` says so.

    Raises:
        NafRobotError: the folder, its store or the robots' descriptions cannot be used, or the port cannot.
    """
    listening = addresses.bind(host, port)
    try:
        config = load(run_dir / run_files.CONFIG)
        stored = StoredRun(read_robots(run_dir, config))
        scene = Scene(config, f"replay of {run_dir.name}")
    except NafRobotError:
        listening.close()
        raise
    served, address = server.start(listening, host)
    try:
        page = Page(served, scene, stored=True)
        controls = PlaybackControls(served, stored.episodes)
        curves = CurveFile(run_dir, tuple(config.robots))

        def step(now_s: float, passed_s: float) -> bool:
            if (new := curves.read()) is not None:
                page.show_curves(new, len(curves.episodes))
            stored.show(scene, controls.advance(passed_s), now_s)
            page.update(now_s)
            return page.watched()

        print(f"replay of {run_dir}: {address}", flush=True)
        rounds.run(step, stop)
    finally:
        server.stop(served)


class Stop:
    """Set by a signal."""

    def __init__(self) -> None:
        self.requested = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.requested = True


def main() -> int:
    """Entry point; 2 for a mistake of the user, in one sentence."""
    protect_output()
    stop = Stop()
    rounds.give_way()
    run_dir, host, *rest = sys.argv[1:]
    try:
        replay(Path(run_dir), host, int(rest[0]) if rest else None, lambda: stop.requested)
    except NafRobotError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return USER_ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main())
