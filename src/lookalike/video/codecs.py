"""The codecs that can be written: encoder, default quality, pixel formats."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Final

import av

from lookalike.errors import EncoderError
from lookalike.video.options import CodecName, EncodeOptions

# SVT-AV1 writes a page to stderr unless told before its first start; 1 keeps its errors.
os.environ.setdefault("SVT_LOG", "1")

_LAYOUT: Final = re.compile(r"yuv(420|422|444)p(\d*)")


@dataclass(frozen=True, slots=True)
class Codec:
    """One codec and how it is asked for."""

    name: str
    """What FFmpeg calls the codec."""
    encoder: str
    """What FFmpeg calls the encoder used."""
    settings: Callable[[EncodeOptions, str], dict[str, str]]
    """Options of the encoder for these options and pixel format."""
    pixel_formats: tuple[str, ...]
    halved_chroma_needs_even: bool = False
    """True: a picture of odd size cannot have halved chroma."""
    tag: str | None = None
    """Name in an MP4 or MOV file, where the usual one does not play on Apple's players."""
    segment_suffix: str = ".nut"
    """Container that keeps every timestamp of a segment."""


def _x264(options: EncodeOptions, _: str) -> dict[str, str]:
    # Without cpu-independent the vector code of x264's macroblock tree gives now and then other bits for the same
    # frames, and a merge that was cut off would not end as one that was not. It costs no time that could be measured.
    return {**_size(options, 16), "preset": options.preset or "medium", "x264-params": "cpu-independent=1"}


def _x265(options: EncodeOptions, _: str) -> dict[str, str]:
    params = "log-level=error:open-gop=0"
    return {**_size(options, 18), "preset": options.preset or "medium", "x265-params": params}


def _svt(options: EncodeOptions, _: str) -> dict[str, str]:
    return {**_size(options, 20), "preset": options.preset or "6"}


def _vpx(options: EncodeOptions, _: str) -> dict[str, str]:
    speed = options.preset or "3"
    return {"b": "0", **_size(options, 20), "row-mt": "1", "deadline": "good", "cpu-used": speed}


def _prores(options: EncodeOptions, pixel_format: str) -> dict[str, str]:
    return {"profile": "4444" if pixel_format.startswith("yuv444") else options.preset or "hq", "vendor": "apl0"}


def _ffv1(_: EncodeOptions, __: str) -> dict[str, str]:
    return {"level": "3", "slicecrc": "1", "slices": "4", "g": "1"}


def _size(options: EncodeOptions, default_crf: int) -> dict[str, str]:
    """What decides between quality and size."""
    if options.bitrate is not None:
        return {"b": str(round(options.bitrate * 1_000_000))}
    return {"crf": str(default_crf if options.crf is None else options.crf)}


def _formats(chromas: str, bits: str) -> tuple[str, ...]:
    return tuple(f"yuv{c}p" + (f"{b}le" if b != "8" else "") for c, b in product(chromas.split(), bits.split()))


CODECS: Final[dict[CodecName, Codec]] = {
    "h264": Codec("h264", "libx264", _x264, _formats("420 422 444", "8 10"), halved_chroma_needs_even=True),
    "h265": Codec(
        "hevc", "libx265", _x265, _formats("420 422 444", "8 10 12"), halved_chroma_needs_even=True, tag="hvc1"
    ),
    "av1": Codec("av1", "libsvtav1", _svt, _formats("420", "8 10"), halved_chroma_needs_even=True),
    "vp9": Codec("vp9", "libvpx-vp9", _vpx, _formats("420 422 444", "8")),
    "prores": Codec("prores", "prores_ks", _prores, _formats("422 444", "10"), segment_suffix=".mov"),
    "ffv1": Codec("ffv1", "ffv1", _ffv1, _formats("420 422 444", "8 9 10 12 14 16")),
}


def output_format(codec: CodecName, own: str, size_wh: tuple[int, int]) -> str:
    """Pixel format to encode: the picture's own, else the nearest that loses least.

    Args:
        own: layout of the pictures, e.g. yuv420p10le.
        size_wh: stored size, before rotation.

    Raises:
        EncoderError: an odd size that the codec cannot write.
    """
    choices = [f for f in CODECS[codec].pixel_formats if not _splits_a_sample(CODECS[codec], f, size_wh)]
    if not choices:
        raise EncoderError(f"{codec} cannot write the odd size {size_wh[0]}x{size_wh[1]}; use --codec h264")
    want_chroma, want_bits = chroma_and_bits(own)

    def cost(name: str) -> tuple[int, int]:
        chroma, bits = chroma_and_bits(name)
        return _distance(chroma, want_chroma), _distance(bits, want_bits)

    return min(choices, key=cost)


def chroma_and_bits(layout: str) -> tuple[int, int]:
    """(420, 10) of yuv420p10le."""
    match = _LAYOUT.match(layout)
    if match is None:
        raise ValueError(f"{layout} is no planar 4:2:0, 4:2:2 or 4:4:4 layout")
    return int(match[1]), int(match[2] or 8)


def _distance(have: int, want: int) -> int:
    """0 when equal; too much costs less than too little."""
    return have - want if have >= want else 1000 + want - have


def _splits_a_sample(codec: Codec, layout: str, size_wh: tuple[int, int]) -> bool:
    chroma, _ = chroma_and_bits(layout)
    odd = (chroma in (420, 422) and size_wh[0] % 2) or (chroma == 420 and size_wh[1] % 2)
    return codec.halved_chroma_needs_even and bool(odd)


def usable_encoders() -> list[str]:
    """Names of the codecs whose encoder is in this build of the media library."""
    return [name for name, codec in CODECS.items() if codec.encoder in av.codecs_available]
