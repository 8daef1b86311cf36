"""Time in seconds and as the two whole numbers of a ROS stamp, so that one says what the other does."""

import math

BILLION = 1_000_000_000


def seconds_of_stamp(sec: int, nanosec: int) -> float:
    """A stamp as seconds; equal stamps give equal numbers, so they can be keys."""
    return sec + nanosec * 1e-9


def stamp_of_seconds(time_s: float) -> tuple[int, int]:
    """Seconds as `sec` and `nanosec`, of which `seconds_of_stamp` makes `time_s` again, if it came from a stamp.

    At today's wall time a float is exact to a quarter of a microsecond only. So the fraction, which is exact, is
    rounded, and not the whole: that moves to another float in one of fifteen cases.
    """
    sec = math.floor(time_s)
    nanosec = round((time_s - sec) * 1e9)
    return (sec + 1, 0) if nanosec == BILLION else (sec, nanosec)


def nanoseconds_of_seconds(time_s: float) -> int:
    """Seconds as nanoseconds, which are those of the stamp that `time_s` came from."""
    sec, nanosec = stamp_of_seconds(time_s)
    return sec * BILLION + nanosec
