"""All faces of a picture: boxes, then points."""

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.detect import YuNet
from lookalike.faces.mesh import FaceMesh
from lookalike.types import Face


class FaceFinder:
    """Detector and landmarker joined; about 20 ms a 720p picture on one core."""

    def __init__(self, min_score: float = 0.7, threads: int = 1) -> None:
        self._detector = YuNet(min_score)
        self._mesh = FaceMesh(threads)

    def find(self, rgb: NDArray[np.uint8]) -> list[Face]:
        """Every face in an (H, W, 3) uint8 RGB picture, largest first."""
        faces = []
        for detection in self._detector.detect(rgb):
            mesh = self._mesh.points(rgb, detection)
            faces.append(Face(detection.box_xyxy, detection.score, self._mesh.landmarks(mesh), mesh))
        return sorted(faces, key=lambda f: -float((f.box_xyxy[2:] - f.box_xyxy[:2]).prod()))
