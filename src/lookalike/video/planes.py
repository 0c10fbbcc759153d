"""Between FFmpeg's frames and `Picture`: strides, depths, unusual layouts, quarter turns."""

import functools
import re
from typing import Final, Literal

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from lookalike.types import ColorSpace, ColorTags, Matrix, Picture
from lookalike.video.codecs import chroma_and_bits

# Without these FFmpeg takes a short cut that darkens each picture by about one level.
_ACCURATE: Final = int(
    Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
)
_PLANAR: Final = re.compile(r"yuv[ja]?(420|422|444)p(9|10|12|14|16)?(le)?$")
_DEPTHS: Final = (8, 9, 10, 12, 14, 16)
_SWSCALE_MATRIX: Final[dict[Matrix, Colorspace]] = {
    "bt601": Colorspace.ITU601,
    "bt709": Colorspace.ITU709,
    "bt2020": Colorspace.BT2020,
    "smpte240m": Colorspace.SMPTE240M,
    "fcc": Colorspace.FCC,
}

Rotation = Literal[0, 90, 180, 270]


@functools.cache
def planar_layout(pixel_format: str) -> str:
    """Layout that pictures of a pixel format are handed out in: itself where it is planar Y, Cb, Cr, else the nearest.

    Same depth; RGB becomes 4:4:4, grey 4:2:0, alpha is dropped.
    """
    match = _PLANAR.match(pixel_format)
    if match:
        return _layout(int(match[1]), int(match[2] or 8))
    fmt = av.VideoFormat(pixel_format, 64, 64)
    components = fmt.components
    depth = max(component.bits for component in components)
    bits = next((choice for choice in _DEPTHS if choice >= depth), 16)
    if fmt.is_rgb or fmt.has_palette or pixel_format.startswith("xyz"):
        return _layout(444, bits)
    if not any(component.is_chroma for component in components):
        return _layout(420, bits)
    across, down = fmt.chroma_width(64), fmt.chroma_height(64)
    if down < 64:
        return _layout(420 if across < 64 else 444, bits)
    return _layout(422 if across < 64 else 444, bits)


def is_rgb(pixel_format: str) -> bool:
    """True where the numbers stored are R, G, B and not Y, Cb, Cr."""
    fmt = av.VideoFormat(pixel_format, 64, 64)
    return fmt.is_rgb or fmt.has_palette or pixel_format.startswith("xyz")


def to_picture(frame: av.VideoFrame, stored: str, size_wh: tuple[int, int], color: ColorSpace) -> Picture:
    """The planes of a decoded frame, as stored (not turned).

    Args:
        stored: pixel format of the file as `probe` saw it; a frame that differs from it, or from size_wh, is converted.
        size_wh: stored size.
    """
    layout = planar_layout(stored)
    same = planar_layout(frame.format.name) == layout and _PLANAR.match(frame.format.name) is not None
    if not same or (frame.width, frame.height) != size_wh:
        rgb = is_rgb(frame.format.name)
        matrix = _SWSCALE_MATRIX[color.matrix]
        levels = ColorRange.JPEG if color.full_range else ColorRange.MPEG
        frame = frame.reformat(
            width=size_wh[0],
            height=size_wh[1],
            format=layout,
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=ColorRange.JPEG if rgb else levels,
            dst_color_range=levels,
            interpolation=_ACCURATE,
        )
    kind = np.uint8 if color.bits == 8 else np.uint16
    y, u, v = (_samples(plane, kind).copy() for plane in frame.planes[:3])
    return Picture((y, u, v), color)


def to_frame(picture: Picture, layout: str, pixel_format: str, tags: ColorTags) -> av.VideoFrame:
    """A frame to encode.

    Args:
        layout: of the picture, e.g. yuv420p10le.
        pixel_format: what the encoder wants.
        tags: written on the frame; some encoders (ProRes) look for them there.
    """
    width, height = picture.size_wh
    frame = av.VideoFrame(width, height, layout)
    for plane, samples in zip(frame.planes, picture.planes, strict=True):
        _samples(plane, samples.dtype)[:] = samples
    if pixel_format != layout:
        matrix = _SWSCALE_MATRIX[picture.color.matrix]
        levels = ColorRange.JPEG if picture.color.full_range else ColorRange.MPEG
        frame = frame.reformat(
            format=pixel_format,
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=levels,
            dst_color_range=levels,
            interpolation=_ACCURATE,
        )
    frame.color_primaries, frame.color_trc = tags.primaries, tags.transfer
    frame.colorspace, frame.color_range = tags.matrix, tags.range
    return frame


def turned(picture: Picture, degrees: int) -> Picture:
    """The picture turned counter-clockwise by a multiple of 90 degrees; halved chroma swaps its axes."""
    if degrees % 360 == 0:
        return picture
    y, u, v = (np.ascontiguousarray(np.rot90(plane, degrees // 90)) for plane in picture.planes)
    return Picture((y, u, v), picture.color)


def layout_of(picture: Picture) -> str:
    """Name of the planar layout of a picture that is not turned, e.g. yuv420p10le."""
    y, u, _ = picture.planes
    if u.shape == y.shape:
        return _layout(444, picture.color.bits)
    return _layout(422 if u.shape[0] == y.shape[0] else 420, picture.color.bits)


def layout_bits(pixel_format: str) -> int:
    """Bits of a sample in the layout that pictures of a pixel format are handed out in."""
    return chroma_and_bits(planar_layout(pixel_format))[1]


def _layout(chroma: int, bits: int) -> str:
    return f"yuv{chroma}p" + (f"{bits}le" if bits > 8 else "")


def _samples(plane: av.video.plane.VideoPlane, kind: np.typing.DTypeLike) -> NDArray[np.generic]:
    """The samples of a plane without the padding at the end of its lines; a view."""
    lines: NDArray[np.generic] = np.frombuffer(plane, kind)  # type: ignore[call-overload]
    stride = plane.line_size // lines.itemsize
    return lines[: plane.height * stride].reshape(plane.height, stride)[:, : plane.width]
