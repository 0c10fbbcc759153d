"""Explicit pictures by the package nudenet, which marks parts of bodies."""

import hashlib
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ExtraMissingError

_EXPLICIT: Final = {
    "ANUS_EXPOSED",
    "BUTTOCKS_EXPOSED",
    "FEMALE_BREAST_EXPOSED",
    "FEMALE_GENITALIA_EXPOSED",
    "MALE_GENITALIA_EXPOSED",
}
_WEIGHTS: Final = "320n.onnx"


class NudeNet:
    """The score of the surest bare part that counts: genitals, anus, buttocks, a woman's breast.

    A YOLOv8n detector by Praneeth Bedapudi. The package is AGPL-3.0, whatever its metadata say; it is not a part of
    Lookalike and is imported only here.
    """

    name = "nudenet"
    threshold = 0.5
    long_side = 640
    mistakes_faces = False

    def __init__(self) -> None:
        """Nothing is loaded yet.

        Raises:
            ExtraMissingError: nudenet is not installed.
        """
        spec = find_spec("nudenet")
        if spec is None or not spec.submodule_search_locations:
            raise _missing()
        self._weights = Path(spec.submodule_search_locations[0]) / _WEIGHTS
        self._detector: Any = None

    @cached_property
    def sha256(self) -> str:
        """Of the weights inside the package.

        Raises:
            ExtraMissingError: they are not there.
        """
        try:
            return hashlib.sha256(self._weights.read_bytes()).hexdigest()
        except OSError as exc:
            raise _missing() from exc

    def scores(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N,) float32 in [0, 1] of (N, H, W, 3) uint8 RGB; see `Checker`.

        Raises:
            ExtraMissingError: nudenet, or what it needs, cannot be imported.
        """
        if self._detector is None:
            try:
                self._detector = import_module("nudenet").NudeDetector()
            except ImportError as exc:
                raise _missing() from exc
        # It says that it wants B, G, R, as OpenCV reads them, and turns them once too often: R, G, B is what comes out
        # right (notAI-tech/NudeNet, issue 203).
        found = (self._detector.detect(np.ascontiguousarray(picture)) for picture in rgb)
        return np.array([_score(parts) for parts in found], np.float32)


def _score(parts: list[dict[str, Any]]) -> float:
    return max((float(part["score"]) for part in parts if part["class"] in _EXPLICIT), default=0.0)


def _missing() -> ExtraMissingError:
    return ExtraMissingError(
        "the content check nudenet needs the package nudenet (AGPL-3.0); install it with: "
        "pip install 'lookalike[nudenet]'"
    )
