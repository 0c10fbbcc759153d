"""The codecs that can be written: encoder, default quality, pixel formats."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from typing import Final

import av

from lookalike.errors import EncoderError
from lookalike.video.layouts import Chroma, Layout, layout_named
from lookalike.video.options import NEVER_EXACT, CodecName, EncodeOptions, StoredChroma

# SVT-AV1 writes a page to stderr unless told before its first start; 1 keeps its errors.
os.environ.setdefault("SVT_LOG", "1")


@dataclass(frozen=True, slots=True)
class Codec:
    """One codec and how it is asked for."""

    name: str
    """What FFmpeg calls the codec."""
    encoder: str
    """What FFmpeg calls the encoder used."""
    settings: Callable[[EncodeOptions, Layout], dict[str, str]]
    """Options of the encoder for these options and layout."""
    layouts: tuple[Layout, ...]
    rgb_encoder: str | None = None
    """What FFmpeg calls the encoder used for RGB, where it is another."""
    packed: dict[Layout, str] = field(default_factory=dict)
    """Pixel format by layout, where the encoder does not take planes."""
    halved_chroma_needs_even: bool = False
    """True: a picture of odd size cannot have halved chroma."""
    always_exact: bool = False
    """True: nothing is ever lost."""
    tag: str | None = None
    """Name in an MP4 or MOV file, where the usual one does not play on Apple's players."""
    segment_suffix: str = ".nut"
    """Container that keeps every timestamp of a segment."""


def _x264(options: EncodeOptions, _: Layout) -> dict[str, str]:
    # Without cpu-independent the vector code of x264's macroblock tree gives now and then other bits for the same
    # frames, and a merge that was cut off would not end as one that was not. It costs no time that could be measured.
    # Without loss it is qp 0: crf 0 loses with more than 8 bits.
    size = {"qp": "0"} if options.lossless else _size(options)
    # On two clips veryfast at crf 14 lost as much as medium at crf 16 (luma 51.0 and 51.1, 47.9 and 48.0 dB; chroma
    # 54 and 55.5, 52.4 and 53.2) in a third of the time, and took 23 % more bytes.
    return {**size, "preset": options.preset or "veryfast", "x264-params": "cpu-independent=1"}


def _x265(options: EncodeOptions, _: Layout) -> dict[str, str]:
    # Without info: the header would name threads and processor, and segments of two machines could not be joined.
    params = "log-level=error:open-gop=0:info=0" + (":lossless=1" if options.lossless else "")
    size = {} if options.lossless else _size(options)
    return {**size, "preset": options.preset or "medium", "x265-params": params}


def _svt(options: EncodeOptions, _: Layout) -> dict[str, str]:
    return {**_size(options), "preset": options.preset or "6"}


def _vpx(options: EncodeOptions, _: Layout) -> dict[str, str]:
    size = {"lossless": "1"} if options.lossless else _size(options)
    return {"b": "0", **size, "row-mt": "1", "deadline": "good", "cpu-used": options.preset or "3"}


def _prores(options: EncodeOptions, layout: Layout) -> dict[str, str]:
    return {"profile": "4444" if layout.chroma == "444" else options.preset or "hq", "vendor": "apl0"}


def _ffv1(_: EncodeOptions, __: Layout) -> dict[str, str]:
    return {"level": "3", "slicecrc": "1", "slices": "4", "g": "1"}


def _size(options: EncodeOptions) -> dict[str, str]:
    """What decides between quality and size."""
    if options.bitrate is not None:
        return bitrate_setting(options.bitrate)
    return {"crf": str(crf_of(options))}


def bitrate_setting(megabits: float) -> dict[str, str]:
    """The option of an encoder for so many megabits a second."""
    return {"b": str(round(megabits * 1_000_000))}


def crf_of(options: EncodeOptions) -> int:
    """The crf asked for, else the codec's own default."""
    return _CRF[options.codec] if options.crf is None else options.crf


def _layouts(chromas: tuple[Chroma, ...], bits: tuple[int, ...], alpha: bool = False) -> tuple[Layout, ...]:
    return tuple(Layout(c, b, alpha) for c, b in product(chromas, bits))


_CRF: Final[dict[CodecName, int]] = {"h264": 14, "h265": 18, "av1": 20, "vp9": 20}
_YUV: Final[tuple[Chroma, ...]] = ("420", "422", "444")
_RGB8: Final = Layout("rgb", 8)

CODECS: Final[dict[CodecName, Codec]] = {
    "h264": Codec(
        "h264",
        "libx264",
        _x264,
        (*_layouts(_YUV, (8, 10)), _RGB8),
        rgb_encoder="libx264rgb",
        packed={_RGB8: "rgb24"},
        halved_chroma_needs_even=True,
    ),
    "h265": Codec(
        "hevc", "libx265", _x265, _layouts((*_YUV, "rgb"), (8, 10, 12)), halved_chroma_needs_even=True, tag="hvc1"
    ),
    "av1": Codec("av1", "libsvtav1", _svt, _layouts(("420",), (8, 10)), halved_chroma_needs_even=True),
    "vp9": Codec("vp9", "libvpx-vp9", _vpx, (*_layouts(_YUV, (8,)), _RGB8)),
    "prores": Codec(
        "prores",
        "prores_ks",
        _prores,
        (*_layouts(("422", "444"), (10,)), Layout("444", 10, alpha=True)),
        segment_suffix=".mov",
    ),
    "ffv1": Codec(
        "ffv1",
        "ffv1",
        _ffv1,
        (
            *_layouts((*_YUV, "rgb"), (8, 9, 10, 12, 14, 16)),
            *_layouts(_YUV, (8, 9, 10, 16), alpha=True),
            *_layouts(("422", "444"), (12,), alpha=True),
            *_layouts(("rgb",), (8, 10, 12, 14, 16), alpha=True),
        ),
        packed={_RGB8: "bgr0", Layout("rgb", 8, alpha=True): "bgra"},
        always_exact=True,
    ),
}


def output_format(
    codec: CodecName,
    own: str,
    size_wh: tuple[int, int],
    *,
    chroma: StoredChroma = "same",
    lossless: bool = False,
    alpha: bool = False,
) -> str:
    """Pixel format to encode: the picture's own, else the nearest that loses least.

    Args:
        own: layout of the pictures without alpha, e.g. yuv420p10le or gbrp.
        size_wh: stored size, before rotation.
        chroma: what is asked for instead of the picture's own. RGB that may lose is stored as 4:4:4, which more
            players show.
        lossless: take no format that holds less.
        alpha: the format has room for alpha.

    Raises:
        EncoderError: the codec has no such format, cannot write an odd size, or would lose something.
    """
    have, entry = layout_named(own), CODECS[codec]
    want = Layout(_wanted_chroma(have, chroma, lossless or entry.always_exact), have.bits, alpha)
    if alpha and not holds_alpha(codec):
        raise EncoderError(f"{codec} has no alpha here; use --codec prores (.mov) or --codec ffv1 (.mkv)")
    choices = [choice for choice in entry.layouts if choice.alpha == alpha and _same_family(choice, want, chroma)]
    whole = [choice for choice in choices if not _splits_a_sample(entry, choice, size_wh)]
    if choices and not whole:
        raise EncoderError(f"{codec} cannot write the odd size {size_wh[0]}x{size_wh[1]}; use --codec h264")
    best = min(whole, key=lambda choice: _cost(choice, want), default=None)
    if best is None or (lossless and best != want):
        raise EncoderError(f"{codec} cannot store {want.text} exactly; use --codec {_exact_codecs(want, size_wh)}")
    return entry.packed.get(best, best.name)


def holds_alpha(codec: CodecName) -> bool:
    """Whether a codec can store alpha here."""
    return any(layout.alpha for layout in CODECS[codec].layouts)


def encoder_name(codec: CodecName, pixel_format: str) -> str:
    """What FFmpeg calls the software encoder for a codec and pixel format."""
    entry = CODECS[codec]
    rgb = layout_named(pixel_format).chroma == "rgb"
    return entry.rgb_encoder if rgb and entry.rgb_encoder else entry.encoder


def usable_encoders() -> list[str]:
    """Names of the codecs whose encoder is in this build of the media library."""
    return [name for name, codec in CODECS.items() if codec.encoder in av.codecs_available]


def _wanted_chroma(have: Layout, asked: StoredChroma, exact: bool) -> Chroma:
    if asked != "same":
        return asked
    return "444" if have.chroma == "rgb" and not exact else have.chroma


def _same_family(choice: Layout, want: Layout, asked: StoredChroma) -> bool:
    """Whether a layout may stand for the one wanted: what was asked for is never replaced by something else."""
    if asked != "same":
        return choice.chroma == want.chroma
    return (choice.chroma == "rgb") == (want.chroma == "rgb")


def _cost(have: Layout, want: Layout) -> tuple[int, int]:
    order: list[Chroma] = ["420", "422", "444", "rgb"]
    return _distance(order.index(have.chroma), order.index(want.chroma)), _distance(have.bits, want.bits)


def _distance(have: int, want: int) -> int:
    """0 when equal; too much costs less than too little."""
    return have - want if have >= want else 1000 + want - have


def _splits_a_sample(codec: Codec, layout: Layout, size_wh: tuple[int, int]) -> bool:
    odd = (layout.chroma in ("420", "422") and size_wh[0] % 2) or (layout.chroma == "420" and size_wh[1] % 2)
    return codec.halved_chroma_needs_even and bool(odd)


def _exact_codecs(want: Layout, size_wh: tuple[int, int]) -> str:
    names = [
        name
        for name, codec in CODECS.items()
        if name not in NEVER_EXACT and want in codec.layouts and not _splits_a_sample(codec, want, size_wh)
    ]
    return " or ".join(names) or "ffv1 without --lossless"
