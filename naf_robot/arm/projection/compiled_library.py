"""The compiled check of braking paths: built once by the machine's C compiler, kept in the user's cache folder."""

import ctypes
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from naf_robot.core.user_cache import cache_folder, require_own

SOURCE = Path(__file__).with_name("path_check.c")
# No contraction and no unsafe mathematics: the same results on every machine, and comparisons that see NaN.
FLAGS = ("-O2", "-std=c99", "-fPIC", "-shared", "-ffp-contract=off")
COMPILERS = ("cc", "gcc", "clang")
SWITCH = "NAF_ROBOT_COMPILED"  # environment variable; 0 asks for the checks in Python
COMPILE_WITHIN_S = 20.0

_log = logging.getLogger(__name__)


@cache
def library() -> ctypes.CDLL | None:
    """The compiled functions; None, and the reason in the log, where they cannot be had."""
    if os.environ.get(SWITCH, "1") == "0":
        return None
    try:
        return ctypes.CDLL(str(_built()))
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        _log.info("the safety projection checks braking paths in Python, which takes a few times as long: %s", error)
        return None


def _built() -> Path:
    text = SOURCE.read_bytes()
    key = hashlib.sha256(b"\0".join((text, " ".join(FLAGS).encode(), platform.machine().encode()))).hexdigest()[:16]
    folder = cache_folder()
    path = folder / f"path_check_{key}.so"
    if path.exists():
        require_own(path)
        return path
    compiler = next((found for name in COMPILERS if (found := shutil.which(name))), None)
    if compiler is None:
        raise RuntimeError(f"no C compiler is installed ({', '.join(COMPILERS)})")
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        made = Path(scratch) / path.name
        command = [compiler, *FLAGS, "-o", str(made), str(SOURCE), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_WITHIN_S, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{compiler} fails: {done.stderr.strip()[:500]}")
        os.replace(made, path)  # whole or not at all, also where several processes begin at once
    return path
