"""What the search of a video found, a line a frame: a killed search goes on from it, lost faces are made again."""

import base64
import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lookalike.faces import MAX_GAP, Sighting, Tracker
from lookalike.faceset import encode_array
from lookalike.files import storage_errors
from lookalike.untrusted import is_plain


@dataclass(frozen=True, slots=True)
class Seen:
    """A face as the log keeps it."""

    file: str
    track: int
    box: tuple[float, float, float, float]
    """Frame pixels, every digit: faces made again are found by it."""
    score: float
    look: str
    """(16, 16) uint8 luma, base64: what the track is recognised by a frame later."""
    recovered: bool = False
    embedding: str | None = None
    """(128,) float32, base64."""

    def box_array(self) -> NDArray[np.float32]:
        """(4,) float32."""
        return np.array(self.box, np.float32)

    def sighting(self) -> Sighting:
        """What the tracker saw."""
        look = np.frombuffer(base64.b64decode(self.look), np.uint8).reshape(16, 16)
        return Sighting(self.box_array(), look)

    def embedding_array(self) -> NDArray[np.float32] | None:
        """(128,) float32, if the face was embedded."""
        return None if self.embedding is None else np.frombuffer(base64.b64decode(self.embedding), np.float32)


_KEPT: Final = tuple(one.name for one in dataclasses.fields(Seen))


def encode_look(look: NDArray[np.uint8]) -> str:
    """A look as the log keeps it."""
    return encode_array(look, np.uint8)


@dataclass(frozen=True, slots=True)
class Line:
    """One frame."""

    faces: tuple[Seen, ...] = ()
    cut: bool = False
    """The frame begins a shot."""
    lost: bool = False
    """The picture was lost to damage."""


@dataclass(slots=True)
class ScanLog:
    """`frames.jsonl`. A line that a kill cut off is dropped."""

    path: Path
    frames: list[Line] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path) -> "ScanLog":
        """Read what an earlier run wrote, and cut off what it did not finish."""
        log = cls(path)
        if path.is_file():
            good = 0
            for line in path.read_bytes().splitlines(keepends=True):
                parsed = _parsed(line)
                if parsed is None:
                    break
                log.frames.append(parsed)
                good += len(line)
            with path.open("rb+") as handle:
                handle.truncate(good)
        log._drop_lost_end()
        return log

    def _drop_lost_end(self) -> None:
        """Forget lost pictures at the end, so that the frame after them is compared with the one before for a cut."""
        while self.frames and self.frames[-1].lost:
            self.frames.pop()
            lines = self.path.read_bytes().splitlines(keepends=True)
            with self.path.open("rb+") as handle:
                handle.truncate(sum(map(len, lines[:-1])))

    def add(self, line: Line) -> None:
        """Write down the next frame."""
        self.frames.append(line)
        value: dict[str, Any] = {"faces": [{name: getattr(face, name) for name in _KEPT} for face in line.faces]}
        value |= {name: True for name in ("cut", "lost") if getattr(line, name)}
        with storage_errors(self.path), self.path.open("a") as handle:
            handle.write(json.dumps(value) + "\n")

    def tracker(self) -> Tracker:
        """The tracker as it was after the last frame."""
        tracker = Tracker()
        first = max(0, len(self.frames) - MAX_GAP - 1)
        for frame, line in enumerate(self.frames[first:], first):
            if line.cut:
                tracker = Tracker()
            for face in line.faces:
                tracker.restore(face.track, face.sighting(), frame, face.recovered)
        tracker.restore_next(1 + max((face.track for line in self.frames for face in line.faces), default=-1))
        return tracker


def _is_sound(face: Seen) -> bool:
    """Whether what is kept of a face can be used, and its file lies among the faces."""
    embedding = face.embedding_array()
    numbers = np.concatenate([face.sighting().box_xyxy, [face.score], [] if embedding is None else embedding])
    return is_plain(face.file) and bool(np.isfinite(numbers).all()) and (embedding is None or len(embedding) == 128)


def _parsed(line: bytes) -> Line | None:
    if not line.endswith(b"\n"):
        return None
    try:
        value = json.loads(line)
        faces = tuple(Seen(**{**face, "box": tuple(face["box"])}) for face in value["faces"])
        if not all(_is_sound(face) for face in faces):
            return None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return Line(faces, bool(value.get("cut")), bool(value.get("lost")))
