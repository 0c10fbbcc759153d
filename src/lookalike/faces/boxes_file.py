"""Boxes and landmarks that were found elsewhere, read from JSON or CSV; docs/detectors.md says how they look."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, ValidationError, model_validator

from lookalike.errors import EditsError
from lookalike.faces.detection import Detection
from lookalike.files import write_bytes
from lookalike.landmarks import box_about
from lookalike.options import Options, first_problem

_MOST_BYTES = 512 * 2**20
_MOST_FACES = 200

_BOX_COLUMNS = ["x1", "y1", "x2", "y2"]
_LANDMARK_COLUMNS = [f"l{axis}{number}" for number in range(68) for axis in "xy"]

_Pixels = Annotated[float, Field(ge=-100_000, le=100_000, allow_inf_nan=False)]
_Point = Annotated[list[_Pixels], Field(min_length=2, max_length=2)]


class Entry(Options):
    """One face of one frame, as a file gives it."""

    model_config = ConfigDict(strict=True)

    frame: Annotated[int, Field(ge=0, le=100_000_000)]
    """Number of the frame in its video, from 0."""
    box: Annotated[list[_Pixels], Field(min_length=4, max_length=4)] | None = None
    """Left, top, right, bottom; without it the landmarks say where the face is."""
    score: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 1.0
    points: Annotated[list[_Point], Field(min_length=5, max_length=5)] | None = None
    """The person's right eye, left eye, nose, right and left mouth corner."""
    landmarks: Annotated[list[_Point], Field(min_length=68, max_length=68)] | None = None
    """The 68 iBUG landmarks."""

    @model_validator(mode="after")
    def _has_a_place(self) -> "Entry":
        if self.box is None and self.landmarks is None:
            raise ValueError("a face needs a box or landmarks")
        if self.box is not None and (self.box[2] <= self.box[0] or self.box[3] <= self.box[1]):
            raise ValueError("x2 must be above x1 and y2 above y1")
        if self.landmarks is not None and max(max(v) - min(v) for v in zip(*self.landmarks[17:], strict=True)) < 1e-3:
            raise ValueError("all landmarks from 17 on lie on one point")
        return self

    def detection(self) -> Detection:
        """As a detector would give it."""
        landmarks = None if self.landmarks is None else np.array(self.landmarks, np.float32)
        box = box_about(landmarks) if self.box is None and landmarks is not None else np.array(self.box, np.float32)
        points = None if self.points is None else np.array(self.points, np.float32)
        return Detection(box, self.score, points, landmarks=landmarks)


class FileDetector:
    """Gives out what a file says of each frame; the pictures are not looked at."""

    def __init__(self, path: Path, min_score: float = 0.0) -> None:
        """Read the file whole.

        Raises:
            EditsError: it cannot be read, or something in it is wrong.
        """
        self._by_frame = {
            frame: sorted((d for d in found if d.score >= min_score), key=lambda d: -d.score)
            for frame, found in read_detections(path).items()
        }

    def detect(self, rgb: NDArray[np.uint8], frame: int = 0) -> list[Detection]:
        """Faces of frame number `frame`, strongest first."""
        return list(self._by_frame.get(frame, []))


def read_detections(path: Path) -> dict[int, list[Detection]]:
    """Faces by frame number, from a .json or .csv file.

    Raises:
        EditsError: it cannot be read, or something in it is wrong; names the line or entry.
    """
    read = {".json": _json_entries, ".csv": _csv_entries}.get(path.suffix.lower())
    if read is None:
        raise EditsError(f"{path} is neither .json nor .csv; boxes are read from these two")
    found: defaultdict[int, list[Detection]] = defaultdict(list)
    for where, value in read(path, _text(path)):
        try:
            entry = Entry.model_validate(value)
        except ValidationError as exc:
            raise EditsError(f"{path}, {where}: {first_problem(exc)}; correct it, or take the face out") from exc
        found[entry.frame].append(entry.detection())
        if len(found[entry.frame]) > _MOST_FACES:
            raise EditsError(f"{path}, {where}: frame {entry.frame} has more than {_MOST_FACES} faces; take some out")
    return dict(found)


def export_detections(path: Path, by_frame: Mapping[int, Sequence[Detection]]) -> None:
    """Write faces by frame number as JSON that `read_detections` reads; a thousandth of a pixel is kept."""
    entries = [_entry(frame, d) for frame, found in sorted(by_frame.items()) for d in found]
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    write_bytes(path, f"[\n{lines}\n]\n".encode())


def _entry(frame: int, detection: Detection) -> dict[str, Any]:
    arrays = {"box": detection.box_xyxy, "points": detection.points, "landmarks": detection.landmarks}
    given = {name: np.round(array.astype(float), 3).tolist() for name, array in arrays.items() if array is not None}
    return {"frame": frame, "score": round(detection.score, 6), **given}


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise EditsError(f"{path} is larger than {_MOST_BYTES // 2**20} MiB; split it by frames")
        return path.read_text(encoding="utf-8-sig")  # Excel writes a byte order mark
    except UnicodeDecodeError as exc:
        raise EditsError(f"{path} is no text in UTF-8; write it as UTF-8") from exc
    except OSError as exc:
        raise EditsError(f"{path} cannot be read ({exc.strerror}); pass a file of boxes, .json or .csv") from exc


def _json_entries(path: Path, text: str) -> Iterator[tuple[str, object]]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise EditsError(f"{path} is no JSON ({exc}); write a list of objects, one a face") from exc
    if not isinstance(entries, list):
        raise EditsError(f"{path} holds no list; write a list of objects, one a face")
    yield from ((f"entry {number}", entry) for number, entry in enumerate(entries, 1))


def _csv_entries(path: Path, text: str) -> Iterator[tuple[str, object]]:
    rows = csv.DictReader(text.splitlines())
    try:
        columns = list(rows.fieldnames or [])
        _check_columns(path, columns)
        for row in rows:
            where = f"line {rows.line_num}"
            if None in row or None in row.values():
                raise EditsError(f"{path}, {where}: not {len(columns)} cells as in the header; correct it")
            yield where, _csv_entry(path, where, row)
    except csv.Error as exc:
        raise EditsError(f"{path}, after line {rows.line_num}: {exc}; correct it") from exc


def _check_columns(path: Path, columns: list[str]) -> None:
    rest = columns[5:]
    landmarks = rest[1:] if rest[:1] == ["score"] else rest
    if columns[:5] != ["frame", *_BOX_COLUMNS] or landmarks not in ([], _LANDMARK_COLUMNS):
        raise EditsError(f"{path}, line 1: the header must be frame,x1,y1,x2,y2[,score][,lx0,ly0,...,lx67,ly67]")


def _csv_entry(path: Path, where: str, row: dict[str, str]) -> dict[str, Any]:
    """What a row says; an empty cell is left out, and so are landmarks or a box that are empty throughout."""

    def numbers(columns: Iterable[str]) -> list[float] | None:
        cells = [row[name] for name in columns if name in row]
        return [float(cell) for cell in cells] if any(cell.strip() for cell in cells) else None

    try:
        frame, box, score = int(row["frame"]), numbers(_BOX_COLUMNS), numbers(["score"])
        flat = numbers(_LANDMARK_COLUMNS)
    except ValueError as exc:
        raise EditsError(f"{path}, {where}: a cell is no number ({exc}); correct it, or take the line out") from exc
    entry: dict[str, Any] = {"frame": frame, "box": box}
    if score is not None:
        entry["score"] = score[0]
    if flat is not None:
        entry["landmarks"] = [[x, y] for x, y in zip(flat[::2], flat[1::2], strict=True)]
    return entry
