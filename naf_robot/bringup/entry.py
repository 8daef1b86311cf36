"""Where `naf-robot` begins: Ctrl-C while the program is still being loaded is an end too, not a traceback."""

import importlib
import os
import signal
import sys
from types import FrameType

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SYSTEMS = ("train", "trainer", "robot")  # commands that run until they are stopped


def main() -> int:
    """Entry point of the installed command; the exit code."""
    before = {number: signal.getsignal(number) for number in STOPS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, _leave)
    command_line = importlib.import_module("naf_robot.bringup.cli").main
    if not _starts_a_system():
        for number, handler in before.items():
            signal.signal(number, handler)
        return command_line()
    try:
        return command_line()  # which takes note of signals itself, as soon as there is something to end
    finally:
        for number in STOPS:  # all is ended: the exit code stands
            signal.signal(number, signal.SIG_IGN)


def _leave(number: int, frame: FrameType | None) -> None:
    """Nothing was begun: what runs until it is stopped has ended as it was asked to, all else was interrupted."""
    os._exit(0 if _starts_a_system() else 128 + number)


def _starts_a_system() -> bool:
    return len(sys.argv) > 1 and sys.argv[1] in SYSTEMS


if __name__ == "__main__":
    sys.exit(main())
