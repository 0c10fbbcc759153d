"""What is read of videos from elsewhere, and how much they may claim: no lists of files, no networks, no bombs."""

import ctypes
import functools
from typing import Final

import av._core

CONTAINERS: Final = "mp4, mov, mkv, webm, avi, mpg, ts, mxf, wmv, flv, ogv, gif and the like"
"""For people."""

LARGEST: Final = "up to 8192x4352 pixels can"
"""For people."""
_FORMATS: Final = (
    *("mov", "matroska", "avi", "mxf", "asf", "gif", "apng", "nut", "ivf", "dv", "yuv4mpegpipe", "gxf", "lxf"),
    *("h264", "hevc", "mpegvideo", "m4v", "vc1", "av1", "obu", "mjpeg"),
    *("wav", "mp3", "aac", "flac", "ac3", "aiff", "amr", "caf"),  # so that "no picture track" can be said of them
)
"""FFmpeg's demuxers for files that hold all of themselves. Left out are those that open what a file names (hls, dash,
concat, image2, sdp, rtsp, avisynth), devices, and the many that nobody's camera or player writes.
"""
_LATE_FORMATS: Final = ("mpegts", "mpeg", "flv", "ogg", "rm", "wtv")
"""Files in which a stream may begin anywhere."""
_SOUND_DECODERS: Final = (
    "aac,ac3,eac3,mp1float,mp2float,mp3float,mp1,mp2,mp3,dca,truehd,mlp,flac,opus,vorbis,speex,cook"
)
_MOST_PIXELS: Final = 8192 * 4352
"""The largest picture of H.264 and of HEVC, level 6.2; a decoder may hold sixteen and more of them."""
_MOST_STREAMS: Final = 256
_MOST_BLOCK: Final = 256 << 20
"""Bytes of one block of memory; R, G, B of the largest picture with 16 bits a colour have 214 MB."""

_INPUT: Final = {"protocol_whitelist": "file", "max_streams": str(_MOST_STREAMS)}

DECODER_OPTIONS: Final = {"max_pixels": str(_MOST_PIXELS)}
INPUT_OPTIONS: Final = (
    # Those of decoders are handed on to the ones that look for what a header leaves out.
    {**_INPUT, **DECODER_OPTIONS, "format_whitelist": ",".join(_FORMATS)},
    # But not to a decoder whose stream begins behind the header: so here only sound is looked at.
    {**_INPUT, "format_whitelist": ",".join(_LATE_FORMATS), "codec_whitelist": _SOUND_DECODERS},
)
"""With which a file is opened, one after the other until it can be."""


@functools.cache
def limit_allocations() -> None:
    """Have the media library refuse single blocks of memory that only a bomb needs, such as an index of 10^9 frames."""
    try:
        set_most = ctypes.CDLL(av._core.__file__).av_max_alloc  # found through the module that is linked to it
    except (OSError, AttributeError):  # another build or system; tables and pictures have limits of their own
        return
    set_most.argtypes, set_most.restype = [ctypes.c_size_t], None
    set_most(_MOST_BLOCK)
