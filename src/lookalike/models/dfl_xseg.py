"""XSeg, the mask network of DeepFaceLab 2, so that its weights fit; it is asked, not trained, here.

Layers: 3x3 convolutions, each followed by filter response normalisation and a threshold that is learned (Singh and
Krishnan, CVPR 2020); halvings that blur first (BlurPool, Zhang, ICML 2019); a dense bottleneck; transposed convolutions
back, with what the way down saw at their side.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from lookalike.errors import WeightsError
from lookalike.files import replacing

SIDE: Final = 256
"""Pixels of the face it sees."""
NETWORK: Final = "dfl-xseg"
"""What the metadata of a file of its weights calls it."""
_CONVS: Final = (2, 2, 2, 3, 3, 3)
"""Convolutions of each stage."""
_WIDTHS: Final = (1, 2, 4, 8, 8, 8)
"""Channels of each stage, in units of the base."""
_BLURS: Final = (4, 3, 2, 2, 2, 2)
"""Pixels a side that are blurred before each halving."""
_BINOMIAL: Final = {2: (1.0, 1.0), 3: (1.0, 2.0, 1.0), 4: (1.0, 3.0, 3.0, 1.0)}
_CODE: Final = 512
_BOTTOM: Final = SIDE >> len(_WIDTHS)
_WIDEST: Final = 256
_FORMAT: Final = "1"


class _Normed(nn.Module):
    """A mean square of 1 in each channel, then a scale and a shift of each."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.eps = nn.Parameter(torch.full((1,), 1e-6))

    def forward(self, x: Tensor) -> Tensor:
        scaled = x * torch.rsqrt(x.square().mean((2, 3), keepdim=True) + self.eps.abs())
        return scaled * self.weight[:, None, None] + self.bias[:, None, None]


class _Block(nn.Module):
    """A convolution, or one that doubles the side, normalised and cut off below a learned threshold."""

    def __init__(self, channels_in: int, channels_out: int, *, up: bool = False) -> None:
        super().__init__()
        self.conv: nn.Module = (
            nn.ConvTranspose2d(channels_in, channels_out, 3, 2) if up else nn.Conv2d(channels_in, channels_out, 3, 1, 1)
        )
        self.norm = _Normed(channels_out)
        self.floor = nn.Parameter(torch.zeros(channels_out))

    def forward(self, x: Tensor) -> Tensor:
        made = self.conv(x)
        if isinstance(self.conv, nn.ConvTranspose2d):
            made = made[:, :, :-1, :-1]
        return torch.maximum(self.norm(made), self.floor[:, None, None])


class DflXseg(nn.Module):
    """(B, 3, 256, 256) RGB in [0, 1] to (B, 1, 256, 256) in [0, 1]: 1 where the face is seen."""

    def __init__(self, base: int = 32) -> None:
        """A network whose first stage has `base` channels."""
        super().__init__()
        widths = [base * width for width in _WIDTHS]
        for stage, width in enumerate(widths):
            above = widths[stage - 1] if stage else 3
            below = widths[min(stage + 1, len(widths) - 1)]
            lifted = min(width, 4 * base)
            last = _CONVS[stage]
            self.add_module(f"up{stage}", _Block(below, lifted, up=True))
            for number in range(1, last + 1):
                self.add_module(f"conv{stage}{number}", _Block(above if number == 1 else width, width))
                self.add_module(f"uconv{stage}{number}", _Block(width + lifted if number == last else width, width))
        self.squeeze = nn.Linear(_BOTTOM**2 * widths[-1], _CODE)
        self.expand = nn.Linear(_CODE, _BOTTOM**2 * widths[-1])
        self.out = nn.Conv2d(base, 1, 3, 1, 1)

    def forward(self, seen: Tensor) -> Tensor:
        """What is seen of each pixel."""
        x, kept = seen, []
        for stage, blur in enumerate(_BLURS):
            for number in range(1, _CONVS[stage] + 1):
                x = self.get_submodule(f"conv{stage}{number}")(x)
            kept.append(x)
            x = _halved(x, blur)
        x = self.expand(self.squeeze(x.flatten(1))).unflatten(1, (-1, _BOTTOM, _BOTTOM))
        for stage in reversed(range(len(_BLURS))):
            x = torch.cat([self.get_submodule(f"up{stage}")(x), kept[stage]], 1)
            for number in range(_CONVS[stage], 0, -1):
                x = self.get_submodule(f"uconv{stage}{number}")(x)
        return torch.sigmoid(self.out(x))


def dfl_xseg_shapes(base: int) -> dict[str, tuple[int, ...]]:
    """The shape of every weight of a network with so many channels; takes no memory for them."""
    with torch.device("meta"):
        return {name: tuple(value.shape) for name, value in DflXseg(base).state_dict().items()}


def is_dfl_xseg(path: Path) -> bool:
    """Whether a file holds such weights; false for what cannot be read, too."""
    try:
        with safe_open(path, "pt") as opened:
            return (opened.metadata() or {}).get("network") == NETWORK
    except (SafetensorError, OSError):
        return False


def save_dfl_xseg(path: Path, weights: Mapping[str, Tensor], facts: Mapping[str, str]) -> None:
    """Write weights in float32, and facts beside them; the file is replaced as a whole.

    Raises:
        StorageError: the disk is full.
    """
    with replacing(path) as temporary:
        save_file(dict(weights), temporary, {"format": _FORMAT, "network": NETWORK, **facts})


def load_dfl_xseg(path: Path) -> tuple[DflXseg, dict[str, str]]:
    """A network with the weights of a file, and the facts beside them.

    Raises:
        WeightsError: they are missing, damaged, or another network's.
    """
    try:
        with safe_open(path, "pt") as opened:
            facts = dict(opened.metadata() or {})
            shapes = {name: tuple(opened.get_slice(name).get_shape()) for name in opened.keys()}  # noqa: SIM118
        if facts.get("network") != NETWORK or facts.get("format") != _FORMAT:
            raise WeightsError(f"{path} holds no weights of XSeg; import them again")
        base = (*shapes.get("conv01.floor", ()), 0)[0]
        if not 0 < base <= _WIDEST or shapes != dfl_xseg_shapes(base):
            raise WeightsError(f"{path} does not fit XSeg; import it again")
        network = DflXseg(base)
        network.load_state_dict(load_file(path))
    except (SafetensorError, OSError, RuntimeError) as exc:
        raise WeightsError(f"{path} cannot be read ({str(exc).splitlines()[0]}); import it again") from exc
    return network, facts


def _halved(x: Tensor, blur: int) -> Tensor:
    """Half the side after a blur of so many pixels; beyond the border all is zero."""
    line = torch.tensor(_BINOMIAL[blur], dtype=x.dtype, device=x.device)
    kernel = torch.outer(line, line) / line.sum() ** 2
    before, after = (blur - 1) // 2, blur // 2
    padded = F.pad(x, (before, after, before, after))
    return F.conv2d(padded, kernel.expand(x.shape[1], 1, blur, blur), stride=2, groups=x.shape[1])
