"""The process that learns from stored steps alone: that of `naf-robot train --offline`, or one of its own under launch.

Called as `python -m naf_robot.bringup.offline_process CONFIG`, with the configuration of a run folder; what launch adds
for nodes of ROS has no meaning here.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from naf_robot.bringup.runner import StopSignals
from naf_robot.core.arguments import USER_ERROR
from naf_robot.core.console import protect_output
from naf_robot.core.errors import NafRobotError
from naf_robot.run.config import RunConfig, load


def learn(config: RunConfig, run_dir: Path, stopped: Callable[[], bool]) -> int:
    """Learn in the folder `run_dir` until it is done or `stopped`; the exit code. Only here is torch loaded.

    Raises:
        NafRobotError: a source that cannot be filled, or checkpoints that do not fit.
        KeyboardInterrupt: `stopped` before anything was learned.
    """
    learn_offline = importlib.import_module("naf_robot.training.offline").learn_offline
    return int(learn_offline(config, run_dir, stopped))


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point; the exit code: 0 after a clean end, also by a signal."""
    path = Path((sys.argv[1:] if arguments is None else arguments)[0])
    protect_output()
    with StopSignals() as signals:
        try:
            return learn(load(path), path.parent, lambda: signals.asked)
        except KeyboardInterrupt:
            return 0
        except NafRobotError as error:
            print(f"error: {error}", file=sys.stderr, flush=True)
            return USER_ERROR


if __name__ == "__main__":
    sys.exit(main())
