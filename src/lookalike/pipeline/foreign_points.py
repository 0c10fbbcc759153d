"""The mesh of a face that came with its landmarks alone."""

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lookalike.faces.detection import Detection
from lookalike.faces.mesh import FaceMesh, MeshLandmarker
from lookalike.faces.moved import follow
from lookalike.landmarks import box_about


class Meshes:
    """Finds meshes; the network is loaded for the first."""

    @cached_property
    def _mesh(self) -> FaceMesh:
        return FaceMesh()

    @cached_property
    def _landmarker(self) -> MeshLandmarker:
        return MeshLandmarker()

    def around(self, rgb: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.float32]:
        """(478, 2) mesh that lies as (68, 2) landmarks do, in pixels of an (H, W, 3) picture."""
        mesh = self._found(rgb, landmarks)
        return follow(mesh, self._landmarker.of_mesh(mesh), np.asarray(landmarks, np.float64))

    def seen(self, rgb: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.float32]:
        """(68, 2) landmarks as they are seen in a picture, near where (68, 2) others lie."""
        return self._landmarker.of_mesh(self._found(rgb, landmarks))

    def _found(self, rgb: NDArray[np.uint8], landmarks: NDArray[np.floating]) -> NDArray[np.float32]:
        points = np.asarray(landmarks, np.float32)
        return self._mesh.points(rgb, Detection(box_about(points), 1.0, landmarks=points))
