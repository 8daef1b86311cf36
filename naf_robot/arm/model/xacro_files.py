"""xacro files to URDF text, by the `xacro` library, with packages found as everywhere else in a description."""

import contextlib
import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from naf_robot.arm.model.packages import PackageNotFoundError, Packages
from naf_robot.core.errors import RobotModelError

NAMESPACE = "/wiki/xacro}"  # of the elements' names; the part before it differs between makers
_seen: dict[tuple, tuple[dict[str, int], str]] = {}  # by what was asked: times of the files that were read, the text


def holds_xacro(robot: Element) -> bool:
    """Whether a document has elements of xacro, so that it is no URDF yet."""
    return any(isinstance(each.tag, str) and NAMESPACE in each.tag for each in robot.iter())


def expand(path: Path, arguments: Mapping[str, str], packages: Packages) -> str:
    """URDF (or SRDF) text of the xacro file at `path`; files that have not changed are not processed again.

    Raises:
        PackageNotFoundError: a package in it is not found.
        RobotModelError: xacro is not installed, or refuses the file; the reason in one sentence.
    """
    key = (path, tuple(sorted(arguments.items())), packages.given)
    known = _seen.get(key)
    if known is not None and known[0] == _times(known[0]):
        return known[1]
    text, files = _process(path, arguments, packages)
    _seen[key] = (_times([str(path), *files]), text)
    return text


def _process(path: Path, arguments: Mapping[str, str], packages: Packages) -> tuple[str, list[str]]:
    try:
        import xacro  # only whoever has a xacro file needs it
    except ImportError:
        raise RobotModelError(
            f"{str(path)!r} is a xacro file, and xacro is not installed: pip install xacro, or on a ROS machine "
            "apt install ros-jazzy-xacro"
        ) from None
    output = io.StringIO()
    try:
        with _finding(packages), contextlib.redirect_stderr(output):
            xacro.all_includes.clear()
            document = xacro.process_file(str(path), mappings=dict(arguments))
            return document.documentElement.toxml(), list(xacro.all_includes)
    except PackageNotFoundError as error:
        raise PackageNotFoundError(f"xacro file {str(path)!r}: {error}") from None
    except Exception as error:  # noqa: BLE001 - xacro evaluates the file's own expressions, which may raise anything
        if missing := _within(error, PackageNotFoundError):
            raise PackageNotFoundError(f"xacro file {str(path)!r}: {missing}") from None
        reason = " ".join(f"{error}".split()) or type(error).__name__
        given = ", ".join(f"{name}:={value}" for name, value in arguments.items()) or "none"
        raise RobotModelError(f"xacro refuses {str(path)!r}: {reason}; arm.xacro_args given: {given}") from None


@contextlib.contextmanager
def _finding(packages: Packages) -> Iterator[None]:
    """Let `$(find package)` look where descriptions do; xacro itself knows the ament index alone."""
    from xacro import substitution_args as module

    place: Any = module
    before = place._eval_find

    def find(package: str) -> str:
        return str(packages.folder(package))

    place._eval_find = place._eval_dict["find"] = find
    try:
        yield
    finally:
        place._eval_find = place._eval_dict["find"] = before


def _within(error: BaseException | None, kind: type[Exception]) -> Exception | None:
    """The error of `kind` that `error` was made of."""
    while error is not None:
        if isinstance(error, kind):
            return error
        inner = getattr(error, "exc", None)  # how XacroException keeps it
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
    return None


def _times(files: Any) -> dict[str, int]:
    found = {}
    for file in files:
        with contextlib.suppress(OSError):
            found[file] = os.stat(file).st_mtime_ns
    return found
