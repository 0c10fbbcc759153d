"""What of an aligned face is seen: a segmentation network of two sizes.

Source: a U-Net (Ronneberger et al., MICCAI 2015) whose halvings are blurred (BlurPool, Zhang, ICML 2019), as in
DeepFaceLab's XSeg. New here: it works on squares of pixels folded into channels (Shi et al., CVPR 2016, the other way
round), and it is told the outline of the landmarks as a fourth channel, which may be left empty.
"""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from lookalike.errors import WeightsError
from lookalike.files import replacing

XsegSize = Literal["fast", "good"]

SIDE = 256
"""Pixels of the face it sees."""
CHANNELS = 4
"""Red, green, blue, and the outline of the landmarks."""
_FORMAT = "1"
_SHAPES: dict[str, tuple[int, tuple[int, ...]]] = {
    "fast": (4, (32, 64, 96, 128)),
    "good": (4, (48, 96, 160, 192)),
}
"""Pixels folded into one at the first layer, and channels at each halving after that."""


class _Conv(nn.Sequential):
    """3x3 convolution, batch normalisation, ReLU."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(
            nn.Conv2d(channels_in, channels_out, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
        )


class _BlurPool(nn.Module):
    """Half the side, after a binomial blur of four pixels."""

    kernel: Tensor

    def __init__(self) -> None:
        super().__init__()
        line = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.register_buffer("kernel", line[:, None] * line[None, :], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.kernel.to(x.dtype).expand(x.shape[1], 1, 4, 4)
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), weight, stride=2, groups=x.shape[1])


class Xseg(nn.Module):
    """(B, 4, 256, 256) in [0, 1] to (B, 1, 256, 256) logits: above 0 where the face is seen."""

    def __init__(self, size: XsegSize) -> None:
        super().__init__()
        self.fold, widths = _SHAPES[size]
        self.size: XsegSize = size
        pairs = list(pairwise(widths))
        self.first = nn.Sequential(_Conv(CHANNELS * self.fold**2, widths[0]), _Conv(widths[0], widths[0]))
        self.pool = _BlurPool()
        self.down = nn.ModuleList(_Conv(wide, wider) for wide, wider in pairs)
        self.deep = _Conv(widths[-1], widths[-1])
        self.up = nn.ModuleList(_Conv(wide + wider, wide) for wide, wider in pairs)
        self.last = nn.Conv2d(widths[0], self.fold**2, 3, 1, 1)

    def forward(self, seen: Tensor) -> Tensor:
        """Logits of the pixels."""
        x = self.first(F.pixel_unshuffle(seen * 2 - 1, self.fold))
        kept = []
        for down in self.down:
            kept.append(x)
            x = down(self.pool(x))
        x = self.deep(x)
        for up, skip in zip(reversed(self.up), reversed(kept), strict=True):
            x = up(torch.cat([F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False), skip], 1))
        return F.pixel_shuffle(self.last(x), self.fold)


def begun_xseg(size: XsegSize, seed: int) -> Xseg:
    """A network before training; depends on nothing but its size and `seed`."""
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        network = Xseg(size)
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, generator=generator)
    nn.init.zeros_(network.last.bias)  # type: ignore[arg-type]
    return network


def generic_weights(size: XsegSize = "fast") -> Path:
    """The file of the weights that come with the package, trained by `scripts/train_xseg`; so far of fast alone."""
    return Path(__file__).parent / "weights" / f"xseg_{size}.safetensors"


def save_xseg(
    path: Path, weights: Mapping[str, Tensor], size: XsegSize, facts: Mapping[str, str] | None = None
) -> None:
    """Write weights as float16, with their size and other facts beside them; the file is replaced as a whole.

    Raises:
        StorageError: the disk is full.
    """
    floats = {name: tensor for name, tensor in weights.items() if tensor.is_floating_point()}
    tensors = {name: tensor.detach().cpu().half().contiguous() for name, tensor in floats.items()}
    with replacing(path) as temporary:
        save_file(tensors, temporary, {"format": _FORMAT, "network": "xseg", "size": size, **(facts or {})})


def load_xseg(path: Path) -> tuple[Xseg, dict[str, str]]:
    """A network with the weights of a file, in float32, and the facts beside them.

    Raises:
        WeightsError: they are missing, damaged, or another network's.
    """
    try:
        with safe_open(path, "pt") as opened:
            facts = dict(opened.metadata() or {})
        if facts.get("network") != "xseg" or facts.get("size") not in _SHAPES:
            raise WeightsError(f"{path} holds no weights of a mask network; give one that `train --model xseg` made")
        if facts.get("format") != _FORMAT:
            raise WeightsError(f"{path} has format {facts.get('format')}; update Lookalike to read it")
        network = Xseg("good" if facts["size"] == "good" else "fast")
        missing, foreign = network.load_state_dict({n: t.float() for n, t in load_file(path).items()}, strict=False)
        if foreign or any(not name.endswith("num_batches_tracked") for name in missing):
            raise WeightsError(f"{path} does not fit the mask network it names; train it anew")
    except FileNotFoundError as exc:
        raise WeightsError(f"{path} is missing; train a mask network, or install lookalike again") from exc
    except (SafetensorError, RuntimeError, OSError) as exc:
        problem = str(exc).splitlines()[0].rstrip(":")
        raise WeightsError(f"{path} holds no weights of a mask network ({problem}); train it anew") from exc
    return network, facts


def fused(network: Xseg) -> Xseg:
    """The network to look with: normalisation drawn into the convolutions. It cannot be trained any more."""
    network = network.eval().requires_grad_(False)
    for module in network.modules():
        if isinstance(module, _Conv):
            module[0] = fuse_conv_bn_eval(module[0], module[1])  # type: ignore[type-var,arg-type]
            module[1] = nn.Identity()
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]
