"""All faces of a picture: boxes, then points."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faces.build import DETECTORS, LANDMARKERS, DetectorSettings, trusted_score
from lookalike.faces.detection import Detection, Detector, Turn, turned, upright
from lookalike.faces.mesh import FaceMesh, MeshLandmarker
from lookalike.faces.moved import follow
from lookalike.faces.yunet import YuNet
from lookalike.geometry import intersection_over_union
from lookalike.options import DetectorName, LandmarkerName
from lookalike.types import Face

_TURNS: tuple[Turn, ...] = (90, 270, 180)
_WEAK = 0.7
"""Scores down to this share of the trusted one count for a face that is known from other frames."""
_CLOSE_SIDE = 320
"""Side in pixels of the picture about a lost face that is searched once more."""
_CLOSE_AREA = 2.5
"""Side of what that picture shows, in sides of the face."""
_CLOSE_SCORE = 0.4
_SAME_PLACE = 0.3
"""Overlap from which a face found by a closer look is the lost one."""

_UPRIGHT_SCORE, _UPRIGHT_OFF = 0.93, 0.04
"""A face of more score, or whose points the mesh confirms, is taken to be the right way up.

Faces turned by 90 to 270 degrees got 0.73 to 0.92 from YuNet, taken for upright ones; then the mesh was off by 0.04 to
0.24 of the box, where upright faces, seen from in front, are off by 0.02 to 0.06.
"""
_TURN_GAIN = 0.7
"""How much better the mesh must agree the other way up."""
_FIVE = ((33, 133), (362, 263), (1, 1), (61, 61), (291, 291))
"""Mesh points whose middles are the detector's five: eyes, nose, corners of the mouth."""


class FaceFinder:
    """Detector and landmarker joined; with the embedded ones about 20 ms a 720p picture on one core."""

    def __init__(
        self,
        min_score: float | None = None,
        *,
        detector: DetectorName = "yunet",
        landmarker: LandmarkerName = "mesh",
        file: Path | None = None,
        weak: bool = False,
    ) -> None:
        """Load the networks.

        Args:
            min_score: score from which a face is trusted; the detector's own if left out.
            file: boxes for the detector `file`.
            weak: give out faces of less score too, which may be those of a face known from other frames.

        Raises:
            WeightsError: the weights of a network that ships without are not there.
            ExtraMissingError: a package of an extra is not installed.
        """
        kind = DETECTORS[detector]
        self.trusted = trusted_score(detector, min_score)
        """Score from which a face is trusted."""
        settings = DetectorSettings(min_score=self.trusted * (_WEAK if weak else 1), file=file)
        self._detector = kind.build(settings)
        self._thorough = kind.thorough(DetectorSettings(min_score=self.trusted)) if kind.thorough else None
        self._close = YuNet(_CLOSE_SCORE, _CLOSE_SIDE) if kind.looks else None
        self._mesh = FaceMesh()
        self._landmarker = LANDMARKERS[landmarker](None)

    def find(
        self,
        rgb: NDArray[np.uint8],
        frame: int = 0,
        *,
        thorough: bool = False,
        min_size: float = 0,
        max_faces: int = 0,
    ) -> list[Face]:
        """Every face in an (H, W, 3) uint8 RGB picture, largest first.

        Args:
            frame: number of the picture in its video.
            thorough: when no face is trusted, look again closer, and at the picture turned by 90, 270 and 180 degrees;
                look at it turned, too, where a face may have been found the wrong way up.
            min_size: shorter side in pixels from which a box is a face.
            max_faces: the largest so many; 0 for all.
        """
        found = self._detector.detect(rgb, frame)
        if thorough and not any(d.score >= self.trusted for d in found):
            found = self._look_again(rgb, frame) or found
        found = [d for d in found if (d.box_xyxy[2:] - d.box_xyxy[:2]).min() >= min_size]
        if max_faces:  # a sure face is not to make room for a large unsure one
            found = sorted(found, key=lambda d: (d.score < self.trusted, -_area(d)))[:max_faces]
        found.sort(key=lambda d: -_area(d))
        faces = self.place(rgb, found)
        if (
            not thorough
            or self._close is None
            or not any(_may_be_turned(d, face) for d, face in zip(found, faces, strict=True))
        ):
            return faces
        turns = [upright(d, t, _size(rgb)) for t in _TURNS for d in self._detector.detect(turned(rgb, t), frame)]
        return [self._righted(rgb, d, face, turns) for d, face in zip(found, faces, strict=True)]

    def close_look(self, rgb: NDArray[np.uint8], box: NDArray[np.float32]) -> Detection | None:
        """A face about the (4,) place where one was a moment ago, found by a search of that place alone."""
        if self._close is None:
            return None
        centre, side = (box[:2] + box[2:]) / 2, float((box[2:] - box[:2]).max())
        scale = _CLOSE_SIDE / max(side * _CLOSE_AREA, 1.0)
        corner = centre - _CLOSE_SIDE / 2 / scale
        matrix = np.array([[scale, 0, -corner[0] * scale], [0, scale, -corner[1] * scale]])
        part = cv2.warpAffine(rgb, matrix, (_CLOSE_SIDE, _CLOSE_SIDE), flags=cv2.INTER_LINEAR)
        found = [_moved(d, corner, scale) for d in self._close.detect(np.asarray(part, np.uint8))]
        overlaps = [intersection_over_union(d.box_xyxy, box) for d in found]
        best = int(np.argmax(overlaps)) if overlaps else -1
        return found[best] if best >= 0 and overlaps[best] >= _SAME_PLACE else None

    def place(self, rgb: NDArray[np.uint8], detections: Sequence[Detection]) -> list[Face]:
        """The points of faces whose boxes are known."""
        meshes = [self._mesh.points(rgb, detection) for detection in detections]
        placed = self._landmarker.landmarks(rgb, detections, meshes)
        return [
            Face(d.box_xyxy, d.score, points, mesh) if d.landmarks is None else self._told(d, d.landmarks, mesh)
            for d, points, mesh in zip(detections, placed, meshes, strict=True)
        ]

    def _told(self, detection: Detection, landmarks: NDArray[np.float32], mesh: NDArray[np.float32]) -> Face:
        """A face whose landmarks came with it; the mesh follows them."""
        moved = follow(mesh, MeshLandmarker().of_mesh(mesh), landmarks)
        return Face(detection.box_xyxy, detection.score, landmarks, moved)

    def _righted(self, rgb: NDArray[np.uint8], detection: Detection, face: Face, turns: Sequence[Detection]) -> Face:
        """The face, or the same place the other way up if the detector likes that better and the mesh agrees."""
        if not _may_be_turned(detection, face):
            return face
        same = [t for t in turns if intersection_over_union(t.box_xyxy, detection.box_xyxy) >= _SAME_PLACE]
        best = max(same, key=lambda t: t.score, default=detection)
        if best.score <= detection.score:
            return face
        other = self.place(rgb, [best])[0]
        return other if _disagreement(best, other) < _TURN_GAIN * _disagreement(detection, face) else face

    def _look_again(self, rgb: NDArray[np.uint8], frame: int) -> list[Detection]:
        ways: list[tuple[Detector, Turn]] = [(self._thorough, 0)] if self._thorough else []
        ways += [(self._detector, turn) for turn in _TURNS] if self._close else []
        for detector, turn in ways:
            found = [upright(d, turn, _size(rgb)) for d in detector.detect(turned(rgb, turn), frame)]
            trusted = [d for d in found if d.score >= self.trusted]
            if trusted:
                return trusted
        return []


def _area(detection: Detection) -> float:
    return float((detection.box_xyxy[2:] - detection.box_xyxy[:2]).prod())


def _size(rgb: NDArray[np.uint8]) -> tuple[int, int]:
    return rgb.shape[1], rgb.shape[0]


def _may_be_turned(detection: Detection, face: Face) -> bool:
    """Whether a face may have been found the wrong way up, which detectors do with large ones."""
    return detection.score < _UPRIGHT_SCORE and _disagreement(detection, face) > _UPRIGHT_OFF


def _disagreement(detection: Detection, face: Face) -> float:
    """Mean distance of the detector's five points from the mesh's, in sides of the box; 0 if it gave none."""
    if detection.points is None:
        return 0.0
    mesh = np.array([(face.mesh[a] + face.mesh[b]) / 2 for a, b in _FIVE])
    side = float((detection.box_xyxy[2:] - detection.box_xyxy[:2]).max())
    return float(np.linalg.norm(mesh - detection.points, axis=1).mean()) / side


def _moved(detection: Detection, corner: NDArray[np.floating], scale: float) -> Detection:
    """A detection in an enlarged part of a picture as one in the picture."""
    box = (detection.box_xyxy.reshape(2, 2) / scale + corner).reshape(4).astype(np.float32)
    points = None if detection.points is None else (detection.points / scale + corner).astype(np.float32)
    return Detection(box, detection.score, points)
