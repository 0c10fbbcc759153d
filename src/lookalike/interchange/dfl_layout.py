"""Where each layer of a DeepFaceLab 2 network is in ours, and how its numbers lie there and here.

There convolutions are (height, width, in, out), transposed ones (height, width, out, in), dense layers (in, out);
pictures are blue, green, red; and a convolution that is spread over four pixels counts pixels before channels. Here it
is the other way round in each. All changes are of order alone, so that a way and its way back give the same bits.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.models.config import AmpConfig, SaehdConfig

Kind = Literal["conv", "up", "dense", "plain"]
"""up: a convolution that is spread over four pixels; plain: numbers of a channel each."""
Colors = Literal["", "in", "out"]
"""Which side of a layer is the three colours of a picture."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One array: there, and here."""

    part: str
    """Of the file, such as `encoder`; also the scope of the network there."""
    theirs: str
    """Such as `down1/conv1/weight:0`."""
    ours: str
    """Such as `encoder.down.0.0.weight`."""
    kind: Kind
    colors: Colors = ""

    def to_ours(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Their array as ours."""
        if self.colors:
            array = np.flip(array, array.ndim - (2 if self.colors == "in" else 1))
        if self.kind == "up":
            array = _swapped(array, 4)
        return np.ascontiguousarray(_turned(array))

    def to_theirs(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Our array as theirs."""
        array = np.transpose(array, (2, 3, 1, 0)) if array.ndim == 4 else array.T
        if self.kind == "up":
            array = _swapped(array, array.shape[-1] // 4)
        if self.colors:
            array = np.flip(array, array.ndim - (2 if self.colors == "in" else 1))
        return np.ascontiguousarray(array)

    def shape_there(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Their shape of an array that has `shape` here."""
        return (*shape[2:], shape[1], shape[0]) if len(shape) == 4 else shape[::-1]


def saehd_variables(config: SaehdConfig) -> list[Variable]:
    """Every array of a SAEHD or Quick96 network."""
    variant = config.variant
    inter = ["dense1 squeeze dense", "dense2 expand dense"]
    inter += [] if "t" in variant else ["upscale1/conv1 up.0 up"]
    found = _variables("encoder", "encoder", _encoder(variant))
    if config.archi.startswith("df"):
        found += _variables("inter", "inter", inter)
        decoders = ["decoder_src", "decoder_dst"]
    else:
        found += _variables("inter_AB", "inter_ab", inter) + _variables("inter_B", "inter_b", inter)
        decoders = ["decoder"]
    return found + [one for part in decoders for one in _variables(part, part, _decoder(variant))]


def amp_variables(config: AmpConfig) -> list[Variable]:
    """Every array of an AMP network."""
    found = _variables("encoder", "encoder.deep", _encoder("t"))
    found += _variables("encoder", "encoder", ["dense1 squeeze dense"])
    for part in ("inter_src", "inter_dst"):
        found += _variables(part, part, ["dense2 expand dense"])
    return found + _variables("decoder", "decoder", _decoder("td"))


def xseg_variables() -> list[Variable]:
    """Every array of an XSeg network."""
    convs = [f"conv{stage}{number}" for stage, count in enumerate(XSEG_CONVS) for number in range(1, count + 1)]
    blocks = convs + [f"u{name}" for name in convs] + [f"up{stage}" for stage in range(len(XSEG_CONVS))]
    lines = []
    for block in blocks:
        lines += [f"{block}/conv {block}.conv conv{' in' if block == 'conv01' else ''}"]
        lines += [f"{block}/frn {block}.norm plain", f"{block}/frn/eps {block}.norm.eps alone"]
        lines += [f"{block}/tlu/tau {block}.floor alone"]
    lines += ["dense1 squeeze dense", "dense2 expand dense", "out_conv out conv"]
    return _variables("256", "", lines)


XSEG_CONVS: Final = (2, 2, 2, 3, 3, 3)
"""Convolutions of each stage of XSeg."""


def _encoder(variant: str) -> list[str]:
    if "t" not in variant:
        return [f"down1/downs_{n}/conv1 down.{n}.0 conv{' in' if n == 0 else ''}" for n in range(4)]
    lines = ["down1/conv1 down.0.0 conv in", *_residual("res1", "down.1")]
    lines += [f"down{n}/conv1 down.{n}.0 conv" for n in range(2, 6)]
    return lines + _residual("res5", "down.6")


def _decoder(variant: str) -> list[str]:
    stages = 4 if "t" in variant else 3
    masks = stages + ("d" in variant)
    lines: list[str] = []
    for n in range(stages):
        lines += [f"upscale{n}/conv1 body.{2 * n}.0 up", *_residual(f"res{n}", f"body.{2 * n + 1}")]
    lines += ["out_conv out conv out"]
    if "d" in variant:
        lines += [f"out_conv{n} beside.{n - 1} conv out" for n in (1, 2, 3)]
    lines += [f"upscalem{n}/conv1 mask.{n}.0 up" for n in range(masks)]
    return [*lines, f"out_convm mask.{masks} conv"]


def _residual(theirs: str, ours: str) -> list[str]:
    return [f"{theirs}/conv{number} {ours}.{name} conv" for number, name in ((1, "first"), (2, "second"))]


def _variables(part: str, scope: str, lines: list[str]) -> list[Variable]:
    """The arrays of layers that are told in lines: their name, ours, the kind, and where colours are."""
    return [one for line in lines for one in _of_layer(part, f"{scope}." if scope else "", *line.split())]


def _of_layer(part: str, scope: str, theirs: str, ours: str, kind: str, colors: str = "") -> Iterator[Variable]:
    if kind == "alone":
        yield Variable(part, f"{theirs}:0", scope + ours, "plain")
        return
    for name in ("weight", "bias"):
        seen = colors if name == "weight" or colors == "out" else ""
        yield Variable(part, f"{theirs}/{name}:0", f"{scope}{ours}.{name}", kind, seen)  # type: ignore[arg-type]


def _turned(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Their order of axes as ours."""
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T


def _swapped(array: NDArray[np.float32], outer: int) -> NDArray[np.float32]:
    """The last axis, which counts `outer` things of as many parts each, with the parts counted first."""
    *head, last = array.shape
    return array.reshape(*head, outer, last // outer).swapaxes(-1, -2).reshape(*head, last)
