"""What the soak benchmark calls flat: a leak is seen, growth before the warm-up is not one."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from soak import FEWEST, REPLAY_CAPACITY, summary


def samples(
    memory=lambda k: 100.0,
    handles=lambda k: 20,
    transitions=lambda k: 1000 * k,
    processor_s=lambda k: 2.0 * k,
    count=200,
) -> list[dict]:
    return [
        {
            "wall_s": 10.0 * k,
            "ticks": 1000 * k,
            "transitions": transitions(k),
            "episodes": 7 * k,
            "processes": {
                "trainer": {"memory_mib": memory(k), "handles": handles(k), "threads": 9}
                | {"processor_s": processor_s(k)},
                "simulator": {"memory_mib": 90.0 + k % 3, "handles": 18, "threads": 5, "processor_s": 1.0 * k},
            },
            "disk_mib": {"experience": 0.5 * k, "other": 1.0},
        }
        for k in range(count)
    ]


def test_what_grows_while_the_replay_fills_is_not_a_leak():
    full = REPLAY_CAPACITY // 1000
    found = summary(samples(memory=lambda k: 100.0 + 20.0 * min(k, full)), 2)
    assert found["flat"] is True, found["not_flat"]
    assert found["samples_after_warm_up"] == 200 - full
    assert found["simulated_s_per_wall_s"] == pytest.approx(5.0)
    assert found["processes"]["trainer"]["processor_share"] == pytest.approx(0.2)
    assert found["disk_mib_per_simulated_hour"]["experience"] == pytest.approx(36.0)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ({"memory": lambda k: 100.0 + 0.05 * k}, "trainer: memory rises by"),
        ({"handles": lambda k: 20 + k // 40}, "trainer: 24 open files"),
        ({"transitions": lambda k: 100_000 + 1000 * k - 4 * max(0, k - 100) ** 2}, "transitions/s in the second half"),
        ({"processor_s": lambda k: 0.1 * k + 0.001 * k**2}, "trainer: 29.0% of all processor time in the second half"),
    ],
)
def test_a_leak_or_a_run_that_slows_down_is_named(kind: dict, text: str):
    found = summary(samples(**kind), 2)
    assert found["flat"] is False
    assert any(line.startswith(text) or text in line for line in found["not_flat"])


def test_too_few_samples_say_nothing():
    found = summary(samples(count=REPLAY_CAPACITY // 1000 + FEWEST - 1), 2)
    assert found["flat"] is None
    assert found["simulated_hours"] > 0.0
