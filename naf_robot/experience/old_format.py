"""Experience as older versions stored it: transitions with both their observations. Read here for conversion alone."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from naf_robot.core.errors import CodecError
from naf_robot.core.records import STEP_DTYPES, StepBatch
from naf_robot.experience.compacted import NO_STEP, EpisodePart
from naf_robot.experience.contract import Contract
from naf_robot.experience.envelope import MAX_BYTES, decode

SCHEMA = "1"  # of messages and files
COMPACTED = b'{"thinned"'
ARRAYS = (  # of a transition, in the order of the journal
    "observation",
    "action",
    "requested_action",
    "reward",
    "reward_terms",
    "next_observation",
    "terminated",
    "truncated",
    "episode",
    "step",
    "policy_version",
    "greedy",
    "success",
    "stamp_s",
)
Arrays = dict[str, NDArray]


class Border(NamedTuple):
    """What a batch has to know of its neighbours."""

    first: tuple[int, int]  # episode and step of its first transition
    last: tuple[int, int]  # and of its last one
    ended: bool  # whether the last one ends its episode
    success: bool  # of the last one


@dataclass(frozen=True)
class OldBatch:
    """One batch of transitions; of a compacted one only the episodes are left."""

    count: int
    arrays: Arrays | None
    checksum: str  # of a compacted one's message
    parts: list[
        list[Any]
    ]  # of a compacted one: episode, steps, terms, greedy, success, version, ended, least, greatest

    @property
    def border(self) -> Border:
        """What its neighbours have to know."""
        if self.arrays is None:
            first, last = self.parts[0], self.parts[-1]
            return Border((first[0], NO_STEP), (last[0], NO_STEP), last[6], last[4])
        a = self.arrays
        ends = [(int(a["episode"][i]), int(a["step"][i])) for i in (0, -1)]
        return Border(ends[0], ends[1], bool(a["terminated"][-1] | a["truncated"][-1]), bool(a["success"][-1]))


def read_batch(payload: bytes) -> OldBatch:
    """One batch of a store or an outbox.

    Raises:
        CodecError: it is damaged.
    """
    if payload.startswith(COMPACTED):
        try:
            values = json.loads(payload)
            return OldBatch(sum(part[1] for part in values["parts"]), None, values["thinned"], values["parts"])
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise CodecError(f"a compacted batch is damaged: {error!r}") from None
    arrays = decode(payload, "experience", MAX_BYTES, schema=SCHEMA).arrays
    if set(arrays) != set(ARRAYS) or len(arrays["reward"]) == 0:
        raise CodecError(f"a batch of transitions must hold {sorted(ARRAYS)}, got {sorted(arrays)}")
    return OldBatch(len(arrays["reward"]), arrays, "", [])


def read_journal(rows: list[bytes], contract: Contract) -> OldBatch | None:
    """The transitions of a journal, the last one truncated; None if there are none.

    Raises:
        CodecError: a row of another length than expected.
    """
    if not rows:
        return None
    widths = {"observation": contract.observation_size, "next_observation": contract.observation_size}
    widths |= {"action": contract.action_size, "requested_action": contract.action_size}
    widths |= {"reward_terms": len(contract.reward_names)}
    dtypes = {"next_observation": np.dtype("float32"), "observation": np.dtype("float32"), **STEP_DTYPES}
    layout = np.dtype([(name, dtypes[name], (widths[name],) if name in widths else ()) for name in ARRAYS])
    if any(len(row) != layout.itemsize for row in rows):
        raise CodecError(f"journalled transitions have {sorted({*map(len, rows)})} bytes, not {layout.itemsize}")
    records = np.frombuffer(b"".join(rows), layout)
    arrays = {name: records[name].copy() for name in ARRAYS}
    arrays["truncated"][-1] |= not arrays["terminated"][-1]
    return OldBatch(len(records), arrays, "", [])


def steps_of(
    batch: OldBatch, before: Border | None, after: Border | None, contract: Contract, period_s: float
) -> StepBatch:
    """The steps of a whole batch between its neighbours; an episode that nothing goes on with is closed, truncated.

    Raises:
        CodecError: transitions whose observations do not follow each other.
    """
    a = batch.arrays
    assert a is not None, "a compacted batch has no steps"
    rows: list[tuple[int, bool, bool, bool]] = []  # source, has an action, closing, truncated
    for i in range(batch.count):
        ended = bool(a["terminated"][i] | a["truncated"][i])
        here = (int(a["episode"][i]), int(a["step"][i]))
        following = (int(a["episode"][i + 1]), int(a["step"][i + 1])) if i + 1 < batch.count else _first(after)
        goes_on = not ended and following is not None and following[0] == here[0]
        rows.append((i, True, False, False))
        if not goes_on:
            rows.append((i, False, True, bool(a["truncated"][i]) or not ended))
        elif following is not None and following[1] not in (here[1] + 1, NO_STEP):
            rows.append((i, False, False, False))  # the step after it was discarded, but it was observed
        elif i + 1 < batch.count and not np.array_equal(a["next_observation"][i], a["observation"][i + 1]):
            raise CodecError(f"the observations of episode {here[0]} do not follow each other at step {here[1]}")
    source, *flags = zip(*rows, strict=True)
    at, has_action, close, truncated = np.array(source), *map(np.array, flags)
    wide = has_action[:, None]
    vectors = np.where(wide, a["observation"][at], a["next_observation"][at])
    is_first = np.append(True, a["episode"][1:] != a["episode"][:-1])
    success_before = np.where(is_first, False, np.append(False, a["success"][:-1]))
    success_before[0] = before is not None and before.last[0] == a["episode"][0] and before.success
    return StepBatch(
        observation=contract.steps.observation.unflatten(vectors),
        action=np.where(wide, a["action"][at], np.float32(0.0)),
        requested_action=np.where(wide, a["requested_action"][at], np.float32(0.0)),
        reward=np.where(has_action, a["reward"][at], np.float32(0.0)),
        reward_terms=np.where(wide, a["reward_terms"][at], np.float32(0.0)),
        has_action=has_action,
        closing=close,
        terminated=close & a["terminated"][at],
        truncated=truncated,
        episode=a["episode"][at],
        step=a["step"][at] + ~has_action,
        policy_version=a["policy_version"][at],
        greedy=a["greedy"][at],
        success=np.where(has_action, success_before[at], a["success"][at]),
        stamp_s=a["stamp_s"][at] + np.where(has_action, 0.0, period_s),
    )


def parts_of_compacted(batch: OldBatch, before: list[EpisodePart], after: Border | None) -> list[EpisodePart]:
    """The episodes of a compacted batch; `before` are those of the batch before it."""
    parts: list[EpisodePart] = []
    following = _first(after)
    for index, (episode, steps, terms, greedy, success, version, ended, least, greatest) in enumerate(batch.parts):
        last = before[-1] if index == 0 and before else None
        first = last.open_step + 1 if last is not None and last.episode == episode else 0
        is_last = index == len(batch.parts) - 1
        is_open = is_last and not ended and following is not None and following[0] == episode
        open_step = first + steps - 1 if is_open else NO_STEP
        closed = not is_open
        parts.append(
            EpisodePart(episode, steps, terms, greedy, success, version, closed, least, greatest, first, open_step)
        )
    return parts


def _first(border: Border | None) -> tuple[int, int] | None:
    return border.first if border is not None else None
