"""The cells of a grid: what one process trains. Loads no torch."""

import hashlib
import json
import re
from typing import Any

import msgspec

from naf_robot.core.config import Config


class Cell(Config, frozen=True, kw_only=True):
    """One training: what does it, what stands in its row, and what it is made of."""

    module: str  # whose function `train_cell(cell, place)` does it and returns the row
    labels: dict[str, Any]  # what tells its row from others, such as task, algorithm, library and seed
    settings: dict[str, Any]  # resolved

    @property
    def name(self) -> str:
        """The name of its folder."""
        text = "-".join(str(value) for value in self.labels.values())
        return re.sub(r"[^A-Za-z0-9_.-]+", "_", text)


def content_hash(value: Any) -> str:
    """SHA-256 of plain values, the same whatever the order of their keys; the first 16 digits."""
    text = json.dumps(msgspec.to_builtins(value), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
