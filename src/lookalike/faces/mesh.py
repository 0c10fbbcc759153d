"""478 face points by MediaPipe's Face Landmarker v2, and the 68 points derived from them."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faces.detection import Detection, turned_back
from lookalike.geometry import invert, transform

_stderr_lock = Lock()
_SIDE = 256
_RIGHT_EYE_OUTER, _LEFT_EYE_OUTER = 33, 263


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Drop what C++ prints: LiteRT announces its delegate with every interpreter and has no switch for it."""
    with _stderr_lock:
        sys.stderr.flush()
        kept = os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(nowhere)


class FaceMesh:
    """Points of a face whose box is known, in three passes: each looks where the one before found the face.

    The answer is the mean of the second and third, which see the face through slightly different squares: a still face
    then shimmers a quarter less than with two passes (`benchmarks/landmarks.py`).

    Source: the Face Landmarker of MediaPipe (Apache-2.0), run by LiteRT.
    """

    def __init__(self, threads: int = 1) -> None:
        from ai_edge_litert.interpreter import Interpreter  # 0.2 s: only when faces are looked for

        folder = files("lookalike.faces") / "weights"
        weights = (folder / "face_landmarks_detector.tflite").read_bytes()
        with _silent_stderr():
            self._net = Interpreter(model_content=weights, num_threads=threads)
            self._net.allocate_tensors()
        self._input = self._net.get_input_details()[0]["index"]
        outputs = self._net.get_output_details()
        self._output = next(o["index"] for o in outputs if int(np.prod(o["shape"])) == 478 * 3)

    def points(self, rgb: NDArray[np.uint8], detection: Detection) -> NDArray[np.float32]:
        """(478, 2) points in frame pixels of the face in `detection`."""
        first = self._run(rgb, _detection_matrix(detection))
        second = self._run(rgb, _mesh_matrix(first))
        third = self._run(rgb, _mesh_matrix(second))
        return np.asarray((second + third) / 2, np.float32)

    def glance(self, rgb: NDArray[np.uint8], detection: Detection) -> NDArray[np.float32]:
        """As `points`, in one pass: a third of the time, and less exact."""
        return self._run(rgb, _detection_matrix(detection))

    def refine(self, rgb: NDArray[np.uint8], mesh: NDArray[np.float32]) -> NDArray[np.float32]:
        """(478, 2) points found again where `mesh` says that the face is."""
        return self._run(rgb, _mesh_matrix(mesh))

    def _run(self, rgb: NDArray[np.uint8], matrix: NDArray[np.float64]) -> NDArray[np.float32]:
        crop = cv2.warpAffine(rgb, matrix, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        self._net.set_tensor(self._input, crop[None].astype(np.float32) / 255)
        self._net.invoke()
        found = self._net.get_tensor(self._output).reshape(478, 3)[:, :2]
        return transform(invert(matrix), found).astype(np.float32)


class MeshLandmarker:
    """The 68 landmarks, each on a line between two points of the mesh."""

    def __init__(self) -> None:
        text = (files("lookalike.faces") / "weights" / "map68.json").read_text()
        table = np.array(json.loads(text)["map"])
        self._from, self._to, self._share = table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2:3]

    def landmarks(
        self, rgb: NDArray[np.uint8], detections: Sequence[Detection], meshes: Sequence[NDArray[np.float32]]
    ) -> list[NDArray[np.float32]]:
        """(68, 2) iBUG landmarks of each (478, 2) mesh; the picture is not looked at."""
        return [self.of_mesh(mesh) for mesh in meshes]

    def of_mesh(self, mesh: NDArray[np.float32]) -> NDArray[np.float32]:
        """(68, 2) iBUG landmarks of a (478, 2) mesh."""
        return np.asarray(mesh[self._from] * (1 - self._share) + mesh[self._to] * self._share, np.float32)


def _square_matrix(centre: NDArray[np.floating], side: float, eye_line: NDArray[np.floating]) -> NDArray[np.float64]:
    """Frame to 256-pixel matrix of a square about `centre`, turned so that `eye_line` lies level."""
    angle = np.arctan2(eye_line[1], eye_line[0])
    scale = _SIDE / max(side, 1e-3)
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    linear = np.array([[cos, sin], [-sin, cos]])
    return np.hstack([linear, (_SIDE / 2 - linear @ centre)[:, None]])


def _detection_matrix(detection: Detection) -> NDArray[np.float64]:
    left, top, right, bottom = detection.box_xyxy
    centre = np.array([(left + right) / 2, (top + bottom) / 2])
    side = max(right - left, bottom - top) * 1.3
    return _square_matrix(centre, side, _eye_line(detection))


def _eye_line(detection: Detection) -> NDArray[np.float32]:
    """Direction from the person's right eye to the left one, as far as the detection tells."""
    if detection.landmarks is not None:
        return np.asarray(detection.landmarks[45] - detection.landmarks[36], np.float32)
    if detection.points is not None:
        return np.asarray(detection.points[1] - detection.points[0], np.float32)
    level = turned_back(np.array([[0.0, 0.0], [1.0, 0.0]]), detection.turn, (0, 0))
    return np.asarray(level[1] - level[0], np.float32)


def _mesh_matrix(mesh: NDArray[np.floating]) -> NDArray[np.float64]:
    low, high = mesh.min(0), mesh.max(0)
    side = float((high - low).max()) * 1.5
    return _square_matrix((low + high) / 2, side, mesh[_LEFT_EYE_OUTER] - mesh[_RIGHT_EYE_OUTER])
