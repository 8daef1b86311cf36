"""What is kept of a batch whose transitions are given up: enough to know its episodes and to recognise it again."""

import json
from dataclasses import dataclass

import numpy as np

from naf_robot.core.errors import CodecError
from naf_robot.core.records import TransitionBatch
from naf_robot.experience.envelope import checksum_of

MARK = b'{"compacted"'  # no whole message begins so: its first eight bytes are the length of a bounded header


@dataclass(frozen=True)
class EpisodePart:
    """The transitions of one episode that stand together in one batch."""

    episode: int
    steps: int
    terms: list[float]  # each reward term's sum
    greedy: bool  # this and what follows: at the last transition
    success: bool
    policy_version: int
    ended: bool  # terminated or truncated
    least_reward: float
    greatest_reward: float


def parts_of(batch: TransitionBatch) -> list[EpisodePart]:
    """`batch` by episodes, in its order."""
    ends = batch.terminated | batch.truncated
    last_of_part = ends.copy()
    last_of_part[-1] = True
    last_of_part[:-1] |= batch.episode[1:] != batch.episode[:-1]
    parts, start = [], 0
    for last in np.flatnonzero(last_of_part).tolist():
        parts.append(
            EpisodePart(
                episode=int(batch.episode[last]),
                steps=last + 1 - start,
                terms=batch.reward_terms[start : last + 1].sum(axis=0, dtype=np.float64).tolist(),
                greedy=bool(batch.greedy[last]),
                success=bool(batch.success[last]),
                policy_version=int(batch.policy_version[last]),
                ended=bool(ends[last]),
                least_reward=float(batch.reward[start : last + 1].min()),
                greatest_reward=float(batch.reward[start : last + 1].max()),
            )
        )
        start = last + 1
    return parts


def compact(batch: TransitionBatch, payload: bytes) -> bytes:
    """What to keep in place of `payload`, the message of `batch`."""
    parts = [list(vars(part).values()) for part in parts_of(batch)]
    return json.dumps({"compacted": checksum_of(payload), "parts": parts}, separators=(",", ":")).encode()


def is_compacted(payload: bytes) -> bool:
    """Whether only this much is left of a batch."""
    return payload.startswith(MARK)


def read_compacted(payload: bytes) -> tuple[str, list[EpisodePart]]:
    """The checksum of the message that was, and its episodes.

    Raises:
        CodecError: it is damaged.
    """
    try:
        values = json.loads(payload)
        return str(values["compacted"]), [EpisodePart(*part) for part in values["parts"]]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CodecError(f"a compacted batch is damaged: {error!r}") from None
