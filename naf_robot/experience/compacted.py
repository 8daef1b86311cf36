"""What is kept of a batch whose steps are evicted: enough to count its episodes and to recognise a resend."""

import json
from dataclasses import dataclass

import numpy as np

from naf_robot.core.errors import CodecError
from naf_robot.core.records import StepBatch
from naf_robot.experience.envelope import checksum_of

MARK = b'{"compacted"'  # no whole message begins so: its first eight bytes are the length of a bounded header
NO_STEP = -1


@dataclass(frozen=True)
class EpisodePart:
    """The steps of one episode that stand together in one batch."""

    episode: int
    steps: int  # those with an action: transitions begin at them
    terms: list[float]  # each reward term's sum
    greedy: bool  # this and what follows: at the last step
    success: bool
    policy_version: int
    ended: bool  # terminated or truncated
    least_reward: float
    greatest_reward: float
    first_step: int  # number of the first step here
    open_step: int  # number of the last step if it has an action, and so its successor in the next batch; else -1

    def is_followed_by(self, following: "EpisodePart") -> bool:
        """Whether a transition leads from the last step here to the first one of `following`, of the next batch."""
        return (
            self.open_step != NO_STEP
            and following.episode == self.episode
            and following.first_step == self.open_step + 1
        )


def parts_of(batch: StepBatch) -> list[EpisodePart]:
    """`batch` by episodes, in its order."""
    last_of_part = batch.closing.copy()
    last_of_part[-1] = True
    last_of_part[:-1] |= batch.episode[1:] != batch.episode[:-1]
    parts, start = [], 0
    for last in np.flatnonzero(last_of_part).tolist():
        acted = batch.has_action[start : last + 1]
        rewards, terms = batch.reward[start : last + 1], batch.reward_terms[start : last + 1]
        if not acted.all():
            rewards, terms = rewards[acted], terms[acted]
        parts.append(
            EpisodePart(
                episode=int(batch.episode[last]),
                steps=len(rewards),
                terms=terms.sum(axis=0, dtype=np.float64).tolist(),
                greedy=bool(batch.greedy[last]),
                success=bool(batch.success[last]),
                policy_version=int(batch.policy_version[last]),
                ended=bool(batch.closing[last]),
                least_reward=float(rewards.min(initial=np.inf)) if len(rewards) else 0.0,
                greatest_reward=float(rewards.max(initial=-np.inf)) if len(rewards) else 0.0,
                first_step=int(batch.step[start]),
                open_step=int(batch.step[last]) if acted[-1] else NO_STEP,
            )
        )
        start = last + 1
    return parts


def compact(batch: StepBatch, payload: bytes) -> bytes:
    """What to keep in place of `payload`, the message of `batch`."""
    return compacted_bytes(checksum_of(payload), parts_of(batch))


def compacted_bytes(checksum: str, parts: list[EpisodePart]) -> bytes:
    """A compacted batch, of the checksum of its message and its episodes."""
    values = [list(vars(part).values()) for part in parts]
    return json.dumps({"compacted": checksum, "parts": values}, separators=(",", ":")).encode()


def is_compacted(payload: bytes) -> bool:
    """Whether `payload` is a compacted batch."""
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
