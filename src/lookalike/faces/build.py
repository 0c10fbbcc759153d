"""Detectors and landmarkers by name. What is not asked for is not imported."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ConfigError, ExtraMissingError
from lookalike.faces.detection import Detection, Detector, Landmarker
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
    voters: tuple[DetectorName, ...] = ()
    """Whom the detector `vote` asks; without them yunet and those of retinaface, mtcnn and dlib-hog that are there."""


@dataclass(frozen=True, slots=True)
class DetectorKind:
    """A detector that can be chosen."""

    build: Callable[[DetectorSettings], Detector]
    min_score: float
    """Score from which its faces are trusted."""
    looks: bool = True
    """Whether it looks at pictures; one that is told where the faces are is not to be asked twice."""
    thorough: Callable[[DetectorSettings], Detector] | None = None
    """The same detector at a larger scale, for frames in which it found nothing."""


def _yunet(settings: DetectorSettings) -> Detector:
    from lookalike.faces.yunet import YuNet

    return YuNet(settings.min_score)


def _yunet_large(settings: DetectorSettings) -> Detector:
    from lookalike.faces.yunet import YuNet

    return YuNet(settings.min_score, long_side=1280)


def _s3fd(settings: DetectorSettings) -> Detector:
    from lookalike.faces.s3fd import S3fdDetector
    from lookalike.weights import find_weights

    return S3fdDetector(settings.weights or find_weights("s3fd"), settings.min_score)


def _retinaface(settings: DetectorSettings) -> Detector:
    from lookalike.faces.retinaface import RetinaFace

    return RetinaFace(settings.min_score)


def _mtcnn(settings: DetectorSettings) -> Detector:
    from lookalike.faces.mtcnn import MTCNN

    return MTCNN(settings.min_score)


def _dlib_hog(settings: DetectorSettings) -> Detector:
    from lookalike.faces.dlib_boxes import DlibHog

    return DlibHog(settings.min_score)


def _dlib_cnn(settings: DetectorSettings) -> Detector:
    from lookalike.faces.dlib_boxes import DlibCnn

    return DlibCnn(settings.min_score)


def _vote(settings: DetectorSettings) -> Detector:
    from lookalike.faces.vote import Vote

    chosen = settings.voters or _VOTERS
    if len(set(chosen)) < max(2, len(chosen)) or not _NO_VOTERS.isdisjoint(chosen):
        raise ConfigError(f"the detector vote cannot ask {', '.join(chosen)}; name two or more that look at pictures")
    voters = []
    for name in chosen:
        try:
            voters.append(DETECTORS[name].build(DetectorSettings(min_score=DETECTORS[name].min_score)))
        except ExtraMissingError:
            if settings.voters:
                raise
    if len(voters) < 2:
        raise ExtraMissingError(
            "the detector vote needs one more detector than yunet; install it with: pip install 'lookalike[retinaface]'"
        )
    return Vote(voters, settings.min_score)


def _file(settings: DetectorSettings) -> Detector:
    from lookalike.faces.boxes_file import FileDetector

    if settings.file is None:
        raise ConfigError("the detector file needs a file of boxes; name one, .json or .csv")
    return FileDetector(settings.file, settings.min_score)


class _Told:
    """Finds nothing: all faces come from edits."""

    def detect(self, rgb: NDArray[np.uint8], frame: int = 0) -> list[Detection]:
        return []


DETECTORS: dict[DetectorName, DetectorKind] = {
    "yunet": DetectorKind(_yunet, 0.7, thorough=_yunet_large),
    "s3fd": DetectorKind(_s3fd, 0.5),
    "retinaface": DetectorKind(_retinaface, 0.8),
    "mtcnn": DetectorKind(_mtcnn, 0.9),
    "dlib-hog": DetectorKind(_dlib_hog, 0.5),
    "dlib-cnn": DetectorKind(_dlib_cnn, 0.5),
    "vote": DetectorKind(_vote, 0.5),
    "file": DetectorKind(_file, 0.0, looks=False),
    "manual": DetectorKind(lambda _settings: _Told(), 0.5, looks=False),
}

_VOTERS: tuple[DetectorName, ...] = ("retinaface", "yunet", "mtcnn", "dlib-hog")
"""The first gives the points; those of retinaface are right on faces that lie on their side, too."""
_NO_VOTERS = {"vote", "file", "manual"}


def _mesh(_weights: Path | None) -> Landmarker:
    from lookalike.faces.mesh import MeshLandmarker

    return MeshLandmarker()


def _fan(weights: Path | None) -> Landmarker:
    from lookalike.faces.fan import FanLandmarker
    from lookalike.weights import find_weights

    return FanLandmarker(weights or find_weights("fan"))


def _dlib(_weights: Path | None) -> Landmarker:
    from lookalike.faces.dlib_landmarks import DlibLandmarker

    return DlibLandmarker()


LANDMARKERS: dict[LandmarkerName, Callable[[Path | None], Landmarker]] = {
    "mesh": _mesh,
    "fan": _fan,
    "dlib": _dlib,
}
"""Each is built from the path of its weights, or none for those that ship or were fetched."""


def trusted_score(detector: DetectorName, min_score: float | None = None) -> float:
    """Score from which a face is trusted: the one asked for, or the detector's own."""
    return min_score or DETECTORS[detector].min_score
