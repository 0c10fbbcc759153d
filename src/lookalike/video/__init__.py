"""Reading and writing videos; the only importer of the media library.

Names are loaded at their first use: `lookalike.video.options` must not cost a command line's help the media library.
"""

import importlib
from typing import TYPE_CHECKING, Any

from lookalike.video.options import CodecName, EncodeOptions

if TYPE_CHECKING:
    from lookalike.video.codecs import output_format, usable_encoders
    from lookalike.video.join import join_segments, segment_suffix
    from lookalike.video.outputs import check_output
    from lookalike.video.probing import probe
    from lookalike.video.reader import ReadReport, read_frames
    from lookalike.video.sound import write_sound
    from lookalike.video.writer import VideoWriter

__all__ = [
    "CodecName",
    "EncodeOptions",
    "ReadReport",
    "VideoWriter",
    "check_output",
    "join_segments",
    "output_format",
    "probe",
    "read_frames",
    "segment_suffix",
    "usable_encoders",
    "write_sound",
]

_HOMES = {
    "output_format": "codecs",
    "usable_encoders": "codecs",
    "join_segments": "join",
    "segment_suffix": "join",
    "check_output": "outputs",
    "probe": "probing",
    "ReadReport": "reader",
    "read_frames": "reader",
    "VideoWriter": "writer",
    "write_sound": "sound",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
