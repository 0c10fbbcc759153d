"""Whether two names of people are one person, as far as the faces in workspaces tell."""

from collections.abc import Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import BatchError
from lookalike.faces import DLIB
from lookalike.faceset import list_faces, load_record
from lookalike.options import shown
from lookalike.pipeline.dataset_pairs import STEP, Pair
from lookalike.pipeline.workspace import Side
from lookalike.reporting.summary import evenly
from lookalike.types import Event, Message

SURELY_ONE: Final = 0.45
"""Distance of two means below which two names are taken for one person. Of the 55 pairs of eleven people of our clips,
five lay below dlib's threshold of 0.6, the nearest at 0.495; how far one person is from himself in another video was
not measured.
"""
_MOST_TOLD: Final = 50
_MOST_FACES: Final = 200
"""Of a faceset that are looked at."""


def compare_people(pairs: Sequence[Pair]) -> Iterator[Event]:
    """Compare everybody with everybody by the embeddings that faces carry; tells who looks alike.

    Raises:
        BatchError: two names are nearer to each other than different people are; see `SURELY_ONE`.
    """
    means = {who: np.mean(found, 0) for who, found in sorted(_seen(pairs).items()) if found}
    distances = [
        (DLIB.distance(means[one], means[other]), shown(one), shown(other)) for one, other in combinations(means, 2)
    ]
    alike = sorted(found for found in distances if found[0] < DLIB.same_person)
    for distance, one, other in alike[:_MOST_TOLD]:
        if distance < SURELY_ONE:
            raise BatchError(
                f"{one} and {other} are one person by their faces (distance {distance:.2f}, under {SURELY_ONE:g} is "
                "one); give both one name, or leave out --check-identities if they are two"
            )
        yield Message(STEP, f"{one} and {other} look alike (distance {distance:.2f}); see that they are two people")
    yield Message(STEP, f"{len(means)} people compared by their faces, {len(alike)} pairs of them look alike")


def _seen(pairs: Sequence[Pair]) -> dict[str, list[NDArray[np.float32]]]:
    """Embeddings by who they are said to be; each video counts once."""
    seen: dict[str, list[NDArray[np.float32]]] = {}
    done: set[tuple[str, Path]] = set()
    sides: tuple[Side, Side] = ("src", "dst")
    for pair in pairs:
        for side, who in zip(sides, (pair.src_identity, pair.dst_identity), strict=True):
            origin = pair.workspace.origin(side)
            if (who, origin) not in done:
                done.add((who, origin))
                seen.setdefault(who, []).extend(_embeddings(pair.workspace.aligned(side)))
    return seen


def _embeddings(aligned: Path) -> list[NDArray[np.float32]]:
    """Those of a faceset's faces, some of them evenly over its video."""
    faces = list_faces(aligned)
    chosen = evenly(list(range(len(faces))), _MOST_FACES)
    found = (load_record(faces[number]).identity_array() for number in chosen)
    return [one for one in found if one is not None]
