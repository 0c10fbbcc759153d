"""Which encoder writes a video: the software one, or one in the graphics card that really opens."""

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
import av.error
from av.codec.codec import Codec, UnknownCodecError
from av.codec.context import CodecContext
from av.codec.hwaccel import HWAccel
from av.video.codeccontext import VideoCodecContext

from lookalike.errors import EncoderError
from lookalike.video.codecs import CODECS, bitrate_setting, crf_of, encoder_name, output_format
from lookalike.video.layouts import Layout, layout_named
from lookalike.video.options import CodecName, EncodeOptions, HardwareName
from lookalike.video.priority import own_priority

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Encoder:
    """An encoder of FFmpeg and how it is asked."""

    name: str
    settings: dict[str, str]
    pixel_format: str
    device: str | None = None
    """What FFmpeg calls the kind of device that frames are first sent to; None where the encoder does that itself."""


@dataclass(frozen=True, slots=True)
class _Hardware:
    quality: Callable[[CodecName, int], dict[str, str]]
    """Options of constant quality for a codec and its crf."""
    pixel_formats: dict[Layout, str]
    device: str | None = None


_HALVED: Final = {Layout("420", 8): "nv12", Layout("420", 10): "p010le"}
_QP_UNIT: Final = 118
"""FF_QP2LAMBDA: FFmpeg's `global_quality` where an encoder counts in its lambdas."""


def _nvenc(_: CodecName, crf: int) -> dict[str, str]:
    return {"rc": "vbr", "cq": str(max(crf, 1)), "b": "0"}  # 0 would mean automatic


def _qsv(codec: CodecName, crf: int) -> dict[str, str]:
    return {"global_quality": str(max(_of_51(codec, crf), 1))}


def _videotoolbox(codec: CodecName, crf: int) -> dict[str, str]:
    # 1 to 100, higher is better; only Apple's own processors take it.
    quality = round(100 - 99 * _of_51(codec, crf) / 51)
    return {"flags": "+qscale", "global_quality": str(quality * _QP_UNIT)}


def _amf(codec: CodecName, crf: int) -> dict[str, str]:
    step = str(crf * 4 if codec == "av1" else crf)  # AV1 counts to 255
    return {"rc": "cqp", "qp_i": step, "qp_p": step}


def _vaapi(codec: CodecName, crf: int) -> dict[str, str]:
    return {"rc_mode": "CQP", "global_quality": str(max(_of_51(codec, crf), 1))}


def _of_51(codec: CodecName, crf: int) -> int:
    """A crf on the scale of 51."""
    return round(crf * 51 / 63) if codec in ("av1", "vp9") else crf


HARDWARE: Final[dict[HardwareName, _Hardware]] = {
    "nvenc": _Hardware(_nvenc, {**_HALVED, Layout("444", 8): "yuv444p"}),
    "qsv": _Hardware(_qsv, _HALVED),
    "videotoolbox": _Hardware(_videotoolbox, _HALVED),
    "amf": _Hardware(_amf, _HALVED),
    "vaapi": _Hardware(_vaapi, _HALVED, device="vaapi"),
}
"""In the order that `auto` tries them."""


def choose_encoder(options: EncodeOptions, own: str, size_wh: tuple[int, int], alpha: bool = False) -> Encoder:
    """The encoder for pictures of a layout and size.

    Args:
        own: layout of the pictures without alpha, e.g. yuv420p10le or gbrp.
        size_wh: stored size, before rotation.
        alpha: whether alpha is stored.

    Raises:
        EncoderError: the codec cannot hold the pictures, or the hardware asked for does not open.
    """
    pixel_format = output_format(
        options.codec, own, size_wh, chroma=options.chroma, lossless=options.lossless, alpha=alpha
    )
    layout = layout_named(pixel_format)
    if options.hardware == "auto":
        found = _first_that_opens(options, layout, size_wh)
        if found is not None:
            return found
    elif options.hardware != "off":
        return _named(options.hardware, options, layout, size_wh)
    settings = CODECS[options.codec].settings(options, layout)
    return Encoder(encoder_name(options.codec, pixel_format), settings, pixel_format)


def usable_hardware() -> list[str]:
    """Codecs and the hardware that encodes them here, as `h264 by nvenc`; each encodes a small frame to prove it."""
    layout, size_wh = Layout("420", 8), (320, 240)
    tries = [
        (codec, name, hardware_encoder(name, EncodeOptions(codec=codec), layout))
        for codec in CODECS
        for name in HARDWARE
    ]
    return [f"{codec} by {name}" for codec, name, found in tries if found is not None and _opens(found, size_wh)]


def hardware_encoder(name: HardwareName, options: EncodeOptions, layout: Layout) -> Encoder | None:
    """The encoder of some hardware for a codec and layout; None where this build has none. It may still not open."""
    entry = HARDWARE[name]
    encoder, pixel_format = f"{CODECS[options.codec].name}_{name}", entry.pixel_formats.get(layout)
    if pixel_format is None or not is_encoder(encoder):
        return None
    if options.bitrate is not None:
        settings = bitrate_setting(options.bitrate)
    else:
        settings = entry.quality(options.codec, crf_of(options))
    return Encoder(encoder, settings, pixel_format, entry.device)


@functools.cache
def is_encoder(name: str) -> bool:
    """Whether this build of the media library has an encoder of that name, which may still not open."""
    try:
        return bool(Codec(name, "w").name)
    except UnknownCodecError:
        return False


def device_of(encoder: Encoder) -> HWAccel | None:
    """What `add_stream` needs for an encoder whose frames are first sent to a device."""
    return None if encoder.device is None else HWAccel(encoder.device)


def _first_that_opens(options: EncodeOptions, layout: Layout, size_wh: tuple[int, int]) -> Encoder | None:
    for name in HARDWARE:
        found = hardware_encoder(name, options, layout)
        if found is not None and _opens(found, size_wh):
            _log.info("%s is encoded by %s", options.codec, found.name)
            return found
    _say_software(options.codec, layout, size_wh)
    return None


@functools.cache
def _say_software(codec: CodecName, layout: Layout, size_wh: tuple[int, int]) -> None:
    """Say it once, not for each segment."""
    _log.warning("no hardware here encodes %s, %s, %dx%d; software does", codec, layout.text, *size_wh)


def _named(name: HardwareName, options: EncodeOptions, layout: Layout, size_wh: tuple[int, int]) -> Encoder:
    found = hardware_encoder(name, options, layout)
    if found is None:
        raise EncoderError(f"{name} cannot encode {options.codec}, {layout.text}, in this build; leave out --hardware")
    if not _opens(found, size_wh):
        raise EncoderError(
            f"{found.name} does not open here for {layout.text}, {size_wh[0]}x{size_wh[1]}; "
            "check the graphics driver, or use --hardware auto"
        )
    return found


def _opens(encoder: Encoder, size_wh: tuple[int, int]) -> bool:
    """Whether an encoder takes a frame and gives a packet; asked once for each encoder, format, quality and size."""
    return _tried(encoder.name, tuple(encoder.settings.items()), encoder.pixel_format, encoder.device, size_wh)


@functools.cache
def _tried(
    name: str, settings: tuple[tuple[str, str], ...], pixel_format: str, device: str | None, size_wh: tuple[int, int]
) -> bool:
    try:
        context = CodecContext.create(name, "w", hwaccel=None if device is None else HWAccel(device))
        assert isinstance(context, VideoCodecContext)
        context.width, context.height = size_wh
        context.pix_fmt, context.time_base, context.framerate = pixel_format, Fraction(1, 25), Fraction(25)
        context.options = dict(settings)
        frame = av.VideoFrame(*size_wh, pixel_format)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts, frame.time_base = 0, Fraction(1, 25)
        with own_priority():
            return bool(context.encode(frame) + context.encode(None))
    except (av.error.FFmpegError, ValueError, NotImplementedError, RuntimeError) as exc:
        _log.debug("%s does not open: %s", name, exc)
        return False
