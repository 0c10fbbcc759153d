"""What is known of both facesets before a frame of the result is looked at."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import local

import numpy as np
from numpy.typing import NDArray

from lookalike.faces import DLIB, Embedder, Expression, FaceFinder, RecogniserKind, installed_recognisers
from lookalike.faceset import FaceRecord, list_faces, load_face, load_record, load_records
from lookalike.pipeline.workspace import Workspace
from lookalike.reporting.crops import frame_side, measuring_size
from lookalike.reporting.summary import evenly
from lookalike.types import Face

_EMBED_FRAMES = 100
"""Frames whose result face is embedded, 80 ms each whatever the number of cores: dlib's holds Python's lock."""
_EMBED_DST_EVERY = 4
"""Of those, every fourth has dst's own face embedded, for reference."""
_EMBED_FACES = 40
"""Faces of a faceset that a recogniser looks at whose embeddings are not in the records."""


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Who src and dst are to a recogniser."""

    recogniser: RecogniserKind
    src: NDArray[np.float32]
    """(D,) mean embedding."""
    dst: NDArray[np.float32]

    @property
    def apart(self) -> float:
        """How unlike they are."""
        return self.recogniser.distance(self.src, self.dst)


@dataclass(slots=True)
class Tools:
    """The networks of one thread."""

    finder: FaceFinder
    expression: Expression
    embedders: dict[str, Embedder]
    """By the name of the recogniser."""


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What is known of dst's and src's facesets."""

    faces: dict[int, list[Path]]
    """dst's by frame, in name order."""
    crop_size: int
    people: Sequence[People]
    """By each recogniser that could be used; empty when there is nobody to compare with."""
    embedded: frozenset[int]
    """Frames in which the result's face is embedded."""
    dst_embedded: frozenset[int]
    landmarkers: frozenset[str]
    """What placed dst's landmarks."""
    _local: local = field(default_factory=local)

    def tools(self) -> Tools:
        """Those of the thread that asks, built when it first does."""
        if not hasattr(self._local, "tools"):
            embedders = {p.recogniser.name: p.recogniser.build() for p in self.people}
            self._local.tools = Tools(FaceFinder(), Expression(), embedders)
        tools: Tools = self._local.tools
        return tools


def look_ahead(workspace: Workspace, recognisers: Sequence[RecogniserKind] | None = None) -> Survey:
    """Read the records of both facesets, keeping of dst's only names.

    Args:
        recognisers: those installed, when None.

    Raises:
        FacesetError: dst has no faces, or they cannot be read. WeightsError: a recogniser cannot be used.
    """
    faces: dict[int, list[Path]] = {}
    sides: list[float] = []
    landmarkers: set[str] = set()
    dst = _Mean()
    for path in list_faces(workspace.aligned("dst")):
        record = load_record(path)
        of_frame = faces.setdefault(record.frame, [])
        of_frame.append(path)
        if len(of_frame) == 1:
            sides.append(frame_side(record))
            landmarkers.add(record.landmarker)
            dst.add(record.identity_array())
    if not faces:
        load_records(workspace.aligned("dst"))  # raises
    people = _people(workspace, [paths[0] for paths in faces.values()], dst, recognisers or installed_recognisers())
    embedded = evenly(sorted(faces), _EMBED_FRAMES) if people else []
    return Survey(
        faces=faces,
        crop_size=measuring_size(sides),
        people=people,
        embedded=frozenset(embedded),
        dst_embedded=frozenset(embedded[::_EMBED_DST_EVERY]),
        landmarkers=frozenset(landmarkers),
    )


class _Mean:
    """Of embeddings that come one by one."""

    def __init__(self) -> None:
        self._total: NDArray[np.float64] | None = None
        self._count = 0

    def add(self, embedding: NDArray[np.float32] | None) -> None:
        if embedding is not None:
            self._total = embedding + (np.float64(0) if self._total is None else self._total)
            self._count += 1

    @property
    def value(self) -> NDArray[np.float32] | None:
        """None before any came."""
        return None if self._total is None else np.asarray(self._total / self._count, np.float32)


def _people(
    workspace: Workspace, dst_faces: Sequence[Path], dst: _Mean, recognisers: Sequence[RecogniserKind]
) -> list[People]:
    """dlib's embeddings are in the records; any other recogniser looks at some of the faces."""
    found = []
    src_faces = list_faces(workspace.aligned("src"))
    for kind in recognisers:
        if kind is DLIB:
            src = _Mean()
            for path in src_faces:
                src.add(load_record(path).identity_array())
            means = (src.value, dst.value)
        else:
            embedder = kind.build()
            means = (_embedded_mean(src_faces, embedder), _embedded_mean(dst_faces, embedder))
        if means[0] is not None and means[1] is not None:
            found.append(People(kind, means[0], means[1]))
    return found


def _embedded_mean(paths: Sequence[Path], embedder: Embedder) -> NDArray[np.float32] | None:
    mean = _Mean()
    for path in evenly(list(paths), _EMBED_FACES):
        crop, record = load_face(path)
        mesh = record.crop_mesh().astype(np.float32)
        box = np.concatenate([mesh.min(0), mesh.max(0)])
        mean.add(embedder.embed(crop, Face(box, record.score, record.crop_landmarks().astype(np.float32), mesh)))
    return mean.value


def face_of(record: FaceRecord) -> Face:
    """dst's face as it was found in its frame."""
    return Face(np.array(record.box_xyxy, np.float32), record.score, record.landmarks_array(), record.mesh_array())
