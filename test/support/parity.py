"""Whether what a run has recorded gives the steps that it has stored."""

import json
from collections.abc import Sequence
from pathlib import Path

from graph import naf_robot

from naf_robot.experience.bags.digest import EpisodeDigest, digest_of
from naf_robot.experience.codec import ExperienceMessage


def assert_bags_hold_what_was_stored(task: str, run_dir: Path, stored: Sequence[ExperienceMessage]) -> None:
    """The batches in the bags and the steps rebuilt from raw topics are those of the store, to the last bit."""
    digests: dict[tuple[str, int], EpisodeDigest] = {}
    for message in sorted(stored, key=lambda m: m.sequence):
        for number in sorted(set(message.batch.episode.tolist())):
            rows = (message.batch.episode == number).nonzero()[0]
            part = message.batch.between(int(rows[0]), int(rows[-1]) + 1)
            digests.setdefault((message.collector, number), EpisodeDigest()).add(part)
    bags = [str(path) for path in sorted((run_dir / "bags").iterdir())]
    for way in ((), ("--raw",)):
        words = (
            "--task",
            task,
            "--config",
            str(run_dir / "config.yaml"),
            "--run-dir",
            f"{run_dir}{'-'.join(way)}-steps",
        )
        process = naf_robot("replay", *bags, *words, "--json", *way)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        result = json.loads(out)
        assert (result["steps"], result["refused"]) == (sum(m.batch.transitions for m in stored), 0), result["findings"]
        assert result["sha256"] == digest_of(digest.hex() for digest in digests.values())
