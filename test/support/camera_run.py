"""A camera's experience from the recorder to sampled pixels, for tests and for a process whose memory is measured."""

import json
import resource
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from manual_clock import ManualClock
from step_batches import CONTRACT, STEPS

from naf_robot.collecting.upload import Uploader
from naf_robot.core.array_spec import ArraySpec, ObservationSpec
from naf_robot.core.transitions import transitions_of
from naf_robot.experience.chunks import CHUNK_BYTES
from naf_robot.experience.contract import Contract
from naf_robot.experience.outbox import Outbox
from naf_robot.experience.recorder import EpisodeRecorder
from naf_robot.experience.store import ExperienceStore, held_of
from naf_robot.learning.replay_buffer import ReplayBuffer
from naf_robot.run.sequencing import Sequencer
from naf_robot.training.known_robots import KnownRobots
from naf_robot.training.receiver import Progress, Receiver

BATCH_BYTES = 2 * 1024 * 1024


def contract(size: int) -> Contract:
    """Reach with a square camera."""
    camera = ArraySpec("camera", (size, size, 3), dtype="uint8")
    arrays = (ArraySpec("number", (1,)), camera)
    return replace(CONTRACT, steps=replace(STEPS, observation=ObservationSpec("camera", arrays)))


def picture(number: int, size: int) -> np.ndarray:
    """Noise that cannot be compressed, another one for every number."""
    return np.random.default_rng(number).integers(0, 256, (size, size, 3), np.uint8)


def run(size: int, steps: int, folder: Path, replay_bytes: int) -> dict:
    """One episode of `steps` through outbox, messages, receiver, store and replay; what was counted on the way."""
    made = contract(size)
    outbox = Outbox(folder / "outbox.sqlite", "robot_1", made, 10**10)
    uploader = Uploader(outbox, ManualClock(), 1e9, 1e9)
    store = ExperienceStore(folder / "store.sqlite", made)
    replay = ReplayBuffer(10_000, 1, 7, images=made.steps.observation.images, frame_bytes=replay_bytes)
    sequencer, counts = Sequencer(), {"messages": 0, "chunks": 0, "frame_bytes": 0, "largest": 0}

    def take(message) -> list:
        for following in sequencer.add(held_of(message)):
            before = following.before
            part = transitions_of(following.batch, made.steps.observation, before, before is not None)
            replay.add(part, following.collector)
        return []

    receiver = Receiver(
        store, made, KnownRobots(["robot_1"], False, False), take, lambda: Progress(0, 0), 16 * 1024 * 1024
    )

    def send() -> None:
        for message in uploader.due():
            counts["chunks"] += len(message) > CHUNK_BYTES
            counts["messages"] += 1
            counts["largest"] = max(counts["largest"], len(message))
            receiver.submit(message)
        acknowledged = receiver.settle(wait=True)
        assert not acknowledged.refused
        uploader.acknowledge(tuple(outbox.waiting()))

    recorder = EpisodeRecorder(made.steps, 0)
    for number in range(steps + 1):
        if number:
            recorder.complete(np.zeros(7), np.zeros(7), (0.0, -float(number)))
        held = recorder.bytes
        recorder.observe(float(number), {"number": np.float32([number]), "camera": picture(number, size)}, False)
        row = recorder.journal_row()
        counts["frame_bytes"] += recorder.bytes - held
        if number == steps:
            recorder.close()
            uploader.add(recorder.take())
        elif recorder.complete_rows >= 50 or recorder.bytes >= BATCH_BYTES:
            uploader.add(recorder.take(), recorder.journal_row())
        else:
            uploader.note(row)
        send()
    observations, _, images = replay.sample_images(1, 16, torch.Generator().manual_seed(0))
    for number, image in zip(observations.view(-1).tolist(), images["camera"].flatten(0, 2), strict=True):
        np.testing.assert_array_equal(image.numpy(), picture(int(number), size))
    stored = sum(len(frames.data) for m in store.batches() for frames in m.batch.images.values())
    frames = sum(len(m.batch) for m in store.batches())
    receiver.close()
    store.close()
    outbox.close()
    files = {path.name: path.stat().st_size for path in folder.iterdir()}
    return counts | {
        "stored_bytes": stored,
        "stored_frames": frames,
        "replay_bytes": replay.frame_bytes,
        "replay_transitions": len(replay),
        "store_file": files["store.sqlite"],
        "outbox_file": files["outbox.sqlite"],
    }


if __name__ == "__main__":
    size, steps, replay_mib = map(int, sys.argv[1:4])
    warm = contract(size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    result = run(size, steps, Path(sys.argv[4]), replay_mib * 1024 * 1024)
    result["memory_mib"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(json.dumps(result))
