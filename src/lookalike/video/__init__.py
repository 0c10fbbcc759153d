"""Reading and writing videos; the only importer of the media library.

Names are loaded at their first use: `lookalike.video.options` must not cost a command line's help the media library.
"""

import importlib
from typing import TYPE_CHECKING, Any

from lookalike.video.options import CodecName, EncodeOptions

if TYPE_CHECKING:
    from lookalike.video.codecs import holds_alpha, output_format, usable_encoders
    from lookalike.video.encoders import usable_hardware
    from lookalike.video.glance import codecs_of, keyframes, still
    from lookalike.video.images import is_images, list_images
    from lookalike.video.join import Seal, join_segments, segment_suffix
    from lookalike.video.outputs import check_output, encoded_as, fitting_output
    from lookalike.video.planes import planar_layout
    from lookalike.video.probing import file_tags, probe
    from lookalike.video.reader import ReadReport, read_frames
    from lookalike.video.samples import small_frames
    from lookalike.video.sidecar import FrameTimes, load_times, save_times
    from lookalike.video.sound import write_sound
    from lookalike.video.sound_cut import SoundCut
    from lookalike.video.times import frame_times, has_times, start_seconds
    from lookalike.video.writer import VideoWriter

__all__ = [
    "CodecName",
    "EncodeOptions",
    "FrameTimes",
    "ReadReport",
    "Seal",
    "SoundCut",
    "VideoWriter",
    "check_output",
    "codecs_of",
    "encoded_as",
    "file_tags",
    "fitting_output",
    "frame_times",
    "has_times",
    "holds_alpha",
    "is_images",
    "join_segments",
    "keyframes",
    "list_images",
    "load_times",
    "output_format",
    "planar_layout",
    "probe",
    "read_frames",
    "save_times",
    "segment_suffix",
    "small_frames",
    "start_seconds",
    "still",
    "usable_encoders",
    "usable_hardware",
    "write_sound",
]

_HOMES = {
    "holds_alpha": "codecs",
    "output_format": "codecs",
    "usable_encoders": "codecs",
    "usable_hardware": "encoders",
    "codecs_of": "glance",
    "keyframes": "glance",
    "still": "glance",
    "Seal": "join",
    "join_segments": "join",
    "segment_suffix": "join",
    "check_output": "outputs",
    "encoded_as": "outputs",
    "fitting_output": "outputs",
    "is_images": "images",
    "list_images": "images",
    "planar_layout": "planes",
    "file_tags": "probing",
    "probe": "probing",
    "ReadReport": "reader",
    "read_frames": "reader",
    "small_frames": "samples",
    "VideoWriter": "writer",
    "FrameTimes": "sidecar",
    "load_times": "sidecar",
    "save_times": "sidecar",
    "write_sound": "sound",
    "SoundCut": "sound_cut",
    "frame_times": "times",
    "has_times": "times",
    "start_seconds": "times",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
