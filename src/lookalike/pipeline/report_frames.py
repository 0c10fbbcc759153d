"""Both videos read in step, each frame of the result measured beside dst's; no picture is kept."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.color import in_one_space, picture_to_rgb8
from lookalike.faces import EXPRESSIONS
from lookalike.faceset import FaceRecord, load_record
from lookalike.parallel import ordered_map
from lookalike.pipeline.report_survey import Survey, Tools, face_of
from lookalike.reporting import crops, measure
from lookalike.reporting.likeness import compare_expression
from lookalike.reporting.seam import find_seam
from lookalike.reporting.temporal import warping_error
from lookalike.types import Face, Frame
from lookalike.video import read_frames

_WORKERS = 2
_WARPING_SIDE = 256
"""Most pixels of the crops in which the warping error is measured; flow costs more than all else in larger ones."""


@dataclass(slots=True)
class Counter:
    """Frames read from each video so far."""

    dst: int = 0
    result: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """The same frame of both videos, and the next if it follows."""

    dst: Frame
    result: Frame
    after: "Pair | None" = None


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """A frame that was measured, all but its flicker."""

    frame: int
    figures: measure.FrameFigures | None
    """None if it was only glanced at, for the flicker of the frames beside it."""
    crops: crops.FaceCrops | None
    """None where dst has no face."""


def measured_frames(dst: Path, result: Path, survey: Survey, counter: Counter) -> Iterator[measure.FrameFigures]:
    """The figures of every frame that both videos have, in order; `counter` is filled on the way."""
    pairs = followed(paired(read_frames(dst), read_frames(result), counter))
    yield from with_flicker(ordered_map(partial(_look, survey=survey), pairs, _WORKERS))


def paired(dst: Iterator[Frame], result: Iterator[Frame], counter: Counter) -> Iterator[Pair]:
    """Frames of the same number, both videos read in step and to their ends."""
    other = next(result, None)
    for frame in dst:
        counter.dst += 1
        while other is not None and other.index < frame.index:
            counter.result += 1
            other = next(result, None)
        if other is not None and other.index == frame.index:
            first, second = in_one_space(frame.picture, other.picture)
            yield Pair(replace(frame, picture=first), replace(other, picture=second))
    while other is not None:
        counter.result += 1
        other = next(result, None)


def followed(pairs: Iterator[Pair]) -> Iterator[Pair]:
    """Each pair with the one of the next frame."""
    now = next(pairs, None)
    while now is not None:
        after = next(pairs, None)
        follows = after is not None and after.dst.index == now.dst.index + 1
        yield replace(now, after=after) if follows else now
        now = after


def _look(pair: Pair, survey: Survey) -> Looked:
    """Measure a frame; runs on several threads."""
    return looked_at(pair, [load_record(path) for path in survey.faces.get(pair.dst.index, [])], survey)


def glanced(pair: Pair, records: Sequence[FaceRecord], survey: Survey) -> Looked:
    """As much of a frame as the flicker of those beside it needs, given the records of dst's faces in it."""
    dst, result = pair.dst.picture, pair.result.picture
    cut = crops.cut_out(dst, result, records[0], survey.crop_size) if records else None
    return Looked(pair.dst.index, None, cut)


def looked_at(pair: Pair, records: Sequence[FaceRecord], survey: Survey) -> Looked:
    """Measure a frame, given the records of dst's faces in it."""
    dst, result, index = pair.dst.picture, pair.result.picture, pair.dst.index
    figures = measure.FrameFigures(
        frame=index,
        seconds=pair.dst.seconds,
        time_difference_seconds=float(pair.result.pts * pair.result.time_base - pair.dst.pts * pair.dst.time_base),
        outside=measure.outside_error(dst, result, measure.inside_faces(records, dst.size_wh)),
        face=None,
    )
    if not records:
        return Looked(index, figures, None)
    record, tools = records[0], survey.tools()
    cut = crops.cut_out(dst, result, record, survey.crop_size)
    dst_rgb, rgb = picture_to_rgb8(dst), picture_to_rgb8(result)
    face = measure.same_face(tools.finder.find(rgb), record)
    seen = measure.FaceFigures(
        sharpness=crops.sharpness_ratio(cut),
        border=measure.border_difference(dst_rgb, rgb, record),
        found=_compare(record, face, tools) if face is not None else None,
        seam=find_seam(*(crops.cut_square(p, record, survey.crop_size) for p in (dst_rgb, rgb))),
        identity=_identities(rgb, face, survey) if face is not None and index in survey.embedded else {},
        dst_identity=_identities(dst_rgb, face_of(record), survey) if index in survey.dst_embedded else {},
        warping=_warping(pair, record, survey) if pair.after is not None else None,
    )
    return Looked(index, replace(figures, face=seen), cut)


def _compare(record: FaceRecord, face: Face, tools: Tools) -> measure.FoundFigures:
    of = tools.expression.of
    expression = compare_expression(EXPRESSIONS, of(record.mesh_array()), of(face.mesh))
    return measure.compare_faces(record, face, expression)


def _warping(pair: Pair, record: FaceRecord, survey: Survey) -> tuple[float, float] | None:
    """Both frames are cut out by the matrix of the first."""
    assert pair.after is not None
    side = min(survey.crop_size, _WARPING_SIDE)
    now, after = (crops.cut_out(p.dst.picture, p.result.picture, record, side) for p in (pair, pair.after))
    return warping_error(now, after)


def _identities(rgb: NDArray[np.uint8], face: Face, survey: Survey) -> dict[str, measure.Identity]:
    found = {}
    for people in survey.people:
        kind = people.recogniser
        embedding = survey.tools().embedders[kind.name].embed(rgb, face)
        found[kind.name] = measure.Identity(kind.distance(embedding, people.src), kind.distance(embedding, people.dst))
    return found


def with_flicker(looked: Iterator[Looked]) -> Iterator[measure.FrameFigures]:
    """The figures in order, flicker filled in from the frames before and after."""
    before: Looked | None = None
    now: Looked | None = None
    for after in looked:
        if now is not None and now.figures is not None:
            yield _flickered(before, now, now.figures, after)
        before, now = now, after
    if now is not None and now.figures is not None:
        yield now.figures


def _flickered(
    before: Looked | None, now: Looked, figures: measure.FrameFigures, after: Looked
) -> measure.FrameFigures:
    face = figures.face
    if before is None or face is None or before.crops is None or now.crops is None or after.crops is None:
        return figures
    if (before.frame, after.frame) != (now.frame - 1, now.frame + 1):
        return figures
    return replace(figures, face=replace(face, flicker=crops.flicker_ratio(before.crops, now.crops, after.crops)))
