"""What pictures are disturbed with while they are learned from: shift (Kostrikov et al. 2021, DrQ), light and colour.

A camera is never quite where it was, and neither is the sun; without such noise a critic also learns single pixels by
heart. N pictures, H x W pixels.
"""

import torch
from torch import Tensor

from naf_robot.learning.vision.config import EncoderConfig


def as_floats(pictures: Tensor) -> Tensor:
    """`pictures`, uint8 (N, H, W, 3), as the encoder takes them: float (N, 3, H, W) in [-0.5, 0.5]."""
    return pictures.permute(0, 3, 1, 2).float().div_(255.0).sub_(0.5)


def augmented(pictures: Tensor, config: EncoderConfig, generator: torch.Generator) -> Tensor:
    """`pictures`, uint8 (N, H, W, 3), as floats (N, 3, H, W), each shifted and recoloured by its own random numbers.

    Values stay within [-0.5, 0.5].
    """
    if config.shift:
        pictures = shifted(pictures, config.shift, generator)
    floats = as_floats(pictures)
    count, device = len(floats), floats.device
    if config.contrast:
        floats *= 1.0 + config.contrast * _uniform((count, 1, 1, 1), generator, device)
    if config.brightness:
        floats += config.brightness * _uniform((count, 3, 1, 1), generator, device)
    return floats.clamp_(-0.5, 0.5)


def shifted(pictures: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Each of `pictures` (N, H, W, 3) moved by up to `most` pixels along both axes; its edges are repeated."""
    count, height, width, _ = pictures.shape
    moves = torch.randint(-most, most + 1, (2, count, 1), generator=generator, device=pictures.device)
    rows = (torch.arange(height, device=pictures.device) + moves[0]).clamp_(0, height - 1)
    columns = (torch.arange(width, device=pictures.device) + moves[1]).clamp_(0, width - 1)
    numbers = torch.arange(count, device=pictures.device)
    return pictures[numbers[:, None, None], rows[:, :, None], columns[:, None, :]]


def _uniform(shape: tuple[int, ...], generator: torch.Generator, device: torch.device) -> Tensor:
    """Numbers uniform in [-1, 1]."""
    return torch.rand(shape, generator=generator, device=device) * 2.0 - 1.0
