"""One description of an arm for everything that needs one: kinematics, collision and simulation."""

import hashlib
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from naf_robot.arm.model.inertia import repair_inertia
from naf_robot.arm.model.joint_tree import Mimic, check_tree, lock_joints, state_limits
from naf_robot.arm.model.packages import Packages
from naf_robot.arm.model.shapes import Shape, links_without_shapes, read_shapes
from naf_robot.arm.model.xacro_files import expand, holds_xacro
from naf_robot.core.errors import RobotModelError

Pair = frozenset[str]  # two links


@dataclass(frozen=True, eq=False)
class Description:
    """An arm's URDF in which nothing is left to find, to guess or to repair.

    In `text`, mesh files are absolute, joints that are not controlled are fixed where they are locked, and every
    moving link has inertia. Kinematics, collision and simulation are made of it and of `shapes`, and of nothing else.
    """

    text: str
    source: str  # the file or topic that it came from
    shapes: tuple[Shape, ...] = ()  # collision shapes, meshes as convex hulls
    mimics: Mapping[str, Mimic] = field(default_factory=dict)  # joints that follow a controlled one, by name
    disabled_pairs: frozenset[Pair] = frozenset()  # links whose collision the SRDF disables
    unwatched: tuple[str, ...] = ()  # what the collision shapes leave out, in sentences
    notes: tuple[str, ...] = ()  # everything that was assumed, repaired or left out, in sentences

    @property
    def name(self) -> str:
        """The file's name, for messages."""
        return Path(self.source).name

    @property
    def root(self) -> str:
        """The link that no joint moves: the arm's base frame."""
        robot = parse(self.text, self.source)
        moved = {child.get("link") for child in robot.findall("joint/child")}
        return next(name for link in robot.findall("link") if (name := link.get("name", "")) not in moved)

    def fingerprint(self) -> str:
        """A hash of everything that makes a difference to motion: not of what is only seen, nor of where files are."""
        robot = parse(self.text, self.source)
        for element in [each for each in robot if each.tag not in ("link", "joint")]:
            robot.remove(element)
        for link in robot.findall("link"):
            for element in [*link.findall("visual"), *link.findall("collision")]:
                link.remove(element)
        text = ElementTree.canonicalize(ElementTree.tostring(robot, "unicode"), strip_text=True)
        found = hashlib.sha256(text.encode())
        for shape in self.shapes:
            found.update(shape.identity())
        found.update(repr(sorted(sorted(pair) for pair in self.disabled_pairs)).encode())
        return found.hexdigest()

    @classmethod
    def from_file(
        cls, path: Path, joints: Sequence[str] = (), tool_frame: str = "", locked: Mapping[str, float] | None = None
    ) -> "Description":
        """The description in a URDF or xacro file without arguments; the rest is as in `from_text`.

        Raises:
            PackageNotFoundError: a package that it names is not found.
            RobotModelError: it cannot be read, or is not sound.
        """
        packages = Packages((), path.parent)
        return cls.from_text(
            read_xml(path, {}, packages),
            str(path),
            packages,
            folder=path.parent,
            joints=joints,
            tool_frame=tool_frame,
            locked=locked,
        )

    @classmethod
    def from_text(
        cls,
        text: str | bytes,
        source: str,
        packages: Packages | None = None,
        *,
        folder: Path | None = None,
        joints: Sequence[str] = (),
        tool_frame: str = "",
        locked: Mapping[str, float] | None = None,
        disabled_pairs: Sequence[tuple[str, str]] = (),
        notes: Sequence[str] = (),
    ) -> "Description":
        """The description in URDF text out of `source`, whose relative paths start at `folder`.

        `joints` are the controlled ones (none: all that move), `locked` the positions of others [rad or m].

        Raises:
            UnknownNameError: a joint or link that it does not have; those that it has are listed.
            ConfigError: a joint locked outside its limits.
            RobotModelError: it is no sound URDF.
        """
        packages, where = packages or Packages((), folder), f"URDF {Path(source).name}"
        robot, unwatched = parse(text, source), list[str]()
        if holds_xacro(robot):
            raise RobotModelError(f"{source!r} is xacro, not URDF: give the xacro file itself, or process it first")
        check_tree(robot, where)
        for element in robot.findall("mujoco"):  # how we compile is not the file's to decide
            robot.remove(element)
        try:
            shapes = tuple(read_shapes(robot, lambda location: packages.file(location, folder), unwatched))
        except RobotModelError as error:
            raise type(error)(f"cannot load the collision shapes of {source!r}: {error}") from None
        if bare := links_without_shapes(robot, shapes):
            unwatched.append(f"nothing keeps links without collision shape from touching others: {', '.join(bare)}")
        _resolve_visuals(robot, packages, folder)
        moving = [joint.get("name", "") for joint in robot.findall("joint") if _moves_by_itself(joint)]
        mimics = lock_joints(robot, joints or moving, locked or {}, tool_frame, where)
        state_limits(robot, where)
        repaired = repair_inertia(robot, shapes, where)
        links = {link.get("name", "") for link in robot.findall("link")}  # an SRDF may be of a larger robot
        pairs = frozenset(frozenset(pair) for pair in disabled_pairs if links.issuperset(pair))
        text = ElementTree.tostring(robot, encoding="unicode")
        return cls(text, source, shapes, mimics, pairs, tuple(unwatched), (*notes, *unwatched, *repaired))


def read_xml(path: Path, xacro_args: Mapping[str, str], packages: Packages) -> str | bytes:
    """The content of a URDF or SRDF file, processed where it is xacro.

    Raises:
        RobotModelError: it cannot be read or processed.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RobotModelError(f"cannot read URDF {str(path)!r}: {error.strerror}") from None
    if path.suffix == ".xacro" or holds_xacro(parse(content, str(path))):
        return expand(path, xacro_args, packages)
    return content


def parse(content: str | bytes, source: str) -> Element:
    """The root element of an XML document.

    Raises:
        RobotModelError: it is no XML, or in another encoding than it says.
    """
    try:
        return ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        reason = error
    if isinstance(content, bytes):
        try:
            content.decode("utf-8")
        except UnicodeDecodeError as wrong:
            raise RobotModelError(
                f"URDF {source!r} is not UTF-8 text (byte {wrong.start}): save it in that encoding"
            ) from None
    raise RobotModelError(f"{source!r} is not a valid URDF: {reason}")


def disabled_pairs(path: Path, xacro_args: Mapping[str, str], packages: Packages) -> list[tuple[str, str]]:
    """Pairs of links whose collision the SRDF (or xacro) at `path` disables.

    Raises:
        RobotModelError: it is no SRDF.
    """
    robot = parse(read_xml(path, xacro_args, packages), str(path))
    if robot.tag != "robot":
        raise RobotModelError(f"{str(path)!r} is not a valid SRDF: its first element is <{robot.tag}>, not <robot>")
    return [(each.get("link1", ""), each.get("link2", "")) for each in robot.findall("disable_collisions")]


def _moves_by_itself(joint: Element) -> bool:
    return joint.get("type") in ("revolute", "continuous", "prismatic") and joint.find("mimic") is None


def _resolve_visuals(robot: Element, packages: Packages, folder: Path | None) -> None:
    """Absolute files for what viewers show; a mesh that is not there is theirs to miss."""
    for mesh in robot.findall("link/visual/geometry/mesh"):
        try:
            mesh.set("filename", str(packages.file(mesh.get("filename", ""), folder)))
        except RobotModelError:
            continue
