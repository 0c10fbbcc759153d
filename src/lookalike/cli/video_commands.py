"""The commands for videos: frames, cut, denoise."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from lookalike.cli.commands import Flat, Folder, _show
from lookalike.pipeline.config import CutEncodeOptions, CutOptions, DenoiseOptions, FramesOptions
from lookalike.pipeline.time_points import parse_point
from lookalike.pipeline.workspace import Side, Workspace


def frames(
    workspace: Folder,
    side: Side,
    *,
    overwrite: Annotated[
        bool, Parameter(negative="", help="Write images that are there from the same video and options once more.")
    ] = False,
    options: Annotated[FramesOptions | None, Flat] = None,
) -> None:
    """Write frames as images into data_src or data_dst, named by their number in the video. No step needs them."""
    from lookalike.pipeline.frames import frames as run

    place = Workspace(workspace)
    _show(run(place, side, options or FramesOptions(), overwrite=overwrite), place)


def cut(
    video: Annotated[Path, Parameter(help="The video to take a part of.")],
    *,
    begin: Annotated[
        str | None,
        Parameter(
            name="--from", help="First moment: 1:02:03.250, 2:03.5, 123.5 (seconds) or 120f (frame, from 1); the start."
        ),
    ] = None,
    end: Annotated[
        str | None, Parameter(name="--to", help="A moment to end before, or the last frame to keep; the end.")
    ] = None,
    output: Annotated[
        Path | None, Parameter(name=("--output", "-o"), help="NAME_cut beside the video by default.")
    ] = None,
    audio_track: Annotated[
        int | None, Parameter(validator=Number(gte=0), help="Keep this audio track only, from 0; all by default.")
    ] = None,
    overwrite: Annotated[bool, Parameter(negative="", help="Write over a file that is there.")] = False,
    encoding: Annotated[CutEncodeOptions | None, Flat] = None,
) -> None:
    """Keep a part of a video: the frames shown from one moment up to another, with the sound of that time."""
    from lookalike.pipeline.cut import cut as run

    for point in (begin, end):
        if point is not None:
            parse_point(point)  # so that what is wrong is said without the words of the options' checker
    options = CutOptions(begin=begin, end=end, audio_track=audio_track)
    _show(run(video, options, encoding or CutEncodeOptions(), output=output, overwrite=overwrite))


def denoise(workspace: Folder, side: Side, *, options: Annotated[DenoiseOptions | None, Flat] = None) -> None:
    """Make a denoised copy of a side's video and use it from now on; the original stays. Faces found stay valid."""
    from lookalike.pipeline.denoise import denoise as run

    place = Workspace(workspace)
    _show(run(place, side, options or DenoiseOptions()), place)
