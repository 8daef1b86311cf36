"""Corners of the hulls of mesh files, kept in the user's cache: every process of a run needs the same ones."""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from naf_robot.core.records import FloatArray
from naf_robot.core.user_cache import cache_folder, require_own

FOLDER = "hulls"
VERSION = b"1"  # of the way in which corners are computed


def kept_corners(path: Path, scale: tuple[float, float, float], compute: Callable[[], FloatArray]) -> FloatArray:
    """What `compute` returns, (k, 3) [m], for the mesh at `path` with this `scale`; computed once for equal files.

    A cache that cannot be read or written changes nothing but the time.
    """
    key = hashlib.sha256(VERSION + repr((path.suffix.lower(), scale)).encode() + path.read_bytes()).hexdigest()
    with contextlib.suppress(OSError, RuntimeError, ValueError, EOFError):
        kept = cache_folder(FOLDER) / f"{key}.npy"
        require_own(kept)
        corners = np.load(kept, allow_pickle=False)
        if corners.dtype == np.float64 and corners.ndim == 2 and corners.shape[1] == 3 and np.isfinite(corners).all():
            return np.array(corners)
    corners = compute()
    with contextlib.suppress(OSError, RuntimeError):
        folder = cache_folder(FOLDER)
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".partial", delete=False) as file:
            np.save(file, corners)
        os.replace(file.name, folder / f"{key}.npy")  # whole or not at all, also where several processes begin at once
    return corners
