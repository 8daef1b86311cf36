"""An arm whose links are meshes: points of uneven clouds, of which the collision shapes are the convex hulls."""

import numpy as np

from naf_robot.arm.model.kinematics import ArmModel

AXES = ("0 0 1", "0 1 0", "0 1 0", "0 0 1", "0 1 0", "0 0 1")
LENGTH = 0.22  # [m] of a link


def mesh_arm(folder):
    """Six joints, seven links, each an OBJ file beside the description."""
    random, text = np.random.default_rng(0), ""
    for link in range(len(AXES) + 1):
        cloud = random.normal(size=(60, 3)) * (0.025, 0.02, 0.05) + (0.0, 0.0, 0.5 * LENGTH)
        vertices = "\n".join(f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in cloud.tolist())
        faces = "\n".join(f"f {k} {k + 1} {k + 2}" for k in range(1, len(cloud) - 1))
        (folder / f"link_{link}.obj").write_text(f"{vertices}\n{faces}\n")
        shape = f'<collision><geometry><mesh filename="link_{link}.obj"/></geometry></collision>'
        text += f'<link name="link_{link}">{shape}</link>'
        if link:
            text += (
                f'<joint name="joint_{link}" type="revolute">'
                f'<parent link="link_{link - 1}"/><child link="link_{link}"/>'
                f'<origin xyz="0 0 {LENGTH}"/><axis xyz="{AXES[link - 1]}"/>'
                '<limit lower="-2.6" upper="2.6" effort="50" velocity="1.6"/></joint>'
            )
    path = folder / "mesh_arm.urdf"
    path.write_text(f'<robot name="mesh_arm">{text}</robot>')
    return ArmModel(path, f"link_{len(AXES)}")
