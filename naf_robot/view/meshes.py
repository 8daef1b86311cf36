"""Mesh files as binary glTF, as browsers draw them: COLLADA, OBJ and STL files, with the colours that they have."""

import logging
from functools import lru_cache
from pathlib import Path

import trimesh
from trimesh.visual.material import PBRMaterial
from trimesh.visual.texture import TextureVisuals

from naf_robot.arm.model.visuals import GREY, Colour
from naf_robot.core.errors import RobotModelError

METAL, ROUGHNESS = 0.1, 0.6  # of every surface: files of makers state none, and glTF's default is bare metal

logging.getLogger("trimesh").setLevel(logging.ERROR)


@lru_cache(maxsize=256)
def glb_of(path: Path, colour: Colour | None = None) -> bytes:
    """The mesh at `path` in its own units and colours, or in `colour` where it has none of its own.

    Raises:
        RobotModelError: there is no such file, or no mesh in it.
    """
    try:
        scene = trimesh.load_scene(path, process=False)
    except Exception as error:  # noqa: BLE001  readers of five libraries: whatever they raise, the file is at fault
        raise RobotModelError(f"mesh {str(path)!r} is not drawn: {' '.join(str(error).split())[:200]}") from None
    if not scene.geometry:
        raise RobotModelError(f"mesh {str(path)!r} is not drawn: it has no triangles")
    for mesh in scene.geometry.values():
        mesh.visual = TextureVisuals(material=_material(mesh, colour))
    return bytes(scene.export(file_type="glb"))


def _material(mesh: trimesh.Trimesh, colour: Colour | None) -> PBRMaterial:
    own = getattr(mesh.visual, "material", None)
    if own is not None and colour is None:
        rgba = [int(value) for value in own.main_color]
    else:
        rgba = [round(255 * value) for value in colour or GREY]
    transparent = rgba[3] < 255
    return PBRMaterial(
        baseColorFactor=rgba,
        metallicFactor=METAL,
        roughnessFactor=ROUGHNESS,
        doubleSided=True,  # some files turn single triangles the wrong way
        alphaMode="BLEND" if transparent else "OPAQUE",
    )
