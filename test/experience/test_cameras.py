"""Pictures from the recorder to the learner: outbox, chunks, receiver, store, replay."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from naf_robot.core.array_spec import ArraySpec, ObservationSpec, SpecError
from naf_robot.core.records import StepSpec
from naf_robot.experience.recorder import EpisodeRecorder

SCRIPT = Path(__file__).resolve().parents[1] / "support" / "camera_run.py"


def camera_run(folder: Path, size: int, steps: int, replay_mib: int) -> dict:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(SCRIPT), *map(str, (size, steps, replay_mib)), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("size", "steps"), [(64, 120), (472, 10)])
def test_a_camera_goes_all_the_way_and_every_frame_is_held_once(tmp_path: Path, size: int, steps: int):
    found = camera_run(tmp_path, size, steps, replay_mib=1000)
    raw = 3 * size * size
    assert found["stored_frames"] == steps + 1
    assert (steps + 1) * raw <= found["stored_bytes"] < 1.01 * (steps + 1) * raw + 20_000
    assert found["stored_bytes"] == found["frame_bytes"] == found["replay_bytes"]
    assert found["store_file"] < 1.05 * found["stored_bytes"] + 100_000
    assert found["replay_transitions"] == steps
    assert found["largest"] <= 512 * 1024 + 10_000, "large batches travel in chunks"
    assert found["chunks"] > 0


def test_memory_is_bounded_however_long_the_episode(tmp_path: Path):
    """20 and 60 frames of 472 x 472, 13 and 38 MiB, with 8 MiB of them in replay."""
    memory = {}
    for steps in (20, 60):
        folder = tmp_path / str(steps)
        folder.mkdir()
        found = camera_run(folder, 472, steps, replay_mib=8)
        assert found["replay_bytes"] <= 8 * 1024 * 1024
        assert 0 < found["replay_transitions"] < 14
        assert found["outbox_file"] < 12 * 1024 * 1024, "freed pages are used again"
        memory[steps] = found["memory_mib"]
    assert memory[60] < memory[20] + 16
    assert memory[60] < 150


def test_pictures_are_compressed_when_they_are_asked_for_or_the_next_step_begins():
    """A control tick sends its velocity first: compressing a large picture takes longer than the tick may."""
    spec = StepSpec(ObservationSpec("seen", (ArraySpec("camera", (8, 8, 3), dtype="uint8"),)), 1, ("reward",))
    recorder, picture = EpisodeRecorder(spec, 0), np.full((8, 8, 3), 7, np.uint8)
    recorder.observe(0.0, {"camera": picture}, False)
    assert recorder.bytes == 0
    recorder.journal_row()
    first = recorder.bytes
    assert first > 0
    recorder.complete([0.0], [0.0], [1.0])
    assert recorder.bytes == first
    recorder.observe(1.0, {"camera": picture}, False)
    recorder.complete([0.0], [0.0], [1.0])
    assert recorder.bytes == 2 * first
    recorder.observe(2.0, {"camera": picture}, False)
    with pytest.raises(SpecError, match="camera"):
        recorder.observe(3.0, {"camera": picture[:4]}, False)
    recorder.close()
    steps = recorder.take()
    assert recorder.bytes == 0
    assert [len(steps.images["camera"][row]) for row in range(3)] == [first] * 3
