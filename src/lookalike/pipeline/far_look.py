"""What a worker does of an extraction: it looks at runs of frames, and embeds the faces that it is sent.

What comes back of a frame is all that following its faces needs, so that whoever follows them need not decode it: the
faces cut out, what a recogniser would see of each, and the closer looks that following will ask for, as far as the run
itself tells.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike import shots
from lookalike.cluster.files import FileRef, Files
from lookalike.faces import Recogniser, Sighting, Tracker
from lookalike.faceset import FaceRecord, encode_face, save_encoded
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.follow import Follower
from lookalike.pipeline.footage import Footage
from lookalike.pipeline.frame_runs import Run, run_reader
from lookalike.pipeline.scan import Looker, Made, Views, suffix_of
from lookalike.types import Face, Frame

Box = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SentFace:
    """A face that was cut out elsewhere; a CutFace."""

    face: Face
    record: FaceRecord
    look: NDArray[np.uint8]
    """(16, 16), see Sighting."""
    image: bytes
    """Its file, still without a record."""
    chip: NDArray[np.uint8] | None
    """(150, 150, 3): what the recogniser sees of it, if it may have to be embedded."""
    embedding: NDArray[np.float32] | None
    """(128,), if every face is embedded."""

    def changed(self, **facts: object) -> "SentFace":
        """See CutFace."""
        return replace(self, record=self.record.model_copy(update=facts))

    def sighting(self) -> Sighting:
        """See CutFace."""
        return Sighting(self.face.box_xyxy, self.look)

    def write(self, path: Path, quality: int) -> None:
        """See CutFace; the quality was given when it was encoded."""
        save_encoded(path, self.image, self.record)


@dataclass(frozen=True, slots=True, eq=False)
class SentFrame:
    """A frame that was looked at elsewhere."""

    index: int
    faces: list[SentFace]
    thumbnail: NDArray[np.uint8]
    closer: dict[bytes, SentFace | None]
    """Closer looks that were taken, see CloserLooks."""


@dataclass(frozen=True, slots=True)
class LookSpec:
    """What all workers of an extraction know."""

    footage: Footage
    source: str
    """What records call the video."""
    config: ExtractConfig
    boxes: FileRef | None
    """The file of boxes, if there is one."""
    files: Files


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """A run of frames, those left out that cannot be read."""

    frames: list[SentFrame]


@dataclass(frozen=True, slots=True, eq=False)
class Chips:
    """Faces to be embedded."""

    chips: list[NDArray[np.uint8]]

    def __str__(self) -> str:
        return f"{len(self.chips)} faces to embed"


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Theirs."""

    rows: list[NDArray[np.float32]]


Task = Run | Chips | None
"""A run to be looked at, faces to be embedded, or nothing for now."""
Done = Looked | Embedded | None


def open_far_look(spec: LookSpec) -> Callable[[Task], Done]:
    """A worker's side of `scan_on`.

    Raises:
        WeightsError, ExtraMissingError: a network cannot be had on this machine. ClusterError: the video cannot.
    """
    config, read = spec.config, run_reader(spec.footage, spec.files)
    if spec.boxes is not None:
        config = config.model_copy(update={"boxes": spec.files.here([spec.boxes])[0]})
    sender = Sender(Looker(spec.footage.info, spec.source, config), config)

    def work(task: Task) -> Done:
        if isinstance(task, Run):
            return Looked(_looked(sender, config, read(task)))
        return None if task is None else Embedded([sender.recogniser.embed_chip(chip) for chip in task.chips])

    return work


class Sender:
    """Makes faces ready to be sent."""

    def __init__(self, looker: Looker, config: ExtractConfig) -> None:
        """Networks are loaded when they are first needed."""
        self.looker, self._config = looker, config
        self._recogniser: Recogniser | None = None

    @property
    def recogniser(self) -> Recogniser:
        """Embeds faces."""
        self._recogniser = self._recogniser or Recogniser()
        return self._recogniser

    def sent(self, views: Views, made: Made) -> SentFace:
        """A face of a frame with all that may be asked of it later."""
        config, record = self._config, made.record
        chip = embedding = None
        if config.identity == "face":
            embedding = self.recogniser.embed(views.shown, made.face)
        elif not record.recovered and made.face.score >= self.looker.finder.trusted:
            chip = self.recogniser.chip(views.shown, made.face)
        image = encode_face(made.crop, suffix_of(config), config.quality)
        return SentFace(made.face, record, made.sighting().look, image, chip, embedding)

    def look_closer(self, frame: Frame, views: Views, box: Box) -> SentFace | None:
        """As `Looker.look_closer`."""
        made = self.looker.look_closer(frame, views, box)
        return None if made is None else self.sent(views, made)


def _looked(sender: Sender, config: ExtractConfig, frames: Iterable[Frame]) -> list[SentFrame]:
    """Look at a run of frames. Faces are followed within it, to look closer where whoever follows them all will ask."""
    follower = Follower(config, Tracker())
    before: NDArray[np.uint8] | None = None
    done = []
    for frame in frames:
        looked = sender.looker.look(frame)
        cut = before is not None and shots.is_cut(before, looked.thumbnail)
        before = looked.thumbnail
        faces = [sender.sent(looked.views, made) for made in looked.faces]
        closer = CloserLooks(partial(sender.look_closer, frame, looked.views), {})
        follower.take(frame.index, faces, cut, closer)
        done.append(SentFrame(frame.index, faces, looked.thumbnail, closer.known))
    return done


@dataclass(frozen=True, slots=True, eq=False)
class CloserLooks:
    """Closer looks at a frame, each taken once."""

    look: Callable[[Box], SentFace | None]
    known: dict[bytes, SentFace | None]
    """What was found, by the bytes of the (4,) float32 box that was looked about."""

    def __call__(self, box: Box) -> SentFace | None:
        """See `Follower.take`."""
        key = np.asarray(box, np.float32).tobytes()
        if key not in self.known:
            self.known[key] = self.look(box)
        return self.known[key]
