"""Pictures as compressed bytes and back. Loads Pillow; only who has a camera imports this."""

import io
from collections.abc import Callable

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


def open_image(data: bytes, check_size: Callable[[int, int], None]) -> NDArray[np.uint8]:
    """The picture (H, W, 3) that `data` hold, of any size; grey is repeated in all colours.

    `check_size` gets height and width before anything is decompressed, and raises to refuse them.

    Raises:
        SpecError: no PNG or JPEG, or neither in colour nor grey.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.mode not in ("RGB", "L", "RGBA"):
                raise SpecError(f"its pixels are {image.mode}; valid: RGB, RGBA, L (grey)")
            check_size(image.height, image.width)
            return np.array(image.convert("RGB"))
    except Image.DecompressionBombError as error:
        raise SpecError(f"it is too large: {error}") from None
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise SpecError(f"it is no PNG or JPEG picture: {' '.join(str(error).split())}") from None


def resized(picture: NDArray[np.uint8], box: tuple[int, int, int, int], height: int, width: int) -> NDArray[np.uint8]:
    """The part `box` (left, top, right, bottom) of `picture` as (height, width, 3), each pixel the mean of its area."""
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX, box))
