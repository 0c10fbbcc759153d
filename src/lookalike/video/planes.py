"""Between FFmpeg's frames and `Picture`: strides, depths, unusual layouts, quarter turns."""

import functools
from dataclasses import replace
from typing import Final, Literal

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation
from numpy.typing import NDArray

from lookalike.color import converted
from lookalike.types import ColorSpace, ColorTags, Matrix, Picture, VideoInfo
from lookalike.video.layouts import Layout, layout_named, planar

# Without these FFmpeg takes a short cut that darkens each picture by about one level.
_ACCURATE: Final = int(
    Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
)
_DEPTHS: Final = (8, 9, 10, 12, 14, 16)
_SWSCALE_MATRIX: Final[dict[Matrix, Colorspace]] = {
    "bt601": Colorspace.ITU601,
    "bt709": Colorspace.ITU709,
    "bt2020": Colorspace.BT2020,
    "smpte240m": Colorspace.SMPTE240M,
    "fcc": Colorspace.FCC,
}
_HD_HEIGHT: Final = 720
_IDENTITY: Final = 0  # ISO/IEC 23091-2: the planes are G, B, R

Rotation = Literal[0, 90, 180, 270]


@functools.cache
def planar_layout(pixel_format: str) -> str:
    """Layout that pictures of a pixel format are handed out in: itself where it is planar, else the nearest.

    Same depth; packed RGB becomes G, B, R planes, grey 4:2:0, alpha is dropped.
    """
    known = planar(pixel_format)
    if known is not None:
        return known.opaque.name
    fmt = av.VideoFormat(pixel_format, 64, 64)
    components = fmt.components
    depth = max(component.bits for component in components)
    bits = next((choice for choice in _DEPTHS if choice >= depth), 16)
    if is_rgb(pixel_format):
        return Layout("rgb", bits).name
    if not any(component.is_chroma for component in components):
        return Layout("420", bits).name
    across, down = fmt.chroma_width(64), fmt.chroma_height(64)
    if down < 64:
        return Layout("420" if across < 64 else "444", bits).name
    return Layout("422" if across < 64 else "444", bits).name


def is_rgb(pixel_format: str) -> bool:
    """True where the numbers stored are R, G, B and not Y, Cb, Cr."""
    fmt = av.VideoFormat(pixel_format, 64, 64)
    return fmt.is_rgb or fmt.has_palette or pixel_format.startswith("xyz")


def guessed_matrix(stored_height: int) -> tuple[Matrix, int]:
    """Matrix that players take where none is tagged, and its number in ISO/IEC 23091-2."""
    return ("bt709", 1) if stored_height >= _HD_HEIGHT else ("bt601", 6)


def stored_color(info: VideoInfo, pixel_format: str) -> tuple[ColorSpace, ColorTags]:
    """Colour space and tags of what is encoded in a pixel format for a video: its own where they can stay.

    R, G, B have full range; where the video has R, G, B and the pixel format has not, limited range is used.
    """
    layout = layout_named(pixel_format)
    if layout.chroma == "rgb":
        return ColorSpace("rgb", True, layout.bits), replace(info.tags, matrix=_IDENTITY, range=2)
    if info.color.matrix != "rgb":
        return replace(info.color, bits=layout.bits), info.tags
    matrix, number = guessed_matrix(info.size_wh[1 if info.rotation % 180 == 0 else 0])
    return ColorSpace(matrix, False, layout.bits), replace(info.tags, matrix=number, range=1)


def to_picture(frame: av.VideoFrame, stored: str, size_wh: tuple[int, int], color: ColorSpace) -> Picture:
    """The planes of a decoded frame, as stored (not turned), without alpha.

    Args:
        stored: pixel format of the file as `probe` saw it; a frame that differs from it, or from size_wh, is converted.
        size_wh: stored size.
    """
    layout = planar_layout(stored)
    same = planar(frame.format.name) is not None and planar_layout(frame.format.name) == layout
    if not same or (frame.width, frame.height) != size_wh:
        levels = ColorRange.JPEG if color.full_range else ColorRange.MPEG
        matrix = _SWSCALE_MATRIX.get(color.matrix, _SWSCALE_MATRIX[guessed_matrix(size_wh[1])[0]])
        own_levels = ColorRange.MPEG if color.matrix == "rgb" else levels
        frame = frame.reformat(
            width=size_wh[0],
            height=size_wh[1],
            format=layout,
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=ColorRange.JPEG if is_rgb(frame.format.name) else own_levels,
            dst_color_range=levels,
            interpolation=_ACCURATE,
        )
    kind = np.uint8 if color.bits == 8 else np.uint16
    y, u, v = (_samples(plane, kind).copy() for plane in frame.planes[:3])
    return Picture((y, u, v), color)


def to_frame(picture: Picture, pixel_format: str, color: ColorSpace, tags: ColorTags) -> av.VideoFrame:
    """A frame to encode.

    Args:
        picture: as stored; one without alpha is opaque.
        pixel_format: what the encoder wants.
        color: colour space of what is encoded; Y, Cb, Cr of another depth or subsampling are converted.
        tags: written on the frame; some encoders (ProRes) look for them there.
    """
    want = layout_named(pixel_format)
    own = picture.color
    if (own.matrix, own.full_range) != (color.matrix, color.full_range) or (own.matrix == "rgb" and own != color):
        picture = converted(picture, color)
    frame = _filled(picture, layout_of(picture))
    if layout_of(picture) != want.opaque.name:
        frame = _reformatted(frame, want.opaque.name, color)
    if want.alpha:
        frame = _with_alpha(frame, want, picture.alpha, picture.color.bits)
    if frame.format.name != pixel_format:  # the same samples, packed
        frame = _reformatted(frame, pixel_format, color)
    frame.color_primaries, frame.color_trc = tags.primaries, tags.transfer
    frame.colorspace, frame.color_range = tags.matrix, tags.range
    return frame


def turned(picture: Picture, degrees: int) -> Picture:
    """The picture turned counter-clockwise by a multiple of 90 degrees; halved chroma swaps its axes."""
    if degrees % 360 == 0:
        return picture
    y, u, v = (np.ascontiguousarray(np.rot90(plane, degrees // 90)) for plane in picture.planes)
    alpha = None if picture.alpha is None else np.ascontiguousarray(np.rot90(picture.alpha, degrees // 90))
    return Picture((y, u, v), picture.color, alpha)


def layout_of(picture: Picture) -> str:
    """Name of the planar layout of a picture that is not turned, without its alpha, e.g. yuv420p10le."""
    if picture.color.matrix == "rgb":
        return Layout("rgb", picture.color.bits).name
    y, u, _ = picture.planes
    if u.shape == y.shape:
        return Layout("444", picture.color.bits).name
    return Layout("422" if u.shape[0] == y.shape[0] else "420", picture.color.bits).name


def layout_bits(pixel_format: str) -> int:
    """Bits of a sample in the layout that pictures of a pixel format are handed out in."""
    return layout_named(planar_layout(pixel_format)).bits


def _filled(picture: Picture, layout: str) -> av.VideoFrame:
    width, height = picture.size_wh
    frame = av.VideoFrame(width, height, layout)
    for plane, samples in zip(frame.planes, picture.planes, strict=True):
        _samples(plane, samples.dtype)[:] = samples
    return frame


def _reformatted(frame: av.VideoFrame, pixel_format: str, color: ColorSpace) -> av.VideoFrame:
    """Another depth, subsampling or packing of the same colour space."""
    if color.matrix == "rgb":
        return frame.reformat(format=pixel_format, interpolation=_ACCURATE)
    matrix = _SWSCALE_MATRIX[color.matrix]
    levels = ColorRange.JPEG if color.full_range else ColorRange.MPEG
    return frame.reformat(
        format=pixel_format,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=levels,
        dst_color_range=levels,
        interpolation=_ACCURATE,
    )


def _with_alpha(frame: av.VideoFrame, want: Layout, alpha: NDArray[np.generic] | None, bits: int) -> av.VideoFrame:
    """The planes of a frame with alpha beside them, scaled to their depth."""
    kind = np.uint8 if want.bits == 8 else np.uint16
    new = av.VideoFrame(frame.width, frame.height, want.name)
    for plane, old in zip(new.planes[:3], frame.planes, strict=True):
        _samples(plane, kind)[:] = _samples(old, kind)
    top = (1 << want.bits) - 1
    codes = _samples(new.planes[3], kind)
    if alpha is None:
        codes[:] = np.array(top, kind)
    elif bits == want.bits:
        codes[:] = alpha
    else:
        codes[:] = np.rint(alpha.astype(np.float64) * (top / ((1 << bits) - 1))).astype(kind)
    return new


def _samples(plane: av.video.plane.VideoPlane, kind: np.typing.DTypeLike) -> NDArray[np.generic]:
    """The samples of a plane without the padding at the end of its lines; a view."""
    lines: NDArray[np.generic] = np.frombuffer(plane, kind)  # type: ignore[call-overload]
    stride = plane.line_size // lines.itemsize
    return lines[: plane.height * stride].reshape(plane.height, stride)[:, : plane.width]
