"""Independent random streams by name, so that adding one never changes another."""

import hashlib

import numpy as np


def stream(seed: int, *names: object) -> np.random.Generator:
    """The generator that belongs to `names` under `seed`; equal arguments give equal streams."""
    return np.random.default_rng([seed, *_words(names)])


def derived_seed(seed: int, *names: object) -> int:
    """A 31-bit seed for libraries that take one number."""
    return int(stream(seed, *names).integers(2**31))


def _words(names: tuple[object, ...]) -> list[int]:
    digest = hashlib.sha256("/".join(str(name) for name in names).encode()).digest()
    return [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4)]
