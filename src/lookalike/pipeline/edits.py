"""Faces set by hand, as data: `edits.json` beside a faceset, written by the studio or in an editor."""

import json
from pathlib import Path
from typing import Annotated, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from lookalike.errors import EditsError
from lookalike.faces import Detection
from lookalike.files import write_bytes
from lookalike.landmarks import box_about
from lookalike.options import Options, first_problem, format_of
from lookalike.pipeline.workspace import fingerprint
from lookalike.untrusted import read_bytes

FORMAT = 1
_MOST_BETWEEN = 30_000
"""Frames that follow from pairs, some 10 kB of memory each: twenty minutes."""
Pixels = Annotated[float, Field(ge=-100_000, le=100_000, allow_inf_nan=False)]


class EditedFace(Options):
    """One face of a frame: its landmarks, or a box within which the landmarks are to be looked for."""

    landmarks: Annotated[list[tuple[Pixels, Pixels]], Field(min_length=68, max_length=68)] | None = None
    """iBUG order, frame pixels."""
    box: tuple[Pixels, Pixels, Pixels, Pixels] | None = None
    """Left, top, right, bottom, frame pixels; found from the landmarks if left out."""

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if self.landmarks is None and self.box is None:
            raise ValueError("a face needs landmarks or a box")
        if self.landmarks is not None and max(max(v) - min(v) for v in zip(*self.landmarks[17:], strict=True)) < 1:
            raise ValueError(f"landmarks 17 to 67 within one pixel make no face, got {self.landmarks[17]}")
        if self.box is not None and not (self.box[0] < self.box[2] and self.box[1] < self.box[3]):
            raise ValueError(f"a box is left, top, right, bottom with left < right and top < bottom, got {self.box}")
        return self

    def detection(self) -> Detection:
        """As a detector would have said it, with full score."""
        landmarks = None if self.landmarks is None else np.array(self.landmarks, np.float32)
        box = box_about(landmarks) if self.box is None and landmarks is not None else np.array(self.box, np.float32)
        return Detection(box, 1.0, landmarks=landmarks)


class Edits(Options):
    """All faces set by hand. What is said of a frame is all of that frame's faces."""

    format: int = FORMAT
    frames: dict[Annotated[int, Field(ge=0, le=10**8)], list[EditedFace]] = Field(default_factory=dict)
    """By frame number, from 0; an empty list: the frame shows no face."""
    between: list[tuple[int, int]] = Field(default_factory=list)
    """Pairs of frames set by hand, the frames between which move evenly from the one to the other."""

    def every_frame(self) -> dict[int, list[EditedFace]]:
        """The frames set by hand and those between them.

        Raises:
            EditsError: a pair whose ends are not set by hand, or do not have as many faces of one kind.
        """
        made: dict[int, list[EditedFace]] = {}
        if sum(max(last - first, 0) for first, last in self.between) > _MOST_BETWEEN:
            raise EditsError(
                f"more than {_MOST_BETWEEN} frames lie between frames set by hand; take pairs out of between"
            )
        for first, last in self.between:
            a, b = self.frames.get(first), self.frames.get(last)
            if first >= last:
                raise EditsError(f"between {first} and {last}: the first frame must come before the second")
            if a is None or b is None or len(a) != len(b):
                raise EditsError(f"between {first} and {last}: both frames must be set by hand, with as many faces")
            for frame in range(first + 1, last):
                share = (frame - first) / (last - first)
                made[frame] = [_mixed(one, other, share, frame) for one, other in zip(a, b, strict=True)]
        return made | self.frames


def read_edits(path: Path) -> Edits:
    """Read `edits.json`; no file is no edits.

    Raises:
        EditsError: the file is damaged or newer than this version.
    """
    if not path.is_file():
        return Edits()
    try:
        value = json.loads(read_bytes(path))
        if format_of(value) > FORMAT:
            raise EditsError(f"{path} has format {format_of(value)}; update Lookalike to read it")
        return Edits.model_validate(value)
    except (ValueError, RecursionError) as exc:
        reason = first_problem(exc) if isinstance(exc, ValidationError) else exc
        raise EditsError(f"{path} cannot be read ({reason}); mend it by hand") from exc


def edits_mark(edited: dict[int, list[EditedFace]]) -> str:
    """Changes with any face of `Edits.every_frame`; noted when a faceset has them all."""
    return fingerprint(sorted((n, [face.model_dump_json() for face in faces]) for n, faces in edited.items()))


def write_edits(path: Path, edits: Edits) -> None:
    """Write `edits.json`, whole or not at all."""
    write_bytes(path, (edits.model_dump_json(exclude_none=True, indent=1) + "\n").encode())


def _mixed(a: EditedFace, b: EditedFace, share: float, frame: int) -> EditedFace:
    if a.landmarks is not None and b.landmarks is not None:
        points = np.array(a.landmarks) * (1 - share) + np.array(b.landmarks) * share
        return EditedFace(landmarks=[(float(x), float(y)) for x, y in points])
    if a.box is not None and b.box is not None:
        left, top, right, bottom = (float(v) for v in np.array(a.box) * (1 - share) + np.array(b.box) * share)
        return EditedFace(box=(left, top, right, bottom))
    raise EditsError(f"frame {frame} lies between a face with landmarks and one with a box; give both the same")
