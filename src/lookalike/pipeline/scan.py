"""The first half of extraction: every frame looked at once, every face written down, resumable at any frame."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import local

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.color import picture_to_rgb
from lookalike.faces import FaceFinder, Recogniser, Tracker
from lookalike.faceset import encode_array, face_name, make_face, save_face
from lookalike.files import storage_errors
from lookalike.parallel import ordered_map
from lookalike.pipeline.config import ExtractConfig
from lookalike.types import Event, Face, Frame, Progress, VideoInfo
from lookalike.video import read_frames

_EMBED_EVERY = 15
"""Frames between two embeddings of a track; the recogniser costs four times the rest."""
_CUT = 0.12
"""Mean change of a small gray picture, 0..1, above which two frames are taken to be of different shots."""
_WORKERS = 2


@dataclass(slots=True)
class Seen:
    """A face as the log keeps it."""

    file: str
    track: int
    box: list[float]
    embedding: str | None = None


@dataclass(slots=True)
class ScanLog:
    """`frames.jsonl`: a line a frame that was looked at. A line that a kill cut off is dropped."""

    path: Path
    frames: list[list[Seen]] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path) -> "ScanLog":
        """Read what an earlier run wrote, and cut off what it did not finish."""
        log = cls(path)
        if path.is_file():
            good = 0
            for line in path.read_bytes().splitlines(keepends=True):
                try:
                    faces = json.loads(line) if line.endswith(b"\n") else None
                except ValueError:
                    faces = None
                if faces is None:
                    break
                log.frames.append([Seen(**face) for face in faces])
                good += len(line)
            with path.open("rb+") as handle:
                handle.truncate(good)
        return log

    def add(self, faces: list[Seen]) -> None:
        """Write down the faces of the next frame."""
        self.frames.append(faces)
        values = [{"file": f.file, "track": f.track, "box": f.box, "embedding": f.embedding} for f in faces]
        with storage_errors(self.path), self.path.open("a") as handle:
            handle.write(json.dumps(values) + "\n")


@dataclass(frozen=True, slots=True, eq=False)
class _Looked:
    frame: Frame
    rgb: NDArray[np.uint8]
    faces: list[Face]
    thumb: NDArray[np.float32]


def scan(info: VideoInfo, folder: Path, config: ExtractConfig, log: ScanLog, step: str) -> Iterator[Event]:
    """Look at the frames that `log` lacks; faces are written to `folder`, crops with records not yet embedded."""
    start = len(log.frames)
    tracker, counts = _restore(log)
    recogniser = Recogniser()
    before: NDArray[np.float32] | None = None
    look = partial(_look, finders=local(), config=config)
    first = max(0, start - 1)  # once more the last frame of the earlier run, to see a cut after it
    for looked in ordered_map(look, read_frames(info.path, first), _WORKERS):
        cut = before is not None and float(np.abs(looked.thumb - before).mean()) > _CUT
        before = looked.thumb
        if looked.frame.index < start:
            continue
        while len(log.frames) < looked.frame.index:  # pictures lost to damage
            log.add([])
        faces = []
        for number, (face, track) in enumerate(
            zip(looked.faces, tracker.link([f.box_xyxy for f in looked.faces], cut), strict=True)
        ):
            crop, record = make_face(
                looked.rgb,
                face,
                source=info.path.name,
                frame=looked.frame.index,
                time_seconds=looked.frame.seconds,
                number=number,
                size=config.size,
                face_type=config.face_type,
                track=track,
            )
            name = face_name(record, ".png" if config.png else ".jpg")
            save_face(folder / name, crop, record)
            embedding = None
            if counts.get(track, 0) % _EMBED_EVERY == 0:
                embedding = encode_array(recogniser.embed(looked.rgb, face), np.float32)
            counts[track] = counts.get(track, 0) + 1
            faces.append(Seen(name, track, [float(v) for v in face.box_xyxy], embedding))
        log.add(faces)
        yield Progress(
            step, len(log.frames), max(info.frame_count, len(log.frames)), note=f"{sum(counts.values())} faces"
        )


def _look(frame: Frame, finders: local, config: ExtractConfig) -> _Looked:
    """Find the faces of a frame; runs on several threads, each with its own detector."""
    if not hasattr(finders, "finder"):
        finders.finder = FaceFinder(config.min_score)
    rgb = np.rint(picture_to_rgb(frame.picture) * 255).astype(np.uint8)
    faces = [f for f in finders.finder.find(rgb) if min(f.box_xyxy[2:] - f.box_xyxy[:2]) >= config.min_size]
    small = cv2.resize(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), (64, 36), interpolation=cv2.INTER_AREA)
    return _Looked(frame, rgb, faces, np.asarray(small, np.float32) / np.float32(255))


def _restore(log: ScanLog) -> tuple[Tracker, dict[int, int]]:
    """The tracker after the last frame of `log`, and the frames of each track so far."""
    tracker, counts = Tracker(), dict[int, int]()
    for faces in log.frames:
        for face in faces:
            counts[face.track] = counts.get(face.track, 0) + 1
    last = log.frames[-1] if log.frames else []
    boxes = {face.track: np.array(face.box, np.float32) for face in last}
    tracker.restore(boxes, max(counts, default=-1) + 1)
    return tracker, counts
