"""All faces of a picture: boxes, then points."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.build import DETECTORS, LANDMARKERS, DetectorSettings
from lookalike.faces.detection import Detection, Turn, turned, upright
from lookalike.faces.mesh import FaceMesh
from lookalike.options import DetectorName, LandmarkerName
from lookalike.types import Face

_TURNS: tuple[Turn, ...] = (90, 270, 180)


class FaceFinder:
    """Detector and landmarker joined; with the embedded ones about 20 ms a 720p picture on one core."""

    def __init__(
        self,
        min_score: float | None = None,
        *,
        detector: DetectorName = "yunet",
        landmarker: LandmarkerName = "mesh",
        file: Path | None = None,
    ) -> None:
        """Load the networks.

        Args:
            min_score: lowest score of a face; without it the score from which the detector is trusted.
            file: boxes for the detector `file`.

        Raises:
            WeightsError: the weights of a network that ships without are not there.
            ExtraMissingError: a package of an extra is not installed.
        """
        kind = DETECTORS[detector]
        self._detector = kind.build(DetectorSettings(min_score=min_score or kind.min_score, file=file))
        self._mesh = FaceMesh()
        self._landmarker = LANDMARKERS[landmarker](None)

    def find(self, rgb: NDArray[np.uint8], frame: int = 0, *, turns: bool = False) -> list[Face]:
        """Every face in an (H, W, 3) uint8 RGB picture, largest first.

        Args:
            frame: number of the picture in its video.
            turns: when there is none, look again at the picture turned by 90, 270 and 180 degrees.
        """
        found = self._detector.detect(rgb, frame)
        size_wh = (rgb.shape[1], rgb.shape[0])
        for turn in _TURNS if turns else ():
            if found:
                break
            found = [upright(d, turn, size_wh) for d in self._detector.detect(turned(rgb, turn), frame)]
        return self.place(rgb, found)

    def place(self, rgb: NDArray[np.uint8], detections: Sequence[Detection]) -> list[Face]:
        """The points of faces whose boxes are known, largest first."""
        meshes = [self._mesh.points(rgb, detection) for detection in detections]
        placed = self._landmarker.landmarks(rgb, detections, meshes)
        faces = [
            Face(d.box_xyxy, d.score, d.landmarks if d.landmarks is not None else points, mesh)
            for d, points, mesh in zip(detections, placed, meshes, strict=True)
        ]
        return sorted(faces, key=lambda f: -float((f.box_xyxy[2:] - f.box_xyxy[:2]).prod()))
