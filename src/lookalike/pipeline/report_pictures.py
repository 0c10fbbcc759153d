"""The pictures of a report: the worst frames, and a strip of usual ones."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.color import picture_to_rgb8
from lookalike.faceset import load_record
from lookalike.pipeline.report_survey import Survey
from lookalike.reporting import pictures
from lookalike.types import Frame
from lookalike.video import read_frames

STRIP = "strip.jpg"
_NEAR = 100
"""Frames that are rather read through than jumped over: a jump reads the file's index, and on from a keyframe."""


def draw_pictures(
    survey: Survey, dst: Path, result: Path, worst: Sequence[int], strip: Sequence[int]
) -> dict[str, bytes]:
    """JPEGs by their name in the report's folder; the frames are read once more, so that no picture was kept until now.

    Args:
        worst: numbers of the frames to draw, dst beside the result.
        strip: numbers of the frames of the strip.
    """
    files: dict[str, bytes] = {}
    tiles: list[NDArray[np.uint8]] = []
    for number in sorted({*strip, *worst}):
        record = load_record(survey.faces[number][0])
        first, second = (picture_to_rgb8(next(read_frames(path, number, number + 1)).picture) for path in (dst, result))
        if number in strip:
            tiles.append(pictures.pair_tile(first, second, record))
        if number in worst:
            files[picture_name(number)] = pictures.pair_picture(first, second, record.box_xyxy)
    if tiles:
        files[STRIP] = pictures.strip_picture(tiles)
    return files


def picture_name(number: int) -> str:
    """Of a frame's picture."""
    return f"frame-{number:05d}.jpg"


def _read(path: Path, numbers: Sequence[int]) -> Iterator[Frame]:
    """The frames of these rising numbers."""
    wanted = set(numbers)
    starts = [k for k, number in enumerate(numbers) if k == 0 or number - numbers[k - 1] > _NEAR]
    for start, stop in zip(starts, [*starts[1:], len(numbers)], strict=True):
        for frame in read_frames(path, numbers[start], numbers[stop - 1] + 1):
            if frame.index in wanted:
                yield frame
