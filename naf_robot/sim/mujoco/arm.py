"""Compiles an arm's description, its velocity servos and a scene into one MuJoCo model."""

import xml.etree.ElementTree as ElementTree

import mujoco
import numpy as np

from naf_robot.arm.control.gripper import GripperConfig
from naf_robot.arm.model.contacts import untouchable_pairs
from naf_robot.arm.model.description import Description
from naf_robot.arm.model.kinematics import ArmModel
from naf_robot.core.errors import RobotModelError
from naf_robot.sim.mujoco.gripper import add_motors
from naf_robot.sim.mujoco.rendering import add_camera
from naf_robot.sim.mujoco.scenes import Scene
from naf_robot.sim.mujoco.servos import add_servos
from naf_robot.sim.registry import LinkPairs
from naf_robot.sim.simulator import SimulatorConfig

WORLD, OTHER_WORLD = "world", "world_link"
Frame = tuple[int, int] | None
COMPILER = {"fusestatic": "false", "discardvisual": "true", "angle": "radian", "autolimits": "true"}


def build_model(
    kinematics: ArmModel,
    scene: Scene,
    config: SimulatorConfig,
    ignored: LinkPairs = (),
    frame: Frame = None,
    gripper: GripperConfig | None = None,
) -> mujoco.MjModel:
    """The compiled model; `scene` is bound to it. `kinematics` have the joints of a `gripper` after the arm's.

    As configured, gravity is compensated for the arm's own bodies, as the controllers of such arms do. Links collide
    where the safety projection may watch them, and with the scene; pairs that are `ignored` there do not. With a
    `frame`, the height and width of pictures, there is a camera.

    Raises:
        RobotModelError: MuJoCo cannot load or compile the description; the reason in one sentence.
    """
    description = kinematics.description
    root = kinematics.pinocchio_model.frames[1].name
    try:
        spec = mujoco.MjSpec.from_string(_readable(description, root))
    except ValueError as error:
        raise RobotModelError(f"MuJoCo cannot load URDF {description.source!r}: {_sentence(error)}") from None
    spec.option.timestep = config.physics_step_s
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 5.0
    spec.option.disableflags |= mujoco.mjtDisableBit.mjDSBL_AUTORESET  # a divergence must be seen, not reset away
    for body in spec.bodies:
        body.gravcomp = config.gravity_compensation
    _add_hulls(spec, description, root)
    excluded = untouchable_pairs(kinematics) | {frozenset(pair) for pair in ignored}
    for first, second in sorted(sorted(body_of(link, root) for link in pair) for pair in excluded):
        spec.add_exclude(bodyname1=first, bodyname2=second)
    add_servos(spec, kinematics, config, gripper.joints if gripper is not None else ())
    if gripper is not None:
        add_motors(spec, gripper)
    try:
        scene.build(spec)  # whose names may be those of links
        if frame is not None:
            spec.compiler.discardvisual = False  # what nothing touches is seen
            add_camera(spec, config.camera, *frame)
        model = spec.compile()
    except ValueError as error:
        raise RobotModelError(f"MuJoCo cannot compile URDF {description.source!r}: {_sentence(error)}") from None
    scene.bind(model)
    return model


def body_of(link: str, root: str) -> str:
    """Name of the body of `link`: MuJoCo's own world is what a root link `world` becomes, and no other one."""
    return OTHER_WORLD if link == WORLD != root else link


def _readable(description: Description, root: str) -> str:
    """The description as MuJoCo shall read it: without what is only seen, and without meshes, which come as hulls."""
    robot = ElementTree.fromstring(description.text)
    for element in [each for each in robot if each.tag not in ("link", "joint")]:
        robot.remove(element)
    for end in (*robot.findall("joint/parent"), *robot.findall("joint/child")):
        end.set("link", body_of(end.get("link", ""), root))
    for link in robot.findall("link"):
        link.set("name", body_of(link.get("name", ""), root))
        for visual in link.findall("visual"):
            link.remove(visual)
        for collision in link.findall("collision"):
            if collision.find("geometry/mesh") is not None:
                link.remove(collision)
    ElementTree.SubElement(ElementTree.SubElement(robot, "mujoco"), "compiler", COMPILER)
    return ElementTree.tostring(robot, encoding="unicode")


def _add_hulls(spec: mujoco.MjSpec, description: Description, root: str) -> None:
    for number, shape in enumerate(description.shapes):
        if shape.kind != "mesh":
            continue
        name = f"hull_{number}"
        mesh = spec.add_mesh(name=name, uservert=np.asarray(shape.geometry.points()).ravel())
        mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL  # which thin hulls have too; the links have their own
        spec.body(body_of(shape.link, root)).add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH, meshname=name, pos=shape.placement.translation, quat=shape.quaternion
        )


def _sentence(error: ValueError) -> str:
    """MuJoCo's message on one line; it names the element on further ones."""
    lines = [line.strip() for line in str(error).splitlines()]
    return "; ".join(line for line in lines if line).removeprefix("Error: ")
