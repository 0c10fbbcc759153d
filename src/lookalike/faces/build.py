"""Detectors and landmarkers by name. What is not asked for is not imported."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lookalike.faces.detection import Detector, Landmarker
from lookalike.options import DetectorName, LandmarkerName


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorSettings:
    """What a detector is made of."""

    min_score: float
    """Lowest score of a face that is given out."""
    weights: Path | None = None
    """Weights file of a detector that ships without; the one that was fetched if left out."""
    file: Path | None = None
    """Boxes for the detector `file`."""


@dataclass(frozen=True, slots=True)
class DetectorKind:
    """A detector that can be chosen."""

    build: Callable[[DetectorSettings], Detector]
    min_score: float
    """Score from which its faces are trusted."""


def _yunet(settings: DetectorSettings) -> Detector:
    from lookalike.faces.yunet import YuNet

    return YuNet(settings.min_score)


DETECTORS: dict[DetectorName, DetectorKind] = {
    "yunet": DetectorKind(_yunet, 0.7),
}


def _mesh(_weights: Path | None) -> Landmarker:
    from lookalike.faces.mesh import MeshLandmarker

    return MeshLandmarker()


LANDMARKERS: dict[LandmarkerName, Callable[[Path | None], Landmarker]] = {
    "mesh": _mesh,
}
"""Each is built from the path of its weights, or none for those that ship or were fetched."""
