"""Landmarks for a square that a person holds over a face: found at once, again with every move."""

import threading

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.build import LANDMARKERS
from lookalike.faces.detection import Detection, Turn
from lookalike.faces.mesh import FaceMesh, MeshLandmarker
from lookalike.options import LandmarkerName


class Placer:
    """Finds the landmarks in a box. Safe in threads, which take turns."""

    def __init__(self, landmarker: LandmarkerName) -> None:
        """Load the networks.

        Raises:
            WeightsError, ExtraMissingError: one cannot be had.
        """
        self.landmarker = landmarker
        self._mesh, self._quick = FaceMesh(), MeshLandmarker()
        self._accurate = LANDMARKERS[landmarker](None)
        self._lock = threading.Lock()

    def landmarks(
        self, rgb: NDArray[np.uint8], box_xyxy: NDArray[np.floating], *, accurate: bool = True, turn: Turn = 0
    ) -> NDArray[np.float32]:
        """(68, 2) landmarks in frame pixels of the face in a (4,) box of an (H, W, 3) uint8 RGB picture.

        Args:
            accurate: look three times, and with the landmarker of the faceset; else once, with the mesh alone.
            turn: counter-clockwise degrees that bring the face upright.
        """
        detection = Detection(np.asarray(box_xyxy, np.float32), 1.0, turn=turn)
        with self._lock:
            if not accurate:
                return self._quick.of_mesh(self._mesh.glance(rgb, detection))
            mesh = self._mesh.points(rgb, detection)
            return self._accurate.landmarks(rgb, [detection], [mesh])[0]
