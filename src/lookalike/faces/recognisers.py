"""The seam of recognising: who can tell people apart, how far two faces are, and which recognisers are here."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.identity import SAME_PERSON, Recogniser
from lookalike.faces.sface import SAME_PERSON_SFACE, SFace
from lookalike.types import Face
from lookalike.weights import NETWORKS, weights_folder


class Embedder(Protocol):
    """Turns faces into numbers; not to be shared by threads."""

    def embed(self, rgb: NDArray[np.uint8], face: Face) -> NDArray[np.float32]:
        """(D,) float32 embedding of a face in an (H, W, 3) RGB picture."""
        ...


@dataclass(frozen=True, slots=True)
class RecogniserKind:
    """A recogniser that can be built."""

    name: str
    title: str
    """For people to read."""
    same_person: float
    """Two embeddings nearer than this are taken for one person."""
    possible: float
    """Nearer than this, two embeddings may still be of one person; see POSSIBLE."""
    build: Callable[[], Embedder]
    distance: Callable[[NDArray[np.floating], NDArray[np.floating]], float]
    """Of two embeddings, or of an embedding and the mean of several."""


def euclidean(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Length of the difference."""
    return float(np.linalg.norm(np.asarray(a, np.float64) - b))


def cosine_distance(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """One minus the cosine of the angle between, 0..2."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return 1 - float(np.dot(np.asarray(a, np.float64), b)) / max(lengths, 1e-12)


POSSIBLE = 0.65
"""For dlib's. On ten clips, 23,055 pairs of frames of one person: 1 in 2,000 lay further apart. Of 209,166 pairs of
different people 7 in 100 lay nearer, so the faces of somebody else may be held for possible, too.
"""
POSSIBLE_SFACE = 0.69
"""For SFace, as far above its own threshold as dlib's; not measured."""

DLIB = RecogniserKind("dlib", "dlib's ResNet", SAME_PERSON, POSSIBLE, Recogniser, euclidean)


def installed_recognisers(folder: Path | None = None) -> list[RecogniserKind]:
    """dlib's, which comes along, and SFace if its weights were fetched or added.

    Args:
        folder: where weights are kept; the user's cache when None.
    """
    file = weights_folder(folder) / NETWORKS["sface"].file
    if not file.is_file():
        return [DLIB]
    return [
        DLIB,
        RecogniserKind("sface", "SFace", SAME_PERSON_SFACE, POSSIBLE_SFACE, lambda: SFace(file), cosine_distance),
    ]
