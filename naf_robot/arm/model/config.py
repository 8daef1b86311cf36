"""Which arm: its description, the joints that are controlled, the tool frame and the home posture."""

from pathlib import Path

import msgspec
import numpy as np

from naf_robot.arm.model.description import Description, disabled_pairs, read_xml
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.arm.model.packages import PackageNotFoundError, Packages
from naf_robot.core.config import Config
from naf_robot.core.errors import ConfigError
from naf_robot.core.finite import require_finite
from naf_robot.core.resources import find
from naf_robot.core.types import FilePath


class ArmConfig(Config, frozen=True):
    """Description of one arm; the order of `joints` is the order of every joint array."""

    urdf: FilePath  # description of the arm, URDF or xacro: a path, relative to the file that gives it, or a path of
    # this package; package://NAME/PATH; file:///PATH; or topic:///NAMESPACE/robot_description, read before a run
    tool_frame: str  # link of the description whose origin is the tool
    joints: tuple[str, ...]  # names of the controlled joints, in the order of all arrays
    home: tuple[float, ...]  # [rad], posture in which every episode starts, one value per joint
    fallback_urdf: FilePath | None = None  # description that is used instead where a package of `urdf` is not on this
    # machine
    package_dirs: tuple[FilePath, ...] = ()  # folders in which packages are looked for first: packages, or folders or
    # workspaces with packages
    xacro_args: dict[str, str | bool | int | float] = msgspec.field(
        default_factory=dict
    )  # arguments of a xacro file, by
    # name
    srdf: FilePath | None = None  # semantic description (SRDF or xacro) whose disabled pairs of links are not watched
    # for self-collision; given as `urdf` is
    locked: dict[str, float] = msgspec.field(default_factory=dict)  # [rad] positions of joints that are not
    # controlled, by name; others are locked at 0, or at the limit nearest to it
    continuous: tuple[str, ...] | None = None  # joints that turn without end and are observed by sine and cosine; null:
    # those that the description says

    def __post_init__(self) -> None:
        require_finite(self, "arm")
        if len(self.home) != len(self.joints):
            raise ConfigError(
                f"arm.home must have one position for each of the {len(self.joints)} joints, got {len(self.home)}"
            )

    def description(self, besides: tuple[str, ...] = ()) -> Description:
        """The resolved description: of `urdf`, or of `fallback_urdf` where a package of the former is missing.

        Joints `besides` the arm's, such as a gripper's, are free to move too.

        Raises:
            PackageNotFoundError: a package is not found, and there is no fallback.
            RobotModelError: the description cannot be read, or is not sound.
            UnknownNameError: a joint or link that it does not have.
        """
        try:
            return self._described(self.urdf, (), besides)
        except PackageNotFoundError as error:
            if self.fallback_urdf is None:
                raise
            note = f"arm.fallback_urdf {self.fallback_urdf!r} is used in place of {self.urdf!r}: {error}"
            return self._described(self.fallback_urdf, (note,), besides)

    def settled(self) -> "ArmConfig":
        """The same with the fallback in place of `urdf` where it is the one that is used: what later runs shall take.

        Raises:
            NafRobotError: as `description`.
        """
        if self.fallback_urdf is None:
            return self
        try:
            self._described(self.urdf, ())
        except PackageNotFoundError:
            return msgspec.structs.replace(self, urdf=self.fallback_urdf, fallback_urdf=None)
        return msgspec.structs.replace(self, fallback_urdf=None)

    def model(self, besides: tuple[str, ...] = ()) -> ArmModel:
        """Load the kinematics that this description names, with joints `besides` the arm's after them."""
        return ArmModel(self.description(besides), self.tool_frame, (*self.joints, *besides))

    def with_continuous(self) -> "ArmConfig":
        """This record with `continuous` as the description says.

        Raises:
            ConfigError: `continuous` is given, and the description says otherwise.
        """
        model = self.model()
        found = tuple(np.array(self.joints)[model.continuous].tolist())
        if self.continuous is not None and set(self.continuous) != set(found):
            raise ConfigError(
                f"arm.continuous names {', '.join(self.continuous) or 'no joint'}; continuous in {self.urdf} are "
                f"{', '.join(found) or 'none'}: leave it out"
            )
        return msgspec.structs.replace(self, continuous=found)

    def _described(self, urdf: str, notes: tuple[str, ...], besides: tuple[str, ...] = ()) -> Description:
        given = tuple(find(folder) for folder in self.package_dirs)
        path = _file(urdf, Packages(given))
        packages = Packages(given, path.parent)
        arguments = {name: _as_text(value) for name, value in self.xacro_args.items()}
        pairs = []
        if self.srdf is not None:
            pairs = disabled_pairs(_file(self.srdf, packages), arguments, packages)
        return Description.from_text(
            read_xml(path, arguments, packages),
            str(path),
            packages,
            folder=path.parent,
            joints=(*self.joints, *besides),
            tool_frame=self.tool_frame,
            locked={name: position for name, position in self.locked.items() if name not in besides},
            disabled_pairs=pairs,
            notes=notes,
        )


def _file(location: str, packages: Packages) -> Path:
    return packages.file(location).resolve() if ":" in location.partition("/")[0] else find(location)


def _as_text(value: object) -> str:
    """An argument as one gives it to xacro on the command line."""
    return str(value).lower() if isinstance(value, bool) else str(value)
