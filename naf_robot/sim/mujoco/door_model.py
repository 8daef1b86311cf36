"""Builds the door's bodies, joints, latch and sensors into a MuJoCo model."""

import mujoco

from naf_robot.sim.scenes.door import DoorSceneConfig
from naf_robot.tasks.door_geometry import HINGE_AXIS, LEVER_AXIS, DoorGeometry

FRAME, PANEL, LEVER = "door_frame", "door_panel", "door_lever"
HINGE_JOINT, LEVER_JOINT, LATCH = "door_hinge", "door_handle", "door_latch"
GRIP_SITE, IMU_SITE = "door_grip", "door_imu"
IMU_ORIENTATION, IMU_RATE, IMU_ACCELERATION = "door_imu_orientation", "door_imu_rate", "door_imu_acceleration"
QUARTER_TURN = 1.5707963267948966

WOOD, METAL, WALL = (0.72, 0.55, 0.38, 1.0), (0.35, 0.37, 0.4, 1.0), (0.85, 0.85, 0.82, 1.0)
POST = 0.02  # [m] half width of the frame's posts
GAP = 0.01  # [m] between frame and panel
LEVER_MASS = 0.25  # [kg]


def build_door(spec: mujoco.MjSpec, config: DoorSceneConfig) -> None:
    """Add the door to `spec`: a frame that can be moved as a whole, a panel on it, a lever on the panel.

    The door's parts do not collide with one another, only with the arm: hinge, stops and bolt are
    joints, limits and an equality, which stay stable at the control rate where contacts would not.
    """
    shape = config.geometry
    frame = spec.worldbody.add_body(name=FRAME, mocap=True, pos=config.position)
    _add_frame(frame, shape)
    panel = frame.add_body(name=PANEL)
    panel.add_joint(
        name=HINGE_JOINT,
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=HINGE_AXIS,
        range=config.hinge_range,
        limited=True,
        armature=0.01,
    )
    half = [shape.panel_thickness / 2.0, shape.panel_width / 2.0, shape.panel_height / 2.0]
    _solid(panel, mujoco.mjtGeom.mjGEOM_BOX, half, [0.0, -half[1], 0.0], WOOD, config.physics.panel_mass, PANEL)
    panel.add_site(name=IMU_SITE, pos=[half[0], -0.75 * shape.panel_width, 0.1])
    _add_lever(panel, config)
    latch = spec.add_equality(name=LATCH, type=mujoco.mjtEq.mjEQ_JOINT, name1=HINGE_JOINT)
    latch.solref[:2] = [0.01, 1.0]
    latch.solimp[:3] = [0.98, 0.995, 0.001]
    for name, kind in (
        (IMU_ORIENTATION, mujoco.mjtSensor.mjSENS_FRAMEQUAT),
        (IMU_RATE, mujoco.mjtSensor.mjSENS_GYRO),
        (IMU_ACCELERATION, mujoco.mjtSensor.mjSENS_ACCELEROMETER),
    ):
        spec.add_sensor(name=name, type=kind, objtype=mujoco.mjtObj.mjOBJ_SITE, objname=IMU_SITE)


def _add_frame(frame: mujoco.MjsBody, shape: DoorGeometry) -> None:
    box, tall = mujoco.mjtGeom.mjGEOM_BOX, shape.panel_height / 2.0
    for y in (POST + GAP, -shape.panel_width - POST - GAP):
        _solid(frame, box, [POST, POST, tall + 2.0 * POST + GAP], [0.0, y, 0.0], WALL)
    middle = -shape.panel_width / 2.0
    _solid(frame, box, [POST, shape.panel_width / 2.0 + GAP, POST], [0.0, middle, tall + POST + GAP], WALL)


def _add_lever(panel: mujoco.MjsBody, config: DoorSceneConfig) -> None:
    shape = config.geometry
    lever = panel.add_body(name=LEVER, pos=shape.lever_axis)
    lever.add_joint(
        name=LEVER_JOINT,
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=LEVER_AXIS,
        range=[0.0, QUARTER_TURN],
        limited=True,
        armature=0.002,
    )
    capsule, radius = mujoco.mjtGeom.mjGEOM_CAPSULE, shape.lever_radius
    neck = _solid(lever, capsule, [radius, 0.0, 0.0], [0.0, 0.0, 0.0], METAL, 0.4 * LEVER_MASS)
    neck.fromto = [shape.lever_distance, 0.0, 0.0, 0.0, 0.0, 0.0]
    bar = _solid(lever, capsule, [radius, 0.0, 0.0], [0.0, 0.0, 0.0], METAL, 0.6 * LEVER_MASS, LEVER)
    bar.fromto = [0.0, 0.0, 0.0, 0.0, shape.lever_length, 0.0]
    lever.add_site(name=GRIP_SITE, pos=[0.0, shape.grip, 0.0])


def _solid(
    body: mujoco.MjsBody,
    kind: mujoco.mjtGeom,
    size: list[float],
    position: list[float],
    colour: tuple[float, float, float, float],
    mass: float = 1.0,
    name: str = "",
) -> mujoco.MjsGeom:
    # contype 0 against conaffinity 1: touches the arm's shapes, which have both, but no other part of the door.
    return body.add_geom(
        name=name, type=kind, size=size, pos=position, rgba=colour, mass=mass, contype=0, conaffinity=1
    )
