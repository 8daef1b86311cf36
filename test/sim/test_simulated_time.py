"""Simulated time."""

from pathlib import Path

import pytest

from naf_robot.core import reserved_counter
from naf_robot.sim.simulated_time import TICKS_RESERVED_AT_ONCE, SimulatedTime


def test_it_begins_after_zero_and_advances_by_periods(tmp_path: Path):
    time = SimulatedTime(tmp_path / "ticks", 0.05)
    assert (time.tick, time.now_ns, time.passed_s) == (1, 50_000_000, 0.0)
    time.advance()
    assert (time.tick, time.now_ns, time.passed_s) == (2, 100_000_000, pytest.approx(0.05))
    assert (time.tick_at(99_999_999), time.ticks_in(0.2)) == (1, 4)


def test_a_restart_never_goes_back(tmp_path: Path):
    first = SimulatedTime(tmp_path / "ticks", 0.05)
    for _ in range(3 * TICKS_RESERVED_AT_ONCE // 2):
        first.advance()
    again = SimulatedTime(tmp_path / "ticks", 0.05)
    assert 0 < again.tick - first.tick <= TICKS_RESERVED_AT_ONCE + 1


def test_a_full_disk_does_not_stop_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    time = SimulatedTime(tmp_path / "ticks", 0.05)
    while time.tick <= TICKS_RESERVED_AT_ONCE:
        time.advance()

    def refuse(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(reserved_counter, "replace_file", refuse)
    with pytest.raises(OSError, match="no space"):
        time.advance()
    assert time.tick == TICKS_RESERVED_AT_ONCE + 2
