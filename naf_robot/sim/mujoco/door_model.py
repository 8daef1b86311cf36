"""Builds the described door into a MuJoCo model: bodies, joints, the latch and the IMU's sensors."""

from collections.abc import Sequence

import mujoco

from naf_robot.sim.scenes.door import DoorSceneConfig
from naf_robot.sim.scenes.door_parts import Hinge, Solid, door_parts

FRAME, PANEL, LEVER = "door_frame", "door_panel", "door_lever"
HINGE_JOINT, LEVER_JOINT, LATCH = "door_hinge", "door_handle", "door_latch"
GRIP_SITE, IMU_SITE = "door_grip", "door_imu"
IMU_ORIENTATION, IMU_RATE, IMU_ACCELERATION = "door_imu_orientation", "door_imu_rate", "door_imu_acceleration"


def build_door(spec: mujoco.MjSpec, config: DoorSceneConfig) -> None:
    """Add the door to `spec`: a frame that can be moved as a whole, a panel on it, a lever on the panel.

    Hinge, stops and bolt are joints, limits and an equality, which stay stable at the control rate where contacts
    would not.
    """
    parts, shape = door_parts(config, PANEL, LEVER), config.geometry
    frame = spec.worldbody.add_body(name=FRAME, mocap=True, pos=config.position)
    _add_solids(frame, parts.frame)
    panel = frame.add_body(name=PANEL)
    _add_joint(panel, HINGE_JOINT, parts.hinge)
    _add_solids(panel, parts.panel)
    panel.add_site(name=IMU_SITE, pos=parts.imu_position)
    lever = panel.add_body(name=LEVER, pos=shape.lever_axis)
    _add_joint(lever, LEVER_JOINT, parts.lever_hinge)
    _add_solids(lever, parts.lever)
    lever.add_site(name=GRIP_SITE, pos=[0.0, shape.grip, 0.0])
    latch = spec.add_equality(name=LATCH, type=mujoco.mjtEq.mjEQ_JOINT, name1=HINGE_JOINT)
    latch.solref[:2] = [0.01, 1.0]
    latch.solimp[:3] = [0.98, 0.995, 0.001]
    for name, kind in (
        (IMU_ORIENTATION, mujoco.mjtSensor.mjSENS_FRAMEQUAT),
        (IMU_RATE, mujoco.mjtSensor.mjSENS_GYRO),
        (IMU_ACCELERATION, mujoco.mjtSensor.mjSENS_ACCELEROMETER),
    ):
        spec.add_sensor(name=name, type=kind, objtype=mujoco.mjtObj.mjOBJ_SITE, objname=IMU_SITE)


def _add_joint(body: mujoco.MjsBody, name: str, hinge: Hinge) -> None:
    body.add_joint(
        name=name,
        type=mujoco.mjtJoint.mjJNT_HINGE,
        axis=hinge.axis,
        range=hinge.limits,
        limited=True,
        armature=hinge.armature,
    )


def _add_solids(body: mujoco.MjsBody, solids: Sequence[Solid]) -> None:
    for solid in solids:
        box = solid.shape == "box"
        # contype 0 against conaffinity 1: touches the arm's shapes, which have both, but no other part of the door.
        geom = body.add_geom(
            name=solid.name,
            type=mujoco.mjtGeom.mjGEOM_BOX if box else mujoco.mjtGeom.mjGEOM_CAPSULE,
            size=solid.half_size if box else [solid.radius, 0.0, 0.0],
            pos=solid.start if box else [0.0, 0.0, 0.0],
            rgba=solid.colour,
            mass=solid.mass,
            contype=0,
            conaffinity=1,
        )
        if not box:
            geom.fromto = [*solid.start, *solid.end]
