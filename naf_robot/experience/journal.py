"""One transition as bytes: the arrays of `TransitionBatch` one behind the other. For the outbox's journal only.

Sizes follow from the contract, integrity from the database: these bytes never leave the file.
"""

from dataclasses import fields

import numpy as np

from naf_robot.core.errors import CodecError
from naf_robot.core.records import TRANSITION_DTYPES, TransitionBatch
from naf_robot.experience.codec import Contract


def pack(row: TransitionBatch) -> bytes:
    """A batch of one transition as bytes."""
    return b"".join(getattr(row, field.name).tobytes() for field in fields(TransitionBatch))


def unpack(data: bytes, contract: Contract) -> TransitionBatch:
    """Read what `pack` wrote.

    Raises:
        CodecError: it has another length than the contract implies.
    """
    widths = {"observation": contract.observation_size, "next_observation": contract.observation_size}
    widths |= {"action": contract.action_size, "requested_action": contract.action_size}
    widths |= {"reward_terms": len(contract.reward_names)}
    dtypes = [(f.name, TRANSITION_DTYPES[f.name], (widths[f.name],) if f.name in widths else ()) for f in _FIELDS]
    layout = np.dtype(dtypes)
    if len(data) != layout.itemsize:
        raise CodecError(f"a journalled transition has {len(data)} bytes, {layout.itemsize} were expected")
    record = np.frombuffer(data, layout)
    return TransitionBatch(**{field.name: record[field.name].copy() for field in _FIELDS})


_FIELDS = fields(TransitionBatch)
