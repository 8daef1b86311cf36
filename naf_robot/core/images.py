"""Pictures as compressed bytes and back. Loads Pillow; only who has a camera imports this."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from naf_robot.core.array_spec import ArraySpec, SpecError
from naf_robot.core.frames import FrameFormat

PNG_LEVEL = 1  # of zlib: a third of the time of the default level for some per cent more bytes
FORMATS = ("PNG", "JPEG")


def encode_image(image: NDArray[np.uint8], kind: FrameFormat = "png", quality: int = 90) -> bytes:
    """Compress `image` (H, W, 3): `png` without loss, or `jpeg` of `quality` 1 to 95."""
    buffer = io.BytesIO()
    if kind == "png":
        Image.fromarray(image).save(buffer, "PNG", compress_level=PNG_LEVEL)
    else:
        Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def decode_image(data: bytes, spec: ArraySpec) -> NDArray[np.uint8]:
    """The picture (H, W, 3) of `spec`; sizes are checked before anything is decompressed.

    Raises:
        SpecError: no PNG or JPEG, or of another size or kind.
    """
    height, width, _ = spec.shape
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.size != (width, height) or image.mode != "RGB":
                raise SpecError(
                    f"a frame of {spec.name!r} must be {width} x {height} RGB, got {image.size[0]} x {image.size[1]} "
                    f"{image.mode}"
                )
            return np.asarray(image)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise SpecError(f"a frame of {spec.name!r} is no PNG or JPEG picture: {error}") from None
