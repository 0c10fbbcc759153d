"""The first half of extraction: every frame looked at once, every face written down, resumable at any frame."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import local
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from lookalike import shots
from lookalike.color import eight_bit, picture_to_rgb
from lookalike.faces import FaceFinder, Recogniser, Sighting, look_of
from lookalike.faceset import FaceRecord, encode_array, face_name, make_face, save_face
from lookalike.files import unused_path
from lookalike.parallel import ordered_map
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.follow import CutFace, F, Followed, Follower
from lookalike.pipeline.scan_log import Line, ScanLog, Seen, encode_look
from lookalike.tone_map import tone_mapped
from lookalike.types import Event, Face, Frame, Progress, VideoInfo
from lookalike.video import read_frames

_WORKERS = 2


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

    def write(self, path: Path, quality: int) -> None:
        """Write its file; JPEG of that quality, or PNG by the suffix."""
        save_face(path, self.crop, self.record, quality)


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
    def source(self) -> str:
        """What records call it."""
        return self._source

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

    def look_closer(self, frame: Frame, views: Views, box: NDArray[np.float32]) -> Made | None:
        """The face near a place where one was a moment ago; its track is not told."""
        detection = self.finder.close_look(views.shown, box)
        if detection is None or _side(detection.box_xyxy) < self._config.min_size:
            return None
        face = self.finder.place(views.shown, [detection])[0]
        return self.make(frame, views, face, 0, recovered=True)

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


def suffix_of(config: ExtractConfig) -> str:
    """Of the faces' files."""
    return ".png" if config.png else ".jpg"


def save_made(folder: Path, made: CutFace, config: ExtractConfig, *, fresh: bool = False) -> Path:
    """Write a face under its own name, or with `fresh` under a name like it that is free; the path."""
    path = folder / face_name(made.record, suffix_of(config))
    path = unused_path(path) if fresh else path
    made.write(path, config.quality)
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
    if config.detector == "manual":  # nothing is looked for
        for _ in range(len(log.frames), info.frame_count):
            log.add(Line())
        return
    search = Search(folder, log, config, check)
    recogniser: Recogniser | None = None
    for looked in ordered_map(looker.look, read_frames(info.path, search.first), _WORKERS):
        closer = partial(looker.look_closer, looked.frame, looked.views)
        kept = search.keep(looked.frame.index, looked.faces, looked.thumbnail, closer)
        if kept is None:
            continue
        rows = []
        for made in kept.due:
            recogniser = recogniser or Recogniser()
            rows.append(recogniser.embed(looked.views.shown, made.face))
        search.write(kept, rows)
        yield search.progress(step, info)


@dataclass(frozen=True, slots=True, eq=False)
class Kept(Generic[F]):
    """A frame whose faces are written, but not yet its line in the log."""

    seen: list[Seen]
    """Not embedded."""
    cut: bool
    lost: int
    """Frames before it that could not be read."""
    due: list[F]
    """Faces that are to be embedded."""
    due_places: list[int]
    """Theirs in `seen`."""


class Search:
    """Follows faces from frame to frame and writes them down, wherever they were found."""

    def __init__(self, folder: Path, log: ScanLog, config: ExtractConfig, check: Callable[[], None]) -> None:
        """`folder`, `log` and `check` as in `scan`."""
        self._folder, self._log, self._config, self._check = folder, log, config, check
        self._follower = Follower(config, log.tracker(), log.frames)
        self._start = self._next = len(log.frames)
        self._before: NDArray[np.uint8] | None = None

    @property
    def first(self) -> int:
        """The first frame to be looked at: once more the last one of the earlier run, to see a cut after it."""
        return max(0, self._start - 1)

    def keep(
        self,
        index: int,
        faces: Sequence[F],
        thumbnail: NDArray[np.uint8],
        closer: Callable[[NDArray[np.float32]], F | None],
    ) -> Kept[F] | None:
        """Follow and write the faces of the next frame; None for a frame that the log has.

        Args:
            index: its number; numbers left out are frames that could not be read.
            faces: found by the detector, in their order.
            thumbnail: see `shots`.
            closer: see `Follower.take`.
        """
        cut = self._before is not None and shots.is_cut(self._before, thumbnail)
        self._before = thumbnail
        if index < self._start:
            return None
        self._check()
        lost, self._next = index - self._next, index + 1
        followed = self._follower.take(index, faces, cut, closer)
        due = [place for place, one in enumerate(followed) if one.due]
        return Kept([self._written(one) for one in followed], cut, lost, [followed[n].made for n in due], due)

    def write(self, kept: Kept[F], embeddings: Sequence[NDArray[np.float32]]) -> None:
        """Write the next line of the log, with the embeddings of the faces that were due."""
        for _ in range(kept.lost):
            self._log.add(Line(lost=True))
        seen = kept.seen.copy()
        for place, row in zip(kept.due_places, embeddings, strict=True):
            seen[place] = replace(seen[place], embedding=encode_array(row, np.float32))
        self._log.add(Line(tuple(seen), kept.cut))

    def progress(self, step: str, info: VideoInfo) -> Progress:
        """How far the log has come."""
        done = len(self._log.frames)
        return Progress(step, done, max(info.frame_count, done), note=f"{self._follower.count} faces")

    def _written(self, one: Followed[F]) -> Seen:
        face, record = one.made.face, one.made.record
        name = save_made(self._folder, one.made, self._config).name
        left, top, right, bottom = (float(v) for v in face.box_xyxy)
        look = encode_look(one.sighting.look)
        return Seen(name, record.track, (left, top, right, bottom), face.score, look, record.recovered)


def drop_unlogged(folder: Path, log: ScanLog) -> None:
    """Remove faces that a killed search wrote of a frame that it did not log; they are found anew."""
    for path in folder.iterdir():
        frame = path.name.lstrip(".").split("_")[0]
        if frame.isdecimal() and int(frame) > len(log.frames):
            path.unlink()


def _side(box: NDArray[np.float32]) -> float:
    return float(min(box[2:] - box[:2]))
