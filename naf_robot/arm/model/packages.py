"""Finds ROS packages and the files that descriptions name, with and without a ROS installation."""

import os
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

from naf_robot.core.errors import RobotModelError

CRAWL_DEPTH = 3  # folders below a given one in which packages are looked for, such as workspace/src/repository
SKIPPED = {"build", "install", "log", "node_modules", "__pycache__"}


class PackageNotFoundError(RobotModelError):
    """A ROS package that is not on this machine, or not where it was looked for."""


class Packages:
    """The packages that a description in `folder` may name.

    Looked for, in this order: `package_dirs`, each a package, a folder of packages or a workspace; the parents of
    `folder` and what stands beside them; the prefixes of AMENT_PREFIX_PATH; the folders of ROS_PACKAGE_PATH; the
    shared folders of the Python environment, where packages from PyPI put their robots.
    """

    def __init__(self, package_dirs: Sequence[Path] = (), folder: Path | None = None) -> None:
        self.given = tuple(package_dirs)
        self._folder = folder
        self._found: dict[str, Path] = {}

    def folder(self, package: str) -> Path:
        """The folder of `package`.

        Raises:
            PackageNotFoundError: it is in none of the places; all are named.
        """
        if package not in self._found:
            found = next(self._candidates(package), None)
            if found is None:
                raise PackageNotFoundError(
                    f"package {package!r} not found; looked in {', '.join(self._places())}: install it, source its "
                    "workspace, or name the folder that holds it in arm.package_dirs"
                )
            self._found[package] = found.resolve()
        return self._found[package]

    def file(self, location: str, folder: Path | None = None) -> Path:
        """The file at `location`: `package://`, `file://`, an absolute path, or one relative to `folder`.

        Raises:
            PackageNotFoundError: its package is not found.
            RobotModelError: there is no such file.
        """
        if location.startswith(("http://", "https://")):
            raise RobotModelError(f"file {location!r} is on the network: put a copy on this machine and name that")
        if location.startswith("topic://"):
            raise RobotModelError(f"{location!r} is a topic, which is read where a run is composed, not here")
        places = list(self._readings(location.strip(), folder or self._folder or Path.cwd()))
        for place in places:
            if place.is_file():
                return place
        raise RobotModelError(f"file {location!r} not found; looked for {', '.join(str(place) for place in places)}")

    def _readings(self, location: str, folder: Path) -> Iterator[Path]:
        """What `location` may mean: as it stands, then percent-decoded, then with the separators of Windows."""
        for text in dict.fromkeys((location, unquote(location), location.replace("\\", "/"))):
            if text.startswith(("package://", "model://")):
                package, _, rest = text.partition("://")[2].lstrip("/").partition("/")  # some write package:///
                yield self.folder(package) / rest
            elif text.startswith("file:"):
                rest = text.removeprefix("file:")
                path = Path("/" + rest.lstrip("/")) if rest.startswith("/") else folder / rest
                yield path
            elif Path(text).is_absolute():
                yield Path(text)
            else:
                yield folder / text
                package_root = next((parent for parent in folder.parents if (parent / "package.xml").is_file()), None)
                if package_root is not None:
                    yield package_root / text

    def _candidates(self, package: str) -> Iterator[Path]:
        for place in self.given:
            yield from _below(place, package, CRAWL_DEPTH)
        if self._folder is not None:
            for place in (self._folder, *self._folder.parents):
                if _is_package(place, package):
                    yield place
                elif (beside := place / package).is_dir():
                    yield beside
                elif place != Path(place.anchor) and (place / "package.xml").is_file():
                    yield from _below(place.parent, package, 1)
        for prefix in _entries("AMENT_PREFIX_PATH"):
            if (share := prefix / "share" / package).is_dir():
                yield share
        for place in _entries("ROS_PACKAGE_PATH"):
            yield from _below(place, package, CRAWL_DEPTH)
        for share in _python_shares():
            if (share / package).is_dir():
                yield share / package

    def _places(self) -> list[str]:
        places = [str(place) for place in self.given]
        if self._folder is not None:
            places.append(f"{self._folder} and its parents")
        for name in ("AMENT_PREFIX_PATH", "ROS_PACKAGE_PATH"):
            places.append(f"{name}{'' if os.environ.get(name) else ' (not set)'}")
        return [*places, *(str(share) for share in _python_shares())]


def _below(place: Path, package: str, depth: int) -> Iterator[Path]:
    """Folders at or at most `depth` below `place` that are `package`; the inside of other packages is left out."""
    if _is_package(place, package):
        yield place
        return
    if (place / "share" / package).is_dir():
        yield place / "share" / package
    if depth == 0 or ((place / "package.xml").is_file() and depth < CRAWL_DEPTH):
        return
    try:
        folders = sorted(each for each in place.iterdir() if each.is_dir())
    except OSError:
        return
    for each in folders:
        if not each.name.startswith(".") and each.name not in SKIPPED:
            yield from _below(each, package, depth - 1)


def _is_package(place: Path, package: str) -> bool:
    if place.name == package and place.is_dir():
        return True
    manifest = place / "package.xml"
    try:
        return manifest.is_file() and ElementTree.parse(manifest).getroot().findtext("name", "").strip() == package
    except (OSError, ElementTree.ParseError):
        return False


def _entries(variable: str) -> list[Path]:
    return [Path(entry) for entry in os.environ.get(variable, "").split(os.pathsep) if entry]


def _python_shares() -> list[Path]:
    shares = [Path(entry) / "cmeel.prefix" / "share" for entry in sys.path if entry]
    return [share for share in dict.fromkeys((*shares, Path(sys.prefix) / "share")) if share.is_dir()]
