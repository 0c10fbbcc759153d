"""Twice the pixels of a face: a small residual network, for merging.

Source: the shape is that of ESPCN (Shi et al., CVPR 2016), which works at the small size and lays four pixels at the
end, with residual blocks as in EDSR (Lim et al., CVPRW 2017); what it adds to a bicubic enlargement is learned.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from lookalike.errors import WeightsError

WEIGHTS = Path(__file__).parent / "weights" / "upscaler.safetensors"
"""Trained by `scripts/train_upscaler`."""

_CHANNELS = 32
_BLOCKS = 3


class _Block(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="replicate"),
            nn.PReLU(channels),
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="replicate"),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)  # type: ignore[no-any-return]


class Upscaler(nn.Module):
    """(B, 3, H, W) RGB in [0, 1] to (B, 3, 2H, 2W)."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, _CHANNELS, 5, padding=2, padding_mode="replicate")
        self.blocks = nn.Sequential(*(_Block(_CHANNELS) for _ in range(_BLOCKS)))
        self.last = nn.Conv2d(_CHANNELS, 12, 3, padding=1, padding_mode="replicate")

    def forward(self, picture: Tensor) -> Tensor:
        """Enlarge; begins as a bicubic enlargement if the last layer is zero."""
        large = F.interpolate(picture, scale_factor=2, mode="bicubic", align_corners=False)
        more = F.pixel_shuffle(self.last(self.blocks(self.first(picture * 2 - 1))), 2)
        return (large + more.float()).clamp(0, 1)


def load_upscaler(path: Path = WEIGHTS) -> Upscaler:
    """The upscaler with the weights of a file, in float32.

    Raises:
        WeightsError: they are missing, damaged, or another network's.
    """
    network = Upscaler()
    try:
        network.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
    except FileNotFoundError as exc:
        raise WeightsError(f"{path} is missing, which --super-resolution needs; install lookalike again") from exc
    except (SafetensorError, RuntimeError, OSError) as exc:
        raise WeightsError(f"{path} holds no weights of the upscaler; install lookalike again") from exc
    return network.eval().requires_grad_(False)


def begun(seed: int) -> Upscaler:
    """An upscaler before training."""
    torch.manual_seed(seed)
    network = Upscaler()
    nn.init.zeros_(network.last.weight)
    assert network.last.bias is not None
    nn.init.zeros_(network.last.bias)
    return network
