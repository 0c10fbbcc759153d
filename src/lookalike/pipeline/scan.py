"""The first half of extraction: every frame looked at once, every face written down, resumable at any frame."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import local

import numpy as np
from numpy.typing import NDArray

from lookalike import shots
from lookalike.color import eight_bit, picture_to_rgb
from lookalike.faces import FaceFinder, Recogniser, Sighting, Tracker, look_of
from lookalike.faceset import FaceRecord, encode_array, face_name, make_face, save_face
from lookalike.files import unused_path
from lookalike.geometry import intersection_over_union
from lookalike.parallel import ordered_map
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.scan_log import Line, ScanLog, Seen, encode_look
from lookalike.tone_map import tone_mapped
from lookalike.types import Event, Face, Frame, Progress, VideoInfo
from lookalike.video import read_frames

_EMBED_EVERY, _LATER = 15, 60
"""Sure faces of a track between two embeddings, and so after the first `_LATER`; one costs as much as two frames."""
_WORKERS = 2
_SAME = 0.5
"""Overlap from which two boxes of a frame are one face."""


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """A frame and the faces that the detector found in it."""

    frame: Frame
    views: "Views"
    faces: "list[Made]"
    """Largest first; tracks not yet told."""
    thumbnail: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """A frame's (H, W, 3) uint8 RGB."""

    codes: NDArray[np.uint8]
    """As its values are, to cut faces from."""
    shown: NDArray[np.uint8]
    """As a screen shows them, to find faces in; another array only if the video is HDR."""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A face cut out."""

    face: Face
    crop: NDArray[np.uint8]
    record: FaceRecord

    def changed(self, **facts: object) -> "Made":
        """The same face with other facts in its record."""
        return replace(self, record=self.record.model_copy(update=facts))

    def sighting(self) -> Sighting:
        """What the tracker sees of it."""
        return Sighting(self.face.box_xyxy, look_of(self.crop))


class Looker:
    """Looks at frames and cuts out faces; the same face of a frame gives the same bytes whenever it is made.

    May be used on several threads, each of which gets its own networks.
    """

    def __init__(self, info: VideoInfo, source: str, config: ExtractConfig) -> None:
        """`source` is what records call the video."""
        self._info, self._source, self._config = info, source, config
        self._own = local()

    @property
    def path(self) -> Path:
        """The video."""
        return self._info.path

    @property
    def finder(self) -> FaceFinder:
        """The calling thread's networks."""
        if not hasattr(self._own, "finder"):
            config = self._config
            self._own.finder = FaceFinder(
                config.min_score, detector=config.detector, landmarker=config.landmarks, file=config.boxes, weak=True
            )
        finder: FaceFinder = self._own.finder
        return finder

    def views(self, frame: Frame) -> Views:
        """The frame as it is searched and cut."""
        rgb = picture_to_rgb(frame.picture)
        mapped = tone_mapped(rgb, self._info.tags)
        codes = eight_bit(rgb)
        return Views(codes, codes if mapped is rgb else eight_bit(mapped))

    def look(self, frame: Frame) -> Looked:
        """Find and cut out the faces of a frame."""
        config, views = self._config, self.views(frame)
        faces = self.finder.find(
            views.shown,
            frame.index,
            thorough=config.thorough,
            min_size=config.min_size,
            max_faces=config.max_faces,
        )
        made = [self.make(frame, views, face, number) for number, face in enumerate(faces)]
        return Looked(frame, views, made, shots.thumbnail(views.shown))

    def look_closer(self, looked: Looked, box: NDArray[np.float32], track: int, number: int) -> Made | None:
        """The face near a place where one of the track was a moment ago."""
        detection = self.finder.close_look(looked.views.shown, box)
        if detection is None or _side(detection.box_xyxy) < self._config.min_size:
            return None
        face = self.finder.place(looked.views.shown, [detection])[0]
        return self.make(looked.frame, looked.views, face, number, track, recovered=True)

    def make(
        self,
        frame: Frame,
        views: Views,
        face: Face,
        number: int,
        track: int = 0,
        *,
        recovered: bool = False,
        edited: bool = False,
    ) -> Made:
        """Cut a face out of its frame."""
        config = self._config
        crop, record = make_face(
            views.codes,
            face,
            source=self._source,
            frame=frame.index,
            time_seconds=frame.seconds,
            number=number,
            size=config.size,
            face_type=config.face_type,
            geometry=config.geometry,
            track=track,
            detector=config.detector,
            landmarker=config.landmarks,
            recovered=recovered,
            edited=edited,
        )
        return Made(face, crop, record)


def save_made(folder: Path, made: Made, config: ExtractConfig, *, fresh: bool = False) -> Path:
    """Write a face under its own name, or with `fresh` under a name like it that is free; the path."""
    path = folder / face_name(made.record, ".png" if config.png else ".jpg")
    path = unused_path(path) if fresh else path
    save_face(path, made.crop, made.record, config.quality)
    return path


def scan(
    info: VideoInfo,
    looker: Looker,
    folder: Path,
    config: ExtractConfig,
    log: ScanLog,
    step: str,
    check: Callable[[], None] = lambda: None,
) -> Iterator[Event]:
    """Look at the frames that `log` lacks; faces are written to `folder`, crops with records not yet embedded.

    `check` is called before anything is kept of a frame; it raises when the video is another by now.
    """
    start = len(log.frames)
    state = _Scan(looker, folder, log, config)
    before: NDArray[np.uint8] | None = None
    if config.detector == "manual":  # nothing is looked for
        for _ in range(start, info.frame_count):
            log.add(Line())
        return
    first = max(0, start - 1)  # once more the last frame of the earlier run, to see a cut after it
    for looked in ordered_map(looker.look, read_frames(info.path, first), _WORKERS):
        cut = before is not None and shots.is_cut(before, looked.thumbnail)
        before = looked.thumbnail
        if looked.frame.index < start:
            continue
        check()
        while len(log.frames) < looked.frame.index:
            log.add(Line(lost=True))
        state.take(looked, cut)
        yield Progress(step, len(log.frames), max(info.frame_count, len(log.frames)), note=f"{state.count} faces")


class _Scan:
    """Follows faces from frame to frame and writes them down."""

    def __init__(self, looker: Looker, folder: Path, log: ScanLog, config: ExtractConfig) -> None:
        self._looker, self._folder, self._log, self._config = looker, folder, log, config
        self._tracker: Tracker = log.tracker()
        self._recogniser: Recogniser | None = None
        self._embed_all = config.identity == "face"
        self.count = 0
        """Faces so far."""
        self._sure: dict[int, int] = {}
        for face in (face for line in log.frames for face in line.faces):
            self._note(face.track, face.score, face.recovered)

    def take(self, looked: Looked, cut: bool) -> None:
        """Link and keep the faces of the next frame, and look closer for those that went missing."""
        index = looked.frame.index
        sightings = [made.sighting() for made in looked.faces]
        tracks = self._tracker.link(sightings, index, cut)
        seen = [
            self._keep(looked, made.changed(track=track), sighting)
            for made, track, sighting in zip(looked.faces, tracks, sightings, strict=True)
        ]
        for track, box in self._tracker.lost(index).items():
            if track not in self._sure or self._is_full(seen):
                continue
            made = self._looker.look_closer(looked, box, track, len(seen))
            if made and not _is_among(made, seen) and self._tracker.alike(track, made.sighting(), index):
                self._tracker.follow(track, made.sighting(), index)
                seen.append(self._keep(looked, made, made.sighting()))
        self._log.add(Line(tuple(seen), cut))

    def _is_full(self, seen: list[Seen]) -> bool:
        """Whether a frame has as many sure faces as are wanted."""
        sure = sum(face.recovered or face.score >= self._looker.finder.trusted for face in seen)
        return self._config.max_faces > 0 and sure >= self._config.max_faces

    def _keep(self, looked: Looked, made: Made, sighting: Sighting) -> Seen:
        face, record = made.face, made.record
        name = save_made(self._folder, made, self._config).name
        embedding = None
        sure = self._note(record.track, face.score, record.recovered)
        if self._embed_all or (sure and _due(self._sure[record.track] - 1)):
            self._recogniser = self._recogniser or Recogniser()
            embedding = encode_array(self._recogniser.embed(looked.views.shown, face), np.float32)
        left, top, right, bottom = (float(v) for v in face.box_xyxy)
        look = encode_look(sighting.look)
        return Seen(name, record.track, (left, top, right, bottom), face.score, look, record.recovered, embedding)

    def _note(self, track: int, score: float, recovered: bool) -> bool:
        """Count a face; whether the detector is sure of it."""
        self.count += 1
        sure = not recovered and score >= self._looker.finder.trusted
        if sure:
            self._sure[track] = self._sure.get(track, 0) + 1
        return sure


def drop_unlogged(folder: Path, log: ScanLog) -> None:
    """Remove faces that a killed search wrote of a frame that it did not log; they are found anew."""
    for path in folder.iterdir():
        frame = path.name.lstrip(".").split("_")[0]
        if frame.isdecimal() and int(frame) > len(log.frames):
            path.unlink()


def _is_among(made: Made, seen: list[Seen]) -> bool:
    """Whether a face is one that the detector found as well."""
    return any(intersection_over_union(made.face.box_xyxy, face.box_array()) > _SAME for face in seen)


def _due(place: int) -> bool:
    """Whether the so-manieth sure face of a track, from 0, is embedded."""
    return place % (_EMBED_EVERY if place < _LATER else _LATER) == 0


def _side(box: NDArray[np.float32]) -> float:
    return float(min(box[2:] - box[:2]))
