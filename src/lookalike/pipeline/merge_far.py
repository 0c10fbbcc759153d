"""A merge on many machines: each makes whole segments, encoded, of all that they look at; see `merge_stretch`."""

import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Final

from lookalike.cluster.files import FileRef, Files, file_ref
from lookalike.files import write_bytes
from lookalike.masks.segmenter import open_segmenter, precision_of
from lookalike.merging.config import MergeRun
from lookalike.merging.merge import Merged
from lookalike.merging.predict import Predictor
from lookalike.merging.steady import REACH
from lookalike.merging.track import Tracks
from lookalike.models.checkpoint import DRAWING_PARTS
from lookalike.models.device import Precision, choose_device
from lookalike.models.xseg import generic_weights
from lookalike.pipeline import segments
from lookalike.pipeline.covers import Covers
from lookalike.pipeline.footage import Footage, footage_frames, footage_of
from lookalike.pipeline.merge_job import MergeJob, first_needed, last_needed
from lookalike.pipeline.merge_open import asked_upscaler, chooser
from lookalike.pipeline.merge_plan import MergePlan
from lookalike.pipeline.merge_settings import Settings
from lookalike.pipeline.merge_stretch import Counts, merged_stretch
from lookalike.tone_map import graphics_white
from lookalike.types import Frame, VideoInfo
from lookalike.video import EncodeOptions, VideoWriter, frame_times, segment_suffix

_SHARED_MARK: Final = "shared.txt"


@dataclass(frozen=True, slots=True)
class Opening:
    """All that a worker needs to merge any part of a video as the process that gives out the work would."""

    files: Files
    footage: Footage
    models: dict[int | None, str]
    """See models_of."""
    weights: dict[str, list[FileRef]]
    """Of each model."""
    network: FileRef | None
    """The mask network; None for the generic one, or none."""
    asks_network: bool
    precision: Precision | None
    """Of the mask network."""
    settings: Settings
    run: MergeRun
    white: float
    encoding: EncodeOptions
    alpha: bool
    covers: Covers
    mark: FileRef
    """A file where finished segments are wanted; whoever sees it writes them there."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The frames of one segment."""

    number: int
    start: int
    stop: int | None
    """None for the end of the video."""
    faces: list[tuple[int, list[FileRef]]]
    """Files that show the faces of each frame, those around included."""

    def __str__(self) -> str:
        return f"frames {self.start + 1} to {'the end' if self.stop is None else self.stop}"


@dataclass(frozen=True, slots=True)
class Stretched:
    """A segment that was merged and encoded."""

    number: int
    piece: Path | bytes | None
    """A file in the folder of the segments, or what it would hold; None where no frame could be read."""
    counts: Counts = field(default_factory=Counts)
    seconds: dict[str, float] = field(default_factory=dict)
    """See `Stopwatch`."""


def opening_of(plan: MergePlan, video: segments.SegmentedVideo, files: Files) -> Opening:
    """What workers need for a merge; nothing of it is loaded here.

    Args:
        plan: what is merged.
        video: where the segments go.
        files: of the pool.
    """
    workspace, run, network = plan.workspace, plan.run, plan.network
    mark = video.folder / _SHARED_MARK
    write_bytes(mark, uuid.uuid4().hex.encode())
    return Opening(
        files=files,
        footage=footage_of(plan.info),
        models=plan.models,
        weights={one: [file_ref(workspace.model(one) / part) for part in DRAWING_PARTS] for one in plan.states},
        network=file_ref(network) if network and network != generic_weights() else None,
        asks_network=network is not None,
        precision=precision_of(network, run.device) if network else None,
        settings=plan.settings,
        run=run.model_copy(update={"device": choose_device(run.device).type, "mask_network": None}),
        white=graphics_white(plan.info.tags),
        encoding=video.options,
        alpha=video.alpha,
        covers=plan.covers,
        mark=file_ref(mark),
    )


def stretches(info: VideoInfo, faces: dict[int, list[Path]], start: int) -> Iterator[Stretch]:
    """The segments from frame `start` on, a multiple of their length."""
    length = segments.SEGMENT_FRAMES
    count = max(len(frame_times(info)), 1)
    for begin in range(start, count, length):
        stop = begin + length if begin + length < count else None
        seen = range(first_needed(begin) - REACH, (count if stop is None else last_needed(stop - 1)) + REACH)
        around = [(frame, [file_ref(path) for path in faces[frame]]) for frame in seen if frame in faces]
        yield Stretch(begin // length, begin, stop, around)


def open_far_merge(opening: Opening) -> Callable[[Stretch], Stretched]:
    """Load models and networks in a worker; returns what does its tasks."""
    files, run = opening.files, opening.run
    folders = {name: files.here(refs)[0].parent for name, refs in opening.weights.items()}
    network = files.here([opening.network])[0] if opening.network else generic_weights()
    job = MergeJob(
        tracks=Tracks({}, run.stabilize),
        settings=opening.settings,
        run=run,
        predictors={name: Predictor(folder, run.device) for name, folder in folders.items()},
        model_of=chooser(opening.models),
        network=open_segmenter(network, run.device, opening.precision) if opening.asks_network else None,
        upscale=asked_upscaler(opening.settings, run),
        white=opening.white,
    )
    return lambda stretch: _merged(opening, job, stretch)


def _merged(opening: Opening, job: MergeJob, stretch: Stretch) -> Stretched:
    paths = iter(opening.files.here([ref for _, refs in stretch.faces for ref in refs]))
    faces = {frame: [next(paths) for _ in refs] for frame, refs in stretch.faces}
    job = replace(job, tracks=Tracks(faces, job.run.stabilize), clock=type(job.clock)())
    counts = Counts()
    needed = None if stretch.stop is None else last_needed(stretch.stop - 1)
    frames = footage_frames(opening.footage, opening.files, first_needed(stretch.start), needed)
    merged = merged_stretch(job, frames, stretch.start, stretch.stop, opening.covers, counts)
    piece = _encoded(opening, stretch.number, _timed(job, merged))
    return Stretched(stretch.number, piece, counts, job.clock.seconds())


def _timed(job: MergeJob, merged: Iterator[tuple[Frame, Merged]]) -> Iterator[Frame]:
    for frame, _ in merged:
        with job.clock.measure("encode"):  # what happens to the frame until the next one is asked for
            yield frame


def _encoded(opening: Opening, number: int, frames: Iterator[Frame]) -> Path | bytes | None:
    """Write a segment where it is wanted, under a name of its own, if that can be seen from here; else its bytes."""
    first = next(frames, None)
    if first is None:
        return None
    name = f"far-{number:06d}-{uuid.uuid4().hex}{segment_suffix(opening.encoding.codec)}"
    if opening.files.sees(opening.mark):
        return _write(opening.mark.path.with_name(name), opening, chain([first], frames))
    with tempfile.TemporaryDirectory() as folder:
        return _write(Path(folder) / name, opening, chain([first], frames)).read_bytes()


def _write(path: Path, opening: Opening, frames: Iterable[Frame]) -> Path:
    with VideoWriter(path, opening.footage.info, opening.encoding, alpha=opening.alpha) as writer:
        for frame in frames:
            writer.write(frame)
    return path
