"""Descriptions that a running robot publishes (`arm.urdf: topic:///left/robot_description`), fetched before a run.

A node reads the topic in a process of its own, so that composing a configuration needs no ROS. The text becomes a
file, named after its content, in the user's cache folder; a run keeps a copy in its own folder.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from naf_robot.core.errors import RobotModelError
from naf_robot.core.files import replace_file
from naf_robot.run.robot import RobotConfig

SCHEME = "topic://"
READER = "naf_robot.nodes.robot_description"
TIMEOUT_S = 5.0  # for the text; a latched topic gives it at once
PROCESS_TIMEOUT_S = 60.0  # for the whole process, on a busy machine
FOLDER = "descriptions"


def with_fetched(robots: dict[str, RobotConfig]) -> dict[str, RobotConfig]:
    """`robots` with files in place of topics; each topic is read once.

    Raises:
        RobotModelError: nothing is published there, or ROS is not installed.
    """
    files: dict[str, str] = {}
    found = {}
    for name, robot in robots.items():
        urdf = robot.arm.urdf
        if urdf.startswith(SCHEME):
            if urdf not in files:
                files[urdf] = str(_stored(_fetched("/" + urdf.removeprefix(SCHEME).strip("/"))))
            robot = msgspec.structs.replace(robot, arm=msgspec.structs.replace(robot.arm, urdf=files[urdf]))
        found[name] = robot
    return found


def kept_in(run_dir: Path, robots: dict[str, RobotConfig]) -> dict[str, RobotConfig]:
    """`robots` with copies in `run_dir` of descriptions that came from topics: the cache may be emptied."""
    found = {}
    for name, robot in robots.items():
        path = Path(robot.arm.urdf)
        if path.parent == _cache():
            copy = run_dir / FOLDER / path.name
            copy.parent.mkdir(exist_ok=True)
            replace_file(copy, path.read_bytes())
            robot = msgspec.structs.replace(robot, arm=msgspec.structs.replace(robot.arm, urdf=str(copy)))
        found[name] = robot
    return found


def _fetched(topic: str) -> bytes:
    command = [sys.executable, "-m", READER, topic, str(TIMEOUT_S)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PROCESS_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise RobotModelError(f"topic {topic!r} could not be read within {PROCESS_TIMEOUT_S:g} s") from None
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = lines[-1] if lines else f"exit code {done.returncode}"
        if "No module named" in reason:
            reason = f"cannot read topic {topic!r}: ROS 2 is not installed for this Python ({reason})"
        raise RobotModelError(reason)
    return done.stdout


def _stored(text: bytes) -> Path:
    path = _cache() / f"{hashlib.sha256(text).hexdigest()[:16]}.urdf"
    if not path.is_file():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, text)
        except OSError as error:
            raise RobotModelError(f"cannot keep a description in {str(path.parent)!r}: {error.strerror}") from None
    return path


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or (
        str(Path(os.environ["HOME"]) / ".cache") if "HOME" in os.environ else ""
    )
    return Path(home or Path(tempfile.gettempdir()) / f"cache-{os.getuid()}") / "naf_robot" / FOLDER
