"""Batches of steps for tests."""

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from naf_robot.core.array_spec import ArraySpec, ObservationSpec
from naf_robot.core.frames import Frames
from naf_robot.core.images import encode_image
from naf_robot.core.records import StepBatch, StepSpec
from naf_robot.experience.contract import Contract
from naf_robot.experience.journal import JournalRow
from naf_robot.experience.recorder import EpisodeRecorder

REACH = ObservationSpec(
    "reach",
    (
        ArraySpec("joint_position", (7,), "rad"),
        ArraySpec("joint_velocity", (7,), "rad/s"),
        ArraySpec("tool_position", (3,), "m", "base"),
        ArraySpec("target", (3,), "m", "base"),
    ),
)
STEPS = StepSpec(REACH, 7, ("distance", "action"))
CONTRACT = Contract("reach", STEPS, run_id="0123456789abcdef")


def make_batch(
    count: int,
    first_step: int = 0,
    episode: int = 0,
    last: bool = False,
    seed: int = 0,
    greedy: bool = False,
    success: bool = False,
    terms: int = 2,
) -> StepBatch:
    """`count` steps of reach's sizes with random numbers, and with `last` the step that closes the episode."""
    random = np.random.default_rng([seed, first_step, episode])
    rows = count + last
    vectors = random.normal(size=(rows, REACH.size)).astype(np.float32)
    acted = np.arange(rows) < count
    requested = np.where(acted[:, None], random.uniform(-1, 1, (rows, 7)), 0.0).astype(np.float32)
    reward_terms = np.where(acted[:, None], random.normal(size=(rows, terms)), 0.0).astype(np.float32)
    return StepBatch(
        observation={name: array.copy() for name, array in REACH.unflatten(vectors).items()},
        action=requested / 2,
        requested_action=requested,
        reward=reward_terms.sum(axis=1),
        reward_terms=reward_terms,
        has_action=acted,
        closing=~acted,
        terminated=np.zeros(rows, bool),
        truncated=~acted,
        episode=np.full(rows, episode),
        step=first_step + np.arange(rows),
        policy_version=np.ones(rows, np.int64),
        greedy=np.full(rows, greedy),
        success=np.full(rows, success),
        stamp_s=0.05 * (first_step + np.arange(rows)),
    )


def journal_rows() -> Iterator[JournalRow]:
    """The journal of an endless episode: observation n holds n, action n / 1024, reward -n."""
    recorder = EpisodeRecorder(STEPS, 0, policy_version=1)
    for step in itertools.count():
        vector = np.full((1, REACH.size), step, np.float32)
        if step > 0:
            recorder.complete(np.full(7, (step - 1) / 1024), np.full(7, (step - 1) / 1024), (0.0, 1.0 - step))
        named = REACH.unflatten(vector)
        recorder.observe(0.05 * step, {name: array[0] for name, array in named.items()}, success=False)
        yield recorder.journal_row()


PICTURE = ArraySpec("camera", (16, 12, 3), dtype="uint8")
CAMERA = replace(CONTRACT, steps=replace(STEPS, observation=ObservationSpec("camera", (*REACH.arrays, PICTURE))))


def with_pictures(batch: StepBatch, spec: ArraySpec = PICTURE, seed: int = 0) -> StepBatch:
    """`batch` with random pictures of `spec`."""
    random = np.random.default_rng(seed)
    pictures = [encode_image(random.integers(0, 256, spec.shape, np.uint8)) for _ in range(len(batch))]
    return replace(batch, images={spec.name: Frames.of(pictures)})
