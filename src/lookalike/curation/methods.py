"""Every way of sorting: what it needs to know of the faces, and what it makes of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lookalike.curation import select
from lookalike.curation.chain import greedy_chain
from lookalike.curation.config import SortConfig, SortMethod
from lookalike.curation.distances import Bhattacharyya, Euclidean, Manhattan, manhattan_sums, sums
from lookalike.curation.order import Sorted, around, ascending, descending, nearest_to_median, only_faces

BEST_TARGET = 2000
"""How many faces `best` keeps unless told. Source: DeepFaceLab (2019)."""


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """What a method may look at, of N faces in natural order of their names."""

    names: list[str]
    features: Mapping[str, NDArray[np.float32]]
    """(N, D) by name; see `features.FEATURES`, and `expression`, (N, 52)."""
    frames: list[tuple[str, int, int]] = field(default_factory=list)
    """(N,) source, frame number and face number, for methods that need them."""
    dst: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    """Pose and expression of dst's faces, for methods that need them."""

    def of(self, feature: str) -> NDArray[np.float32]:
        """(N, D)."""
        return self.features[feature]

    def one(self, feature: str) -> NDArray[np.float32]:
        """(N,) of a feature of one number."""
        return self.features[feature][:, 0]


@dataclass(frozen=True, slots=True)
class Method:
    """One way of sorting."""

    run: Callable[[Faces, SortConfig], Sorted]
    needs: tuple[str, ...]
    """Features."""
    help: str
    """What comes first."""
    frames: bool = False
    """It needs `Faces.frames`."""
    dst: bool = False
    """It needs `Faces.dst`, so it is for src."""


def run(faces: Faces, config: SortConfig) -> Sorted:
    """Sort N faces, at least one, by `config.by`; with a target only the first so many are kept."""
    found = METHODS[config.by].run(faces, config)
    if config.target is not None and len(found.order) > config.target:
        return found.first(config.target, f"beyond the first {config.target} by {config.by}")
    return found


def _falling(feature: str, column: int = 0) -> Callable[[Faces, SortConfig], Sorted]:
    return lambda faces, _: Sorted(descending(faces.of(feature)[:, column]))


def _rising(feature: str) -> Callable[[Faces, SortConfig], Sorted]:
    return lambda faces, _: Sorted(ascending(faces.one(feature)))


def _face(faces: Faces, _: SortConfig) -> Sorted:
    return Sorted(greedy_chain(Manhattan(faces.of("points"))))


def _face_dissim(faces: Faces, _: SortConfig) -> Sorted:
    return Sorted(descending(manhattan_sums(faces.of("points"))))


def _hist(faces: Faces, _: SortConfig) -> Sorted:
    return Sorted(greedy_chain(Bhattacharyya(faces.of("color"), 3)))


def _hist_dissim(faces: Faces, _: SortConfig) -> Sorted:
    return Sorted(descending(sums(Bhattacharyya(faces.of("gray"), 1))))


def _hue(faces: Faces, _: SortConfig) -> Sorted:
    return Sorted(around(faces.of("hue")))


def _origname(faces: Faces, _: SortConfig) -> Sorted:
    from lookalike.faceset.index import natural_key

    keys = [(natural_key(source), frame, number) for source, frame, number in faces.frames]
    return Sorted(np.array(sorted(range(len(keys)), key=keys.__getitem__), np.intp))


def _oneface(faces: Faces, _: SortConfig) -> Sorted:
    return only_faces([(source, frame) for source, frame, _ in faces.frames])


def _identity(faces: Faces, _: SortConfig) -> Sorted:
    return Sorted(nearest_to_median(faces.of("identity")))


def _expression(faces: Faces, _: SortConfig) -> Sorted:
    shown = faces.of("expression")
    return Sorted(greedy_chain(Euclidean(shown), select.neutral_first(shown)))


def _best(faces: Faces, config: SortConfig) -> Sorted:
    target = config.target or BEST_TARGET
    return select.best(faces.of("pose")[:, 1], faces.one("blur"), faces.of("gray"), target)


def _best_no_blur(faces: Faces, config: SortConfig) -> Sorted:
    return select.best(faces.of("pose")[:, 1], None, faces.of("gray"), config.target or BEST_TARGET)


def _match_dst(faces: Faces, _: SortConfig) -> Sorted:
    src, dst = select.traits(faces.of("pose"), faces.of("expression"), faces.dst["pose"], faces.dst["expression"])
    return Sorted(select.cover(src, dst))


def _duplicates(faces: Faces, config: SortConfig) -> Sorted:
    return select.without_duplicates(
        faces.names, faces.one("blur"), faces.of("signature"), faces.of("points"), config.threshold
    )


METHODS: dict[SortMethod, Method] = {
    "blur": Method(_falling("blur"), ("blur",), "sharpest first, by the width of edges (CPBD)"),
    "motion-blur": Method(_falling("motion"), ("motion",), "sharpest first, by the direction with least detail"),
    "face": Method(_face, ("points",), "each followed by the one with the most similar landmarks"),
    "face-dissim": Method(_face_dissim, ("points",), "most unusual landmarks first"),
    "yaw": Method(_falling("pose", 1), ("pose",), "highest yaw first"),
    "pitch": Method(_falling("pose", 0), ("pose",), "looking up first"),
    "roll": Method(_falling("pose", 2), ("pose",), "tilted clockwise first"),
    "hist": Method(_hist, ("color",), "each followed by the one with the most similar colours"),
    "hist-dissim": Method(_hist_dissim, ("gray",), "most unusual light first, what is much alike last"),
    "brightness": Method(_falling("brightness"), ("brightness",), "brightest first"),
    "hue": Method(_hue, ("hue",), "round the colour circle, falling from its widest gap"),
    "black": Method(_rising("black"), ("black",), "least black first, faces cut off by the frame last"),
    "origname": Method(_origname, (), "by video and frame", frames=True),
    "oneface": Method(_oneface, (), "by name, without frames that have several faces", frames=True),
    "size": Method(_falling("side"), ("side",), "largest in the frame first"),
    "identity": Method(_identity, ("identity",), "nearest to the usual look of the person first"),
    "expression": Method(_expression, ("expression",), "from neutral on, each followed by the most similar expression"),
    "best": Method(_best, ("pose", "blur", "gray"), "a choice even over yaw, sharp and varied"),
    "best-no-blur": Method(_best_no_blur, ("pose", "gray"), "the same without regard to sharpness"),
    "match-dst": Method(
        _match_dst, ("pose", "expression"), "src faces that cover dst's poses and expressions", dst=True
    ),
    "duplicates": Method(_duplicates, ("blur", "signature", "points"), "by name, one of each near-identical group"),
}
"""By the name on the command line."""
