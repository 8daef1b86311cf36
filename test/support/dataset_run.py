"""A run folder whose stored episodes are whole, interrupted, unfinished and without a beginning, with pictures."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from step_batches import CAMERA, make_batch, with_pictures

from naf_robot.core import run_files
from naf_robot.core.array_spec import ArraySpec, ObservationSpec
from naf_robot.core.records import ColumnSpec, StepBatch
from naf_robot.experience.codec import ExperienceMessage, encode_experience
from naf_robot.experience.compacted import compacted_bytes, parts_of
from naf_robot.experience.contract import Contract
from naf_robot.experience.store import ExperienceStore
from naf_robot.run.config import resolve, save

BUTTONS = ArraySpec("buttons", (2,), dtype="uint8")
CONTRACT = replace(
    CAMERA,
    steps=replace(
        CAMERA.steps,
        observation=ObservationSpec("buttons", (*CAMERA.steps.observation.arrays, BUTTONS)),
        extra=(ColumnSpec("intervention", "bool"), ColumnSpec("wrench", "float64", (2, 3))),
    ),
)


class Stretch(NamedTuple):
    """Transitions without a gap: they begin at the steps `rows` of a stored episode."""

    collector: str
    steps: StepBatch
    rows: range


def make_dataset_run(folder: Path) -> list[Stretch]:
    """Make the folder; what an export of it must hold, in its order.

    Batches come interleaved and not in order, one is lost, one is evicted; four of eight episodes are not whole.
    """
    folder.mkdir()
    save(resolve("reach", overrides=[{"robots": "left,right"}]), folder / run_files.CONFIG)
    ended, interrupted = _episode(6, 0), _without_action(_episode(7, 1), 3)
    ended = replace(ended, terminated=ended.closing, truncated=np.zeros(len(ended), bool))
    won, short = _episode(4, 0, seed=1, success=True, greedy=True), _episode(1, 2, seed=1)
    unfinished, endless = _episode(3, 2).between(0, 3), _episode(3, 3).between(0, 2)
    late, evicted = _episode(5, 1, seed=1).between(2, 6), _episode(4, 4)
    arrivals = [
        ("left", 1, ended.between(3, 7)),
        ("right", 0, won),
        ("left", 0, ended.between(0, 3)),
        ("left", 2, interrupted),
        ("left", 3, unfinished),
        ("right", 2, late),  # the batch before it never comes
        ("left", 4, endless),
        ("right", 3, short),
        ("left", 5, evicted.between(0, 3)),
        ("left", 6, evicted.between(3, 5)),
    ]
    store = ExperienceStore(folder / run_files.EXPERIENCE, CONTRACT)
    for collector, number, batch in arrivals:
        message = ExperienceMessage(collector, number, 100 * number, batch)
        store.insert(message, encode_experience(message, CONTRACT))
    store.close()
    with closing(sqlite3.connect(folder / run_files.EXPERIENCE)) as database, database:
        payload = compacted_bytes("0", parts_of(evicted.between(0, 3)))
        database.execute("UPDATE batches SET payload = ? WHERE collector = 'left' AND sequence = 5", (payload,))
    return [
        Stretch("right", won, range(4)),
        Stretch("left", ended, range(6)),
        Stretch("left", interrupted, range(3)),
        Stretch("left", interrupted, range(4, 7)),
        Stretch("right", short, range(1)),
    ]


def _episode(count: int, number: int, seed: int = 0, **flags: bool) -> StepBatch:
    batch = with_pictures(make_batch(count, episode=number, last=True, seed=seed, **flags), seed=10 * number + seed)
    random, rows = np.random.default_rng([seed, number, 1]), len(batch)
    extra = {"intervention": random.random(rows) < 0.5, "wrench": random.normal(size=(rows, 2, 3))}
    buttons = random.integers(0, 256, (rows, 2), np.uint8)
    return replace(batch, extra=extra, observation={**batch.observation, "buttons": buttons})


def _without_action(batch: StepBatch, step: int) -> StepBatch:
    values = {name: getattr(batch, name).copy() for name in ("action", "requested_action", "reward", "reward_terms")}
    for array in values.values():
        array[step] = 0.0
    acted = batch.has_action.copy()
    acted[step] = False
    return replace(batch, has_action=acted, **values)


def frame_of(stretch: Stretch, row: int, contract: Contract = CONTRACT) -> dict[str, object]:
    """What the frame of step `row` must hold, apart from pictures and indices, with `action` the requested one."""
    steps, last = stretch.steps, row == stretch.rows[-1]
    flat = [steps.observation[array.name][row] for array in contract.steps.observation.vector_arrays]
    return {
        "observation.state": np.concatenate(flat),
        "observation.environment_state": steps.observation["target"][row],
        "observation.buttons": steps.observation["buttons"][row],
        "action": steps.requested_action[row],
        "executed_action": steps.action[row],
        "next.reward": steps.reward[row],
        "next.reward_terms": steps.reward_terms[row],
        "next.done": last,
        "next.terminated": bool(steps.terminated[row + 1]),
        "next.truncated": last and not steps.terminated[row + 1],
        "next.success": bool(steps.success[row + 1]),
        "greedy": bool(steps.greedy[row]),
        "policy_version": int(steps.policy_version[row]),
        "stamp_s": float(steps.stamp_s[row]),
        "extra.intervention": bool(steps.extra["intervention"][row]),
        "extra.wrench": steps.extra["wrench"][row].reshape(-1),
    }
