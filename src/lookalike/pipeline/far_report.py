"""Frames of two videos measured on a cluster: a task is a run with its neighbours, so that flicker is whole."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.files import Files
from lookalike.cluster.ray_pool import open_pool
from lookalike.errors import WeightsError
from lookalike.faces import installed_recognisers
from lookalike.faceset import FaceRecord, load_record
from lookalike.pipeline.footage import Footage, footage_of
from lookalike.pipeline.frame_runs import Run, cut_into_runs, run_reader, why_not_cut
from lookalike.pipeline.report_frames import (
    Counter,
    Looked,
    Pair,
    followed,
    glanced,
    looked_at,
    measured_frames,
    paired,
    with_flicker,
)
from lookalike.pipeline.report_survey import People, Survey
from lookalike.reporting.measure import FrameFigures
from lookalike.types import Frame, Message, VideoInfo

_BESIDE: Final = 1
"""Frames before and after a run that are looked at for the sake of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class MeasureSpec:
    """What all workers know: both videos, and of the survey what can travel."""

    files: Files
    videos: tuple[Footage, Footage]
    """dst, result."""
    crop_size: int
    people: Mapping[str, tuple[NDArray[np.float32], NDArray[np.float32]]]
    """src's and dst's mean embeddings, by the name of the recogniser."""
    embedded: frozenset[int]
    dst_embedded: frozenset[int]


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """A run to be measured, with the records of dst's faces in it and in the frames beside it."""

    run: Run
    records: Mapping[int, list[FaceRecord]]

    def __str__(self) -> str:
        return str(self.run)


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures of a run, and how many of its frames each video has."""

    figures: list[FrameFigures]
    counted: Counter


def measure_on(
    cluster: ClusterOptions, dst: VideoInfo, result: VideoInfo, survey: Survey, counter: Counter
) -> Iterator[FrameFigures | Message]:
    """As `measured_frames`, by workers; with messages about them.

    Raises:
        ClusterError: the workers cannot be had. Otherwise as `measured_frames`.
    """
    alone = why_not_cut(dst.path) or why_not_cut(result.path)
    if alone:
        yield Message("report", f"done on this machine alone: {alone}")
        yield from measured_frames(dst.path, result.path, survey, counter)
        return
    people = {one.recogniser.name: (one.src, one.dst) for one in survey.people}
    videos = footage_of(dst), footage_of(result)
    runs = cut_into_runs(dst.path, dst.frame_count, beside=_BESIDE)
    with open_pool(cluster) as pool:
        spec = MeasureSpec(pool.files, videos, survey.crop_size, people, survey.embedded, survey.dst_embedded)
        for measured in pool.ordered(open_far_measure, spec, (Stretch(run, _records(survey, run)) for run in runs)):
            counter.dst += measured.counted.dst
            counter.result += measured.counted.result
            yield from measured.figures
        if pool.report is not None:
            yield Message("report", pool.report.says())


def open_far_measure(spec: MeasureSpec) -> Callable[[Stretch], Measured]:
    """A worker's side of `measure_on`.

    Raises:
        WeightsError: a recogniser is not on this machine. ClusterError: a video is not.
    """
    videos = [run_reader(footage, spec.files) for footage in spec.videos]
    survey = Survey(
        faces={},
        crop_size=spec.crop_size,
        people=[_person(name, *means) for name, means in spec.people.items()],
        embedded=spec.embedded,
        dst_embedded=spec.dst_embedded,
        landmarkers=frozenset(),
    )
    return partial(_measured, videos, survey)


def _measured(videos: list[Callable[[Run], Iterator[Frame]]], survey: Survey, stretch: Stretch) -> Measured:
    run, counted = stretch.run, Counter()
    wide = Run(max(0, run.start - _BESIDE), None if run.stop is None else run.stop + _BESIDE)
    dst, result = (read(wide) for read in videos)
    pairs = followed(paired(_counted(dst, run, counted, "dst"), _counted(result, run, counted, "result"), Counter()))

    def looked(pair: Pair) -> Looked:
        look = looked_at if run.holds(pair.dst.index) else glanced
        return look(pair, stretch.records.get(pair.dst.index, []), survey)

    return Measured(list(with_flicker(map(looked, pairs))), counted)


def _counted(frames: Iterator[Frame], run: Run, counter: Counter, name: Literal["dst", "result"]) -> Iterator[Frame]:
    """The frames, those of the run counted."""
    for frame in frames:
        if run.holds(frame.index):
            setattr(counter, name, getattr(counter, name) + 1)
        yield frame


def _person(name: str, src: NDArray[np.float32], dst: NDArray[np.float32]) -> People:
    kind = next((kind for kind in installed_recognisers() if kind.name == name), None)
    if kind is None:
        raise WeightsError(f"a worker lacks the weights of {name}; on its machine: lookalike weights get {name}")
    return People(kind, src, dst)


def _records(survey: Survey, run: Run) -> dict[int, list[FaceRecord]]:
    """Of dst's faces in a run and beside it."""
    stop = max(survey.faces, default=-1) + 1 if run.stop is None else run.stop + _BESIDE
    frames = (number for number in range(max(0, run.start - _BESIDE), stop) if number in survey.faces)
    return {number: [load_record(path) for path in survey.faces[number]] for number in frames}
