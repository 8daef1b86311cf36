"""Where `naf-robot` begins: Ctrl-C while the program is still being loaded is an end too, not a traceback."""

import importlib
import os
import signal
import sys
from types import FrameType


def main() -> int:
    """Entry point of the installed command; the exit code."""
    signal.signal(signal.SIGINT, _leave)
    command_line = importlib.import_module("naf_robot.bringup.cli").main
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return command_line()


def _leave(number: int, frame: FrameType | None) -> None:
    """Nothing was begun: `train` has ended as it was asked to, everything else was interrupted."""
    os._exit(0 if sys.argv[1:2] == ["train"] else 128 + number)


if __name__ == "__main__":
    sys.exit(main())
