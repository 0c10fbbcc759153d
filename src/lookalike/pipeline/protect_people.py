"""Who must not be recognised: the faces of dst's faceset, as recognisers see them, and the double's beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import EmptyFacesetError
from lookalike.faces import Embedder, RecogniserKind, installed_recognisers
from lookalike.faceset import list_faces, load_face, load_record
from lookalike.pipeline.workspace import Workspace
from lookalike.reporting.protection import Distance, DoubleFigures, Threshold
from lookalike.reporting.summary import evenly
from lookalike.types import Face

_REFERENCES: Final = 40
"""Faces of a person that results are compared with, spread over the video."""


@dataclass(frozen=True, slots=True, eq=False)
class Witness:
    """The people of dst to one recogniser."""

    kind: RecogniserKind
    means: NDArray[np.float32]
    """(P, D): the mean of each person's faces."""
    faces: NDArray[np.float32]
    """(K, D): single faces of all of them."""
    doubles: NDArray[np.float32] | None
    """(M, D) faces of src; None without any."""

    @property
    def threshold(self) -> Threshold:
        """From which distance it tells people apart."""
        kind = self.kind
        return Threshold(recogniser=kind.name, title=kind.title, recognised=kind.same_person, possible=kind.possible)

    def nearest(self, embedding: NDArray[np.float32]) -> float:
        """Distance from the nearest single face of a person."""
        return min(self.kind.distance(embedding, face) for face in self.faces)

    def distance(self, embedding: NDArray[np.float32], original: NDArray[np.float32] | None) -> Distance:
        """How far a face of the result is; `original` is dst's at the same place."""
        far = self.kind.distance
        return Distance(
            mean=round(min(far(embedding, mean) for mean in self.means), 4),
            nearest=round(self.nearest(embedding), 4),
            frame=None if original is None else round(far(embedding, original), 4),
            double=None if self.doubles is None else round(far(embedding, self.doubles.mean(0)), 4),
        )

    def double(self) -> DoubleFigures | None:
        """What it says of the double's own faces; None without any."""
        if self.doubles is None:
            return None
        found, limit = [self.distance(face, None) for face in self.doubles], self.threshold
        recognised = [one.mean < limit.recognised for one in found]
        possible = [one.mean < limit.possible or one.nearest < limit.recognised for one in found]
        return DoubleFigures(
            recogniser=self.kind.name,
            mean=round(float(np.median([one.mean for one in found])), 4),
            recognised=round(float(np.mean(recognised)), 4),
            possible=round(float(np.mean(possible)), 4),
        )


def meet_witnesses(workspace: Workspace, recognisers: Sequence[RecogniserKind] | None = None) -> list[Witness]:
    """The people of dst and src to every recogniser that is here.

    Args:
        recognisers: those installed, when None.

    Raises:
        FacesetError: dst has no faces, or they cannot be read. WeightsError: a recogniser cannot be used.
    """
    people: dict[int, list[Path]] = {}
    for path in list_faces(workspace.aligned("dst")):
        people.setdefault(load_record(path).person or 0, []).append(path)
    if not people:
        raise EmptyFacesetError(f"no faces in {workspace.aligned('dst')}; run extract, or put removed faces back")
    sources = list_faces(workspace.aligned("src")) if workspace.aligned("src").is_dir() else []
    found = []
    for kind in recognisers or installed_recognisers():
        embedder = kind.build()
        each = [_embedded(paths, embedder) for _, paths in sorted(people.items())]
        means = np.stack([faces.mean(0) for faces in each])
        found.append(Witness(kind, means, np.concatenate(each), _embedded(sources, embedder) if sources else None))
    return found


def _embedded(paths: Sequence[Path], embedder: Embedder) -> NDArray[np.float32]:
    """(K, D) of some faces, spread evenly.

    dlib's lay 0.04 to 0.14 from those of the same faces in their frames, on 20 faces of a clip.
    """
    rows = []
    for path in evenly(list(paths), _REFERENCES):
        crop, record = load_face(path)
        mesh = record.crop_mesh().astype(np.float32)
        box = np.concatenate([mesh.min(0), mesh.max(0)])
        rows.append(embedder.embed(crop, Face(box, record.score, record.crop_landmarks().astype(np.float32), mesh)))
    return np.stack(rows)
