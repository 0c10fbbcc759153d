"""DeepFaceLab 2's networks by numpy alone, out of its own arrays, as docs/models-of-deepfacelab.md tells them.

Nothing here knows of torch or of our networks. Pictures are (N, H, W, C), blue, green, red in [0, 1].
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.float32]
Weights = Mapping[str, Array]
"""The arrays of a file by their names."""
XSEG_STAGES: Final = (2, 2, 2, 3, 3, 3)
XSEG_WIDTHS: Final = (1, 2, 4, 8, 8, 8)
XSEG_BLURS: Final = (4, 3, 2, 2, 2, 2)


class Net:
    """Arrays under names, as a file has them."""

    def __init__(self, weights: Weights, cosine: bool = False) -> None:
        self.weights, self.cosine = weights, cosine

    def conv(self, x: Array, name: str, stride: int = 1) -> Array:
        """Zeros of half a kernel on every side, then a kernel at every stride."""
        weight = self.weights[f"{name}/weight:0"]
        size = weight.shape[0]
        around = size // 2
        padded = np.pad(x, ((0, 0), (around, around), (around, around), (0, 0)))
        windows = sliding_window_view(padded, (size, size), (1, 2))[:, ::stride, ::stride]  # N H W C kh kw
        made = np.tensordot(windows, weight, ([4, 5, 3], [0, 1, 2]))
        return np.asarray(made + self.weights[f"{name}/bias:0"], np.float32)

    def conv_transposed(self, x: Array, name: str) -> Array:
        """Each pixel paints its kernel, weighted, at twice its place; what sticks out behind the end is cut off."""
        weight = self.weights[f"{name}/weight:0"]  # kh kw out in
        count, height, width, _ = x.shape
        canvas = np.zeros((count, 2 * height + 1, 2 * width + 1, weight.shape[2]), np.float32)
        for row in range(3):
            for column in range(3):
                painted = x @ weight[row, column].T
                canvas[:, row : row + 2 * height : 2, column : column + 2 * width : 2] += painted
        return canvas[:, : 2 * height, : 2 * width] + self.weights[f"{name}/bias:0"]

    def dense(self, x: Array, name: str) -> Array:
        return x @ self.weights[f"{name}/weight:0"] + self.weights[f"{name}/bias:0"]

    def act(self, x: Array, slope: float) -> Array:
        return np.asarray(x * np.cos(x) if self.cosine else np.where(x > 0, x, x * np.float32(slope)), np.float32)

    def down(self, x: Array, name: str) -> Array:
        return self.act(self.conv(x, f"{name}/conv1", 2), 0.1)

    def up(self, x: Array, name: str) -> Array:
        return depth_to_space(self.act(self.conv(x, f"{name}/conv1"), 0.1))

    def residual(self, x: Array, name: str) -> Array:
        inner = self.conv(self.act(self.conv(x, f"{name}/conv1"), 0.2), f"{name}/conv2")
        return self.act(x + inner, 0.2)


def depth_to_space(x: Array) -> Array:
    """TensorFlow's: channels are four blocks of as many as come out; a block is a place of the square of two."""
    count, height, width, channels = x.shape
    out = np.zeros((count, 2 * height, 2 * width, channels // 4), np.float32)
    for block in range(4):
        out[:, block // 2 :: 2, block % 2 :: 2] = x[..., block * channels // 4 : (block + 1) * channels // 4]
    return out


def sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)), np.float32)


def flat(x: Array) -> Array:
    """All channels of a kind first, whatever the order in memory."""
    return x.transpose(0, 3, 1, 2).reshape(len(x), -1)


def square(x: Array, channels: int, side: int) -> Array:
    return x.reshape(len(x), channels, side, side).transpose(0, 2, 3, 1)


def unit(x: Array) -> Array:
    return np.asarray(x / np.sqrt((x * x).mean(1, keepdims=True) + 1e-6), np.float32)


def encoded(net: Net, x: Array, variant: str) -> Array:
    if "t" in variant:
        x = net.residual(net.down(x, "down1"), "res1")
        for stage in range(2, 6):
            x = net.down(x, f"down{stage}")
        x = net.residual(x, "res5")
    else:
        for stage in range(4):
            x = net.down(x, f"down1/downs_{stage}")
    code = flat(x)
    return unit(code) if "u" in variant else code


def between(net: Net, code: Array, resolution: int, channels: int, variant: str) -> Array:
    side = resolution // (32 if "d" in variant else 16)
    x = square(net.dense(net.dense(code, "dense1"), "dense2"), channels, side)
    return x if "t" in variant else net.up(x, "upscale1")


def decoded(net: Net, code: Array, variant: str) -> tuple[Array, Array]:
    """A picture and its mask."""
    stages = 4 if "t" in variant else 3
    x = code
    for stage in range(stages):
        x = net.residual(net.up(x, f"upscale{stage}"), f"res{stage}")
    picture = net.conv(x, "out_conv")
    if "d" in variant:
        others = [net.conv(x, f"out_conv{number}") for number in (1, 2, 3)]
        picture = depth_to_space(np.concatenate([picture, *others], 3))
    mask = code
    for stage in range(stages + ("d" in variant)):
        mask = net.up(mask, f"upscalem{stage}")
    return sigmoid(picture), sigmoid(net.conv(mask, "out_convm"))


def saehd(
    files: Mapping[str, Weights], archi: str, resolution: int, ae_dims: int, x: Array
) -> tuple[Array, Array, Array]:
    """dst's faces drawn as src, their mask, and dst's own mask."""
    kind, _, variant = archi.partition("-")
    nets = {part: Net(weights, "c" in variant) for part, weights in files.items()}
    code = encoded(nets["encoder"], x, variant)
    if kind == "df":
        middle = between(nets["inter"], code, resolution, ae_dims, variant)
        return *decoded(nets["decoder_src"], middle, variant), decoded(nets["decoder_dst"], middle, variant)[1]
    ab = between(nets["inter_AB"], code, resolution, 2 * ae_dims, variant)
    b = between(nets["inter_B"], code, resolution, 2 * ae_dims, variant)
    swap = decoded(nets["decoder"], np.concatenate([ab, ab], 3), variant)
    return *swap, decoded(nets["decoder"], np.concatenate([b, ab], 3), variant)[1]


def amp(
    files: Mapping[str, Weights], resolution: int, inter_dims: int, x: Array, morph: float
) -> tuple[Array, Array, Array]:
    """As `saehd`; src's part makes the first of the channels, as many as `morph` says."""
    nets = {part: Net(weights) for part, weights in files.items()}
    code = nets["encoder"].dense(encoded(nets["encoder"], x, "ut"), "dense1")
    side = resolution // 32
    src, dst = (square(nets[part].dense(code, "dense2"), inter_dims, side) for part in ("inter_src", "inter_dst"))
    own = int(np.floor(inter_dims * morph))
    mixed = np.concatenate([src[..., :own], dst[..., own:]], 3)
    return *decoded(nets["decoder"], mixed, "td"), decoded(nets["decoder"], dst, "td")[1]


def xseg(weights: Weights, x: Array) -> Array:
    """(N, 256, 256, 1) what is seen of faces."""
    net = Net(weights)

    def block(x: Array, name: str, *, up: bool = False) -> Array:
        made = net.conv_transposed(x, f"{name}/conv") if up else net.conv(x, f"{name}/conv")
        power = (made * made).mean((1, 2), keepdims=True) + np.abs(weights[f"{name}/frn/eps:0"])
        made = made / np.sqrt(power) * weights[f"{name}/frn/weight:0"] + weights[f"{name}/frn/bias:0"]
        return np.asarray(np.maximum(made, weights[f"{name}/tlu/tau:0"]), np.float32)

    kept = []
    for stage, count in enumerate(XSEG_STAGES):
        for number in range(1, count + 1):
            x = block(x, f"conv{stage}{number}")
        kept.append(x)
        x = blurred(x, XSEG_BLURS[stage])
    channels = x.shape[3]
    x = square(net.dense(net.dense(flat(x), "dense1"), "dense2"), channels, 4)
    for stage in (5, 4, 3, 2, 1, 0):
        x = np.concatenate([block(x, f"up{stage}", up=True), kept[stage]], 3)
        for number in range(XSEG_STAGES[stage], 0, -1):
            x = block(x, f"uconv{stage}{number}")
    return sigmoid(net.conv(x, "out_conv"))


def blurred(x: Array, size: int) -> Array:
    """Every second pixel of a blur by a row of Pascal's triangle; the odd one of its zeros lies behind."""
    line = np.array([[1, 1], [1, 2, 1], [1, 3, 3, 1]][size - 2], np.float32)
    kernel = np.outer(line, line) / line.sum() ** 2
    ends = ((size - 1) // 2, size - 1 - (size - 1) // 2)
    windows = sliding_window_view(np.pad(x, ((0, 0), ends, ends, (0, 0))), (size, size), (1, 2))[:, ::2, ::2]
    return np.asarray(np.einsum("nhwcij,ij->nhwc", windows, kernel), np.float32)


def _conv(found: dict[str, tuple[int, ...]], name: str, size: int, before: int, after: int) -> None:
    found[f"{name}/weight:0"] = (size, size, before, after)
    found[f"{name}/bias:0"] = (after,)


def _dense(found: dict[str, tuple[int, ...]], name: str, before: int, after: int) -> None:
    found[f"{name}/weight:0"] = (before, after)
    found[f"{name}/bias:0"] = (after,)


def _residual(found: dict[str, tuple[int, ...]], name: str, channels: int) -> None:
    _conv(found, f"{name}/conv1", 3, channels, channels)
    _conv(found, f"{name}/conv2", 3, channels, channels)


def _encoder(e: int, variant: str) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    widths = [3, e, 2 * e, 4 * e, 8 * e, 8 * e]
    if "t" not in variant:
        for stage in range(4):
            _conv(found, f"down1/downs_{stage}/conv1", 5, widths[stage], widths[stage + 1])
        return found
    for stage in range(1, 6):
        _conv(found, f"down{stage}/conv1", 5, widths[stage - 1], widths[stage])
    _residual(found, "res1", e)
    _residual(found, "res5", 8 * e)
    return found


def _decoder(channels: int, d: int, m: int, variant: str) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    units = [8, 8, 4, 2] if "t" in variant else [8, 4, 2]
    before = channels
    for stage, n in enumerate(units):
        _conv(found, f"upscale{stage}/conv1", 3, before, 4 * n * d)
        _residual(found, f"res{stage}", n * d)
        before = n * d
    _conv(found, "out_conv", 1, 2 * d, 3)
    for number in (1, 2, 3) if "d" in variant else ():
        _conv(found, f"out_conv{number}", 3, 2 * d, 3)
    before = channels
    for stage, n in enumerate([*units, 1] if "d" in variant else units):
        _conv(found, f"upscalem{stage}/conv1", 3, before, 4 * n * m)
        before = n * m
    _conv(found, "out_convm", 1, before, 1)
    return found


def saehd_shapes(archi: str, resolution: int, ae: int, e: int, d: int, m: int) -> dict[str, dict[str, tuple[int, ...]]]:
    """By part, the shape of every array."""
    kind, _, variant = archi.partition("-")
    flat_size = 8 * e * (resolution // (32 if "t" in variant else 16)) ** 2
    side = resolution // (32 if "d" in variant else 16)

    def inter(channels: int) -> dict[str, tuple[int, ...]]:
        found: dict[str, tuple[int, ...]] = {}
        _dense(found, "dense1", flat_size, ae)
        _dense(found, "dense2", ae, channels * side * side)
        if "t" not in variant:
            _conv(found, "upscale1/conv1", 3, channels, 4 * channels)
        return found

    encoder = _encoder(e, variant)
    if kind == "df":
        decoders = {f"decoder_{side}": _decoder(ae, d, m, variant) for side in ("src", "dst")}
        return {"encoder": encoder, "inter": inter(ae), **decoders}
    inters = {"inter_AB": inter(2 * ae), "inter_B": inter(2 * ae)}
    return {"encoder": encoder, **inters, "decoder": _decoder(4 * ae, d, m, variant)}


def amp_shapes(
    resolution: int, ae: int, inter_dims: int, e: int, d: int, m: int
) -> dict[str, dict[str, tuple[int, ...]]]:
    """By part, the shape of every array."""
    encoder, side = _encoder(e, "t"), resolution // 32
    _dense(encoder, "dense1", 8 * e * side * side, ae)
    inter: dict[str, tuple[int, ...]] = {}
    _dense(inter, "dense2", ae, inter_dims * side * side)
    return {
        "encoder": encoder,
        "inter_src": inter,
        "inter_dst": dict(inter),
        "decoder": _decoder(inter_dims, d, m, "td"),
    }


def xseg_shapes(base: int) -> dict[str, tuple[int, ...]]:
    """The shape of every array of XSeg."""
    found: dict[str, tuple[int, ...]] = {}

    def block(name: str, before: int, after: int, *, up: bool = False) -> None:
        _conv(found, f"{name}/conv", 3, before, after)
        if up:
            found[f"{name}/conv/weight:0"] = (3, 3, after, before)
        found[f"{name}/frn/weight:0"] = found[f"{name}/frn/bias:0"] = found[f"{name}/tlu/tau:0"] = (after,)
        found[f"{name}/frn/eps:0"] = (1,)

    before = 3
    for stage, units in enumerate(XSEG_WIDTHS):
        for number in range(1, XSEG_STAGES[stage] + 1):
            block(f"conv{stage}{number}", before, units * base)
            before = units * base
    _dense(found, "dense1", 4 * 4 * 8 * base, 512)
    _dense(found, "dense2", 512, 4 * 4 * 8 * base)
    lifted = {5: (8, 4, 12), 4: (8, 4, 12), 3: (8, 4, 12), 2: (8, 4, 8), 1: (4, 2, 4), 0: (2, 1, 2)}
    for stage, (below, up, joined) in lifted.items():
        block(f"up{stage}", below * base, up * base, up=True)
        before = joined * base
        for number in range(XSEG_STAGES[stage], 0, -1):
            block(f"uconv{stage}{number}", before, XSEG_WIDTHS[stage] * base)
            before = XSEG_WIDTHS[stage] * base
    _conv(found, "out_conv", 3, base, 1)
    return found


def drawn(shapes: Mapping[str, tuple[int, ...]], seed: int, gain: float = 1.0) -> dict[str, Array]:
    """Random arrays that keep the size of what flows through them; those of one axis about 0, eps small."""
    rng = np.random.default_rng(seed)
    made: dict[str, Array] = {}
    for name, shape in shapes.items():
        fan_in = np.prod(shape[:-1]) if "up" not in name or len(shape) != 4 else 9 * min(shape[2:])
        scale = gain * np.sqrt(2 / fan_in) if len(shape) > 1 else 0.2
        made[name] = (rng.normal(size=shape) * scale).astype(np.float32)
        if name.endswith("eps:0"):
            made[name] = np.array([-1e-3], np.float32)
        elif "/frn/weight" in name:
            made[name] += 1
    return made
