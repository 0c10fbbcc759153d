"""A workspace whose result can be measured, for comparing what a cluster measures with what one machine does."""

import shutil
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

from lookalike.color import picture_to_rgb8
from lookalike.faceset import list_faces
from lookalike.pipeline.result import stamp
from lookalike.pipeline.workspace import Workspace
from lookalike.video import read_frames

MEASURED = 11
"""Frames of the result; dst has more."""


def measured_workspace(folder: Path, extracted: Workspace) -> Workspace:
    """The person of an extraction as dst and as src, and a result whose faces are a little brighter, some not there."""
    workspace = Workspace.create(folder)
    workspace.set_video("dst", extracted.video("src"))
    for side in ("src", "dst"):
        shutil.copytree(extracted.aligned("src"), workspace.data(side) / "aligned")
    for path in list_faces(workspace.aligned("dst"))[4:6]:
        path.unlink()
    result = folder / "result.mp4"
    with av.open(str(result), "w") as container:
        frames = list(read_frames(extracted.video("src"), 0, MEASURED))
        stream = container.add_stream("libx264", rate=24, options={"crf": "20", "preset": "veryfast", "g": "4"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *frames[0].picture.size_wh, "yuv420p"
        for frame in frames:
            brighter = np.clip(picture_to_rgb8(frame.picture).astype(int) + 9 * (frame.index % 3), 0, 255)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(brighter.astype(np.uint8))))
        container.mux(stream.encode(None))
    workspace.note("merge", output=str(result), stamp=stamp(result))
    return workspace


def report_files(workspace: Workspace) -> dict[str, bytes]:
    """All files of a report."""
    return {path.name: path.read_bytes() for path in workspace.report.iterdir()}
