"""Lookalike for notebooks and scripts: the steps, and what one wants to look at between them, as arrays.

Pictures are (H, W, 3) uint8 RGB arrays, frames are numbered from 0, and errors that can be acted on are
`LookalikeError`s of one line. The steps are iterators of events, which `run` draws to their end:

    from lookalike import api

    workspace = api.Workspace.create(Path("my_swap"))
    workspace.set_video("src", Path("interview.mp4"))
    with workspace.locked():
        api.run(api.extract(workspace, "src", api.ExtractConfig()))
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("OPENCV_LOG_LEVEL", "ERROR")  # read when it is loaded; notebooks show what it says otherwise

from lookalike.cluster.config import ClusterOptions
from lookalike.color import picture_to_rgb8
from lookalike.curation.config import SortConfig
from lookalike.curation.drawing import draw_face
from lookalike.errors import LookalikeError, VideoError, WorkspaceError
from lookalike.faceset import FaceRecord, list_faces, load_face
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.models.config import AmpConfig, GuidedConfig, ModelConfig, SaeConfig, SaehdConfig
from lookalike.pipeline.compare import compare
from lookalike.pipeline.config import (
    CutEncodeOptions,
    CutOptions,
    DenoiseOptions,
    ExtractConfig,
    FramesOptions,
    TrustOptions,
)
from lookalike.pipeline.contact_sheet import contact_sheet
from lookalike.pipeline.cut import cut
from lookalike.pipeline.demo import demo, draw_clip
from lookalike.pipeline.denoise import denoise
from lookalike.pipeline.encode import encode
from lookalike.pipeline.extract import extract
from lookalike.pipeline.face_drawing import DrawnFace, open_model, swap_face
from lookalike.pipeline.frame_shelf import FrameShelf
from lookalike.pipeline.frames import frames
from lookalike.pipeline.merge import merge
from lookalike.pipeline.merge_piece import merge_piece
from lookalike.pipeline.merge_preview import MergePreview
from lookalike.pipeline.models import model_name, model_names
from lookalike.pipeline.plan import new_training
from lookalike.pipeline.report import report
from lookalike.pipeline.report_file import read_report
from lookalike.pipeline.run_events import Show, run
from lookalike.pipeline.sort import sort
from lookalike.pipeline.swap import swap
from lookalike.pipeline.timelapse import timelapse
from lookalike.pipeline.train import train
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.provenance.verify import Verdict, verify
from lookalike.reporting.figures import Report
from lookalike.sample import Portrait, load_portraits
from lookalike.training.config import PRESETS, TrainConfig
from lookalike.training.curves import Curves
from lookalike.types import Event, Message, Progress
from lookalike.video import EncodeOptions

__all__ = [
    "PRESETS",
    "AlignedFace",
    "AmpConfig",
    "ClusterOptions",
    "CutEncodeOptions",
    "CutOptions",
    "DenoiseOptions",
    "DrawnFace",
    "EncodeOptions",
    "Event",
    "ExtractConfig",
    "FaceRecord",
    "Faces",
    "FramesOptions",
    "GuidedConfig",
    "LookalikeError",
    "Losses",
    "MergeConfig",
    "MergePreview",
    "MergeRun",
    "Message",
    "ModelConfig",
    "Portrait",
    "Progress",
    "Report",
    "SaeConfig",
    "SaehdConfig",
    "Show",
    "Side",
    "SortConfig",
    "TrainConfig",
    "TrustOptions",
    "Verdict",
    "Workspace",
    "compare",
    "contact_sheet",
    "cut",
    "demo",
    "denoise",
    "draw_clip",
    "draw_face",
    "encode",
    "extract",
    "faces",
    "figures",
    "frame",
    "frame_pair",
    "frames",
    "load_portraits",
    "losses",
    "measurements",
    "merge",
    "merge_piece",
    "model_name",
    "model_names",
    "new_training",
    "open_model",
    "report",
    "run",
    "sort",
    "swap",
    "swap_face",
    "timelapse",
    "train",
    "verify",
]


@dataclass(frozen=True, slots=True, eq=False)
class AlignedFace:
    """One face of a faceset."""

    path: Path
    """Its file."""
    image: NDArray[np.uint8]
    """(S, S, 3) RGB, aligned."""
    record: FaceRecord
    """What is known of it: frame, landmarks, pose, person, mask."""


class Faces(Sequence[AlignedFace]):
    """The faces of a faceset in name order. One is read when it is asked for, so a large faceset takes no memory."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Nothing is read yet; `paths` are files of aligned faces."""
        self.paths = tuple(paths)

    def __len__(self) -> int:
        """How many faces there are."""
        return len(self.paths)

    @overload
    def __getitem__(self, place: int) -> AlignedFace: ...

    @overload
    def __getitem__(self, place: slice) -> "Faces": ...

    def __getitem__(self, place: int | slice) -> "AlignedFace | Faces":
        """A face, or a part of them.

        Raises:
            RecordError: the file is no face.
        """
        if isinstance(place, slice):
            return Faces(self.paths[place])
        return AlignedFace(self.paths[place], *load_face(self.paths[place]))

    def sheet(self, columns: int = 10, side: int = 96) -> NDArray[np.uint8]:
        """All of them in one picture; see contact_sheet."""
        return contact_sheet([face.image for face in self], columns, side)


def faces(workspace: Workspace, side: Side) -> Faces:
    """The faces that a side has in use.

    Raises:
        FacesetError: extract was not run.
    """
    return Faces(list_faces(workspace.aligned(side)))


def frame(video: Path, number: int) -> NDArray[np.uint8]:
    """One frame of a video, or of a folder of images, upright.

    Args:
        video: such as `workspace.video("dst")`, or a result.
        number: of the frame, from 0.

    Raises:
        VideoError: it has no such frame, or cannot be read.
    """
    if number < 0:
        raise VideoError(f"frames are numbered from 0, got {number}")
    return picture_to_rgb8(FrameShelf(video).get(number).picture)


def frame_pair(
    workspace: Workspace, number: int, options: MergeConfig | None = None, *, name: str | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A frame of dst before and after: as it is, and merged with these options at once, without a result on disk.

    For many frames keep one `MergePreview(workspace)` instead; it opens the model once.

    Args:
        workspace: with a faceset of dst and a model.
        number: of the frame, from 0.
        options: how the face is laid in.
        name: of the model; the one trained last, or the only one, if left out.

    Raises:
        CheckpointError: there is no such model. FacesetError: extract was not run. VideoError: there is no such frame.
    """
    preview = MergePreview(workspace)
    try:
        return preview.dst(number), preview.look(number, options or MergeConfig(), name=name).picture()
    finally:
        preview.close()


@dataclass(frozen=True, slots=True, eq=False)
class Losses:
    """Numbers that a training wrote down, line by line."""

    iterations: NDArray[np.int64]
    """(N,), rising."""
    values: dict[str, NDArray[np.float64]]
    """(N,) each, by name; NaN where a line has none."""


def losses(workspace: Workspace, name: str | None = None) -> Losses:
    """The losses of every iteration that a model was trained for, from its `log.jsonl`.

    Args:
        workspace: whose model it is.
        name: of the model; the one trained last, or the only one, if left out.

    Raises:
        CheckpointError: there is no such model.
    """
    return _curves(workspace, name, "log.jsonl")


def measurements(workspace: Workspace, name: str | None = None) -> Losses:
    """What was measured on faces held out while a model was trained, from its `validation.jsonl`; see losses."""
    return _curves(workspace, name, "validation.jsonl")


def _curves(workspace: Workspace, name: str | None, file: str) -> Losses:
    curves = Curves(workspace.model(model_name(workspace, name)) / file)
    curves.update()
    return Losses(curves.iterations, {key: curves.values(key).copy() for key in curves.keys})


def figures(workspace: Workspace) -> Report:
    """What the report of a workspace measured.

    Raises:
        WorkspaceError: there is no report, or another version wrote it.
    """
    found = read_report(workspace)
    if found is None:
        raise WorkspaceError(f"{workspace.folder} has no report that can be read; run report first")
    return found
