"""The stop chain of real arms' drivers: every kind of output against the stand-in driver (`test/support/driver`).

The arm moves at a constant velocity; what happens to velocity_control is the event. The driver itself says, every
20 ms, how fast the arm really is. `stop_chain.py --drivers` prints the rows.
"""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from graph import graph
from real_arm import RealArm

KINDS = ("velocity", "position", "trajectory")
TIMEOUT_S = 0.2  # of the drives, where they have one
SPEED = 0.5  # [rad/s] of the joint that moves
LAG_S = 0.02  # time constant of the stand-in's joints
WATCH_S = 1.5
ATTEMPTS = 3  # a process that is stopped while it writes keeps the shared memory of the others locked
EVENTS = {"killed": signal.SIGKILL, "frozen": signal.SIGSTOP, "interrupted": signal.SIGINT}
CASES: list[tuple[str, str, dict[str, Any]]] = [
    *((kind, event, {}) for kind in KINDS for event in EVENTS),
    *((kind, "killed", {"timeout_s": TIMEOUT_S}) for kind in ("velocity", "position")),
    ("trajectory", "killed", {"from_desired": False}),  # the controller's default
]


def rows() -> Iterator[dict[str, Any]]:
    """One row for each kind of output, event and time-out of the drives."""
    for kind, event, driver in CASES:
        for attempt in range(ATTEMPTS):
            try:
                with tempfile.TemporaryDirectory() as folder, graph() as g:
                    arm = RealArm(g, Path(folder), kind, lag_s=LAG_S, **driver)
                    yield measured(arm, kind, event) | {"driver": driver}
                break
            except AssertionError:
                if attempt == ATTEMPTS - 1:
                    raise


def measured(arm: RealArm, kind: str, event: str) -> dict[str, Any]:
    """What the arm does from `event` on."""
    arm.go(SPEED)
    arm.wait_for(lambda: arm.speed() > 0.9 * SPEED, what="the arm is fast")
    arm.graph.spin_for(0.2)
    begin_s = time.monotonic()
    os.kill(arm.control.pid, EVENTS[event])
    arm.graph.spin_for(WATCH_S)
    after = [sample for sample in arm.truth if sample["time_s"] >= begin_s]
    assert len(after) > 0.5 * WATCH_S / 0.02, "the driver does not say where the arm is"
    path = np.array([sample["position"] for sample in after])
    stop_s = arm.rest_after_s(begin_s)
    last = sum(sample["time_s"] - begin_s <= (stop_s if stop_s is not None else WATCH_S) for sample in after)
    return {
        "output": kind,
        "event": f"velocity_control {event}",
        "stop_time_s": None if stop_s is None else round(stop_s, 3),
        "travel_rad": round(float(np.abs(np.diff(path[: max(2, last)], axis=0)).sum(axis=0).max(initial=0.0)), 4),
        "speed_at_the_event_rad_s": round(float(np.abs(after[0]["velocity"]).max()), 3),
        "refused_by_the_controller": after[-1]["refused"],
    }
