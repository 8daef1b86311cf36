"""Malformed bytes against every reader of bytes: parameters, experience, acknowledgements, chunks, files. JSON.

    python benchmarks/fuzz.py --messages 1000000 --json

Whole messages are mutated (bits, bytes, slices, lengths, header fields, numbers), a part of them with the checksum
corrected, so that the checks behind it are reached too. A reader may reject with its declared errors or accept
valid messages; anything else is counted: another exception, a time-out, or something accepted that is not finite, of
another shape or of another task.
"""

import argparse
import json
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "test" / "support"))

import measuring
import numpy as np
from fuzz_mutations import mutate
from policies import untrained
from step_batches import CAMERA, CONTRACT, make_batch, with_pictures

from naf_robot.core.errors import NafRobotError
from naf_robot.core.images import decode_image
from naf_robot.core.records import PolicyParameters
from naf_robot.experience import envelope
from naf_robot.experience.chunks import ChunkAssembler, split
from naf_robot.experience.codec import (
    Acknowledgement,
    ExperienceMessage,
    decode_acknowledgement,
    decode_experience,
    decode_parameters,
    encode_acknowledgement,
    encode_experience,
    encode_parameters,
)
from naf_robot.experience.contract import Contract
from naf_robot.experience.outbox import Outbox
from naf_robot.learning.policies.registry import make_policy
from naf_robot.run.checkpoint import Checkpoint, read_folder, write_checkpoint
from naf_robot.run.config import TrainerConfig

HANG_S = 2.0  # processor time for one message


class Hang(BaseException):
    """A reader took longer than allowed; not an Exception, so that no reader can swallow it."""


class Garbage(Exception):
    """A reader accepted what it must not."""


def parameters(version: int = 7, hidden: tuple[int, ...] = (8, 8)) -> PolicyParameters:
    arrays = untrained(20, 7, hidden=hidden).arrays()
    return PolicyParameters(arrays, version, CONTRACT.task, CONTRACT.observation_spec, 10, 20, run_id=CONTRACT.run_id)


def read_parameters(data: bytes) -> None:
    """As a collector does."""
    found = decode_parameters(data, CONTRACT)
    policy = make_policy(found.kind, found.arrays)
    action = policy.action(np.zeros(20, np.float32))
    if not np.isfinite(action).all() or np.abs(action).max(initial=0.0) > 1.0 or found.version < 0:
        raise Garbage(f"parameters of version {found.version} give the action {action}")


def read_experience(data: bytes, contract: Contract = CONTRACT) -> None:
    """As the trainer does."""
    found = decode_experience(data, contract, TrainerConfig().max_message_bytes, open_frames=True)
    batch = found.batch
    vectors = batch.vectors(contract.steps.observation)
    finite = all(np.isfinite(a).all() for a in (vectors, batch.action, batch.reward))
    if not finite or len(batch) < 1 or vectors.shape != (len(batch), 20) or found.sequence < 0:
        raise Garbage(f"experience {found.collector!r} {found.sequence} of shape {vectors.shape}")
    for spec in contract.steps.observation.images:
        for index in range(len(batch)):
            if decode_image(batch.images[spec.name][index], spec).shape != spec.shape:
                raise Garbage(f"a frame of {spec.name!r} of another shape")


class ReadAcknowledgement:
    """As a collector does, with an outbox behind it: only a batch that waits may go."""

    def __init__(self, folder: Path) -> None:
        self.outbox = Outbox(folder / "fuzz.sqlite", "robot_1", CONTRACT, 10**9)
        for episode in range(4):
            self.outbox.append(make_batch(2, episode=episode))

    def __call__(self, data: bytes) -> None:
        found = decode_acknowledgement(data, CONTRACT)
        if found.updates < 0 or found.transitions < 0:
            raise Garbage("an acknowledgement with negative counts")
        self.outbox.acknowledge(tuple(n for n in found.sequences if n not in (0, 1, 2, 3)))
        if self.outbox.waiting() != [0, 1, 2, 3]:
            raise Garbage(f"{found.sequences} removed batches that were not named")


class ReadChunk:
    """As a collector does, one assembler for all messages; the pieces it keeps are counted."""

    def __init__(self) -> None:
        self.assembler = ChunkAssembler(run_id=CONTRACT.run_id)
        self.most_bytes = 0

    def __call__(self, data: bytes) -> None:
        whole = self.assembler.add(data)
        held = self.assembler.held_bytes
        self.most_bytes = max(self.most_bytes, held)
        if held > envelope.MAX_BYTES:
            raise Garbage(f"{held} bytes of chunks are kept")
        if whole is not None:
            read_parameters(whole)


class ReadCheckpoint:
    """A checkpoint folder in which one file is exchanged for the mutated one."""

    def __init__(self, folder: Path, name: str) -> None:
        checkpoint = Checkpoint({"parameters": np.zeros(40, np.float32)}, parameters(), {"episodes": 3})
        self.folder = write_checkpoint(folder, checkpoint, keep=1)
        self.file = self.folder / name
        self.data = self.file.read_bytes()

    def __call__(self, data: bytes) -> None:
        self.file.write_bytes(data)
        found = read_folder(self.folder)
        if not isinstance(found.counters, dict):
            raise Garbage("counters that are no mapping")


def targets(folder: Path) -> dict[str, tuple[list[bytes], Callable[[bytes], None], tuple[type, ...], float]]:
    """Per reader: whole messages, the reader, the errors it declares, its share."""
    batch = make_batch(3, last=True)
    experience = encode_experience(ExperienceMessage("robot_1", 5, 15, batch), CONTRACT)
    other = encode_experience(ExperienceMessage("robot_2", 6, 9, make_batch(1)), replace(CONTRACT, task="door_push"))
    pictures = encode_experience(ExperienceMessage("robot_1", 5, 15, with_pictures(make_batch(2, last=True))), CAMERA)
    acknowledgement = encode_acknowledgement(
        Acknowledgement(("robot_1", "robot_1"), (3, 4), 10, 20, run_id=CONTRACT.run_id)
    )
    refusal = encode_acknowledgement(Acknowledgement(("robot_1",), (4,), 10, 20, "the store is full", CONTRACT.run_id))
    small = encode_parameters(parameters())
    common = {"version": 3, "count": 2, "whole": "0" * 64, "run": CONTRACT.run_id, "sender": ""}
    chunks = [envelope.encode("chunk", {"bytes": np.frombuffer(small[i : i + 400], np.uint8)}, facts)
              for i, facts in ((0, common | {"index": 0}),
                               (400, common | {"index": 1}))]  # fmt: skip
    declared: tuple[type, ...] = (NafRobotError,)
    files = {}
    for name in ("learner.safetensors", "policy.safetensors", "checkpoint.json"):
        place = folder / name
        place.mkdir()
        reader = ReadCheckpoint(place, name)
        files[f"file {name}"] = ([reader.data], reader, (NafRobotError, OSError, ValueError, RecursionError), 0.01)
    return {
        "parameters": ([small, encode_parameters(parameters(8, (4,)))], read_parameters, declared, 0.3),
        "experience": ([experience, other], read_experience, declared, 0.3),
        "frames": ([pictures], lambda data: read_experience(data, CAMERA), declared, 0.07),
        "acknowledgement": ([acknowledgement, refusal], ReadAcknowledgement(folder), declared, 0.2),
        "chunk": ([*chunks, *split(small, 9, run_id=CONTRACT.run_id)], ReadChunk(), declared, 0.1),
        **files,
    }


def on_alarm(number: int, frame: FrameType | None) -> None:
    raise Hang


def run(messages: int, seed: int) -> dict[str, Any]:
    source = random.Random(seed)
    counts: Counter[str] = Counter()
    bad: list[str] = []
    begin, slowest_s = time.monotonic(), 0.0
    signal.signal(signal.SIGVTALRM, on_alarm)
    with tempfile.TemporaryDirectory() as folder:
        readers = targets(Path(folder))
        for originals, reader, _, _ in readers.values():
            reader(originals[0])  # the whole ones are accepted, else nothing below means anything
        names, shares = list(readers), [share for *_, share in readers.values()]
        memory_at_start = None
        for index in range(messages):
            name = source.choices(names, shares)[0]
            originals, reader, declared, _ = readers[name]
            data = mutate(source.choice(originals), source)
            started = time.process_time()
            signal.setitimer(signal.ITIMER_VIRTUAL, HANG_S)
            try:
                reader(data)
                outcome = "accepted"
            except declared:
                outcome = "refused"
            except Hang:
                outcome = "hangs"
            except Garbage as error:
                outcome = "garbage"
                bad.append(f"{name}: {error}")
            except Exception as error:  # noqa: BLE001  this is what is looked for
                outcome = "crashes"
                bad.append(f"{name}: {error!r} on {data[:200]!r}")
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
            slowest_s = max(slowest_s, time.process_time() - started)
            counts.update((outcome, f"{name} {outcome}"))
            if index == messages // 10:
                memory_at_start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "messages": messages,
        "crashes": counts["crashes"],
        "hangs": counts["hangs"],
        "garbage_accepted": counts["garbage"],
        "refused": counts["refused"],
        "accepted_valid": counts["accepted"],
        "by_reader": {key: counts[key] for key in sorted(counts) if " " in key},
        "slowest_ms": round(1e3 * slowest_s, 1),
        "memory_mib": round(memory / 1024, 1),
        "memory_growth_mib_after_warm_up": round((memory - (memory_at_start or memory)) / 1024, 1),
        "worst": bad[:10],
        "seed": seed,
        "wall_s": round(time.monotonic() - begin, 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one line")
    options = parser.parse_args()
    result = run(options.messages, options.seed)
    print(json.dumps(result | {"command": measuring.command()}, indent=None if options.json else 1))
    return 1 if result["crashes"] or result["hangs"] or result["garbage_accepted"] else 0


if __name__ == "__main__":
    sys.exit(main())
