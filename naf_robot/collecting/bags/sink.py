"""Where the steps of bags go: a run folder's experience store, each batch once however often it is read."""

import itertools

from naf_robot.core.errors import StoreError
from naf_robot.core.records import StepBatch
from naf_robot.experience.bags.digest import EpisodeDigest, digest_of
from naf_robot.experience.codec import ExperienceMessage, encode_experience
from naf_robot.experience.contract import Contract
from naf_robot.experience.store import ExperienceStore, Received

GROUP = 64  # batches in one transaction, which costs the disk a wait
GROUP_BYTES = 16 << 20


class Sink:
    """Stores batches and counts them, in transitions: `steps` read, `added` of them that were new.

    `refused` are sentences about batches that the store did not take.
    """

    def __init__(self, store: ExperienceStore, contract: Contract) -> None:
        self._store, self._contract = store, contract
        self._group: list[Received] = []
        self._group_bytes = 0
        self._digests: dict[tuple[str, int], EpisodeDigest] = {}
        self.steps = self.added = self.added_batches = 0
        self.refused: list[str] = []

    def put(self, collector: str, sequence: int, first_step: int, batch: StepBatch) -> None:
        """One batch of `collector`, whose episodes begin in it or go on from the one before."""
        for number, part in _episodes(batch):
            self._digests.setdefault((collector, number), EpisodeDigest()).add(part)
        self.steps += batch.transitions
        message = ExperienceMessage(collector, sequence, first_step, batch)
        payload = encode_experience(message, self._contract)
        self._group.append((message, payload))
        self._group_bytes += len(payload)
        if len(self._group) >= GROUP or self._group_bytes >= GROUP_BYTES:
            self.flush()

    def flush(self) -> None:
        """Make everything durable."""
        outcomes = self._store.insert_group(self._group) if self._group else []
        for (message, _), outcome in zip(self._group, outcomes, strict=True):
            if isinstance(outcome, StoreError):
                self.refused.append(str(outcome))
            elif outcome:
                self.added += message.batch.transitions
                self.added_batches += 1
        self._group, self._group_bytes = [], 0

    def episodes(self) -> int:
        """Those of which steps came."""
        return len(self._digests)

    def sha256(self) -> str:
        """Digest of every episode's steps, in whatever order and division they came."""
        return digest_of(digest.hex() for digest in self._digests.values())


def _episodes(batch: StepBatch) -> list[tuple[int, StepBatch]]:
    """The parts of a batch by episode."""
    episodes = batch.episode
    if (episodes == episodes[0]).all():
        return [(int(episodes[0]), batch)]
    starts = [0, *(i for i in range(1, len(batch)) if episodes[i] != episodes[i - 1]), len(batch)]
    return [(int(episodes[a]), batch.between(a, b)) for a, b in itertools.pairwise(starts)]
