"""Encoding a sound track of our own; sound of videos is copied, see `join_segments`."""

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from lookalike.files import replacing
from lookalike.video.outputs import encoder_errors

_CHUNK = 1024


def write_sound(path: Path, samples: NDArray[np.float32], rate: int) -> None:
    """Encode (N,) float32 mono samples in [-1, 1] as AAC; `path` ends in .m4a.

    Raises:
        StorageError: the disk is full.
    """
    with ExitStack() as stack:
        temporary = stack.enter_context(replacing(path))
        stack.enter_context(encoder_errors(path))
        container = stack.enter_context(av.open(f"file:{temporary}", "w", format="ipod"))
        stream = container.add_stream("aac", rate=rate, layout="mono")
        assert isinstance(stream, AudioStream)
        for start in range(0, len(samples), _CHUNK):
            chunk = np.ascontiguousarray(samples[None, start : start + _CHUNK], np.float32)
            frame = av.AudioFrame.from_ndarray(chunk, format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
