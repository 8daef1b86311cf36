"""The rounds of the page: ten pictures a second while somebody looks, fewer while nobody does."""

import os
import time
from collections.abc import Callable
from contextlib import suppress

PICTURE_S = 0.1
UNWATCHED_S = 0.5
CURVES_S = 2.0
NICE = 10  # the view must not take processor time from control


def give_way() -> None:
    """Let every other process go first."""
    with suppress(OSError):
        os.nice(NICE)


def run(step: Callable[[float, float], bool], stop: Callable[[], bool]) -> None:
    """Call `step` with the time on a steady clock and what has passed since the last round, until `stop`.

    `step` says whether somebody looks.
    """
    last_s = time.monotonic()
    while not stop():
        begin_s = time.monotonic()
        watched = step(begin_s, begin_s - last_s)
        last_s = begin_s
        until_s = begin_s + (PICTURE_S if watched else UNWATCHED_S)
        while (left_s := until_s - time.monotonic()) > 0.0 and not stop():
            time.sleep(min(left_s, 0.1))
