"""Masks drawn by hand on real people against what the generic network says, where LOOKALIKE_CLIPS names the clips."""

import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from lookalike.color import picture_to_rgb8
from lookalike.faceset.polygons import Mask, with_polygons
from lookalike.faceset.record import Polygon
from lookalike.geometry import align_matrix, transform
from lookalike.landmarks import hull_mask
from lookalike.masks.labels import overlap
from lookalike.masks.segmenter import XsegSegmenter
from lookalike.models.xseg import SIDE, generic_weights
from lookalike.video import read_frames

CLIPS = Path(os.environ.get("LOOKALIKE_CLIPS", "no folder of clips"))
DRAWN = Path(__file__).parents[1] / "data" / "face_masks"
EVERY = 4
"""One drawn face in so many is enough for a test."""


def drawn(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DRAWN / f"{name}.json").read_text())
    return found


def polygons_of(face: dict[str, Any]) -> list[Polygon]:
    return [Polygon.model_validate(one) for one in face["polygons"]]


@pytest.mark.parametrize("name", ["crowd", "d19", "hands", "smile"])
def test_the_drawn_faces_are_whole(name: str) -> None:
    """What benchmarks and models are judged by: every face has landmarks, and an outline about them."""
    faces = drawn(name)["faces"]
    assert len(faces) >= 9
    for face in faces:
        landmarks = np.array(face["landmarks"])
        assert landmarks.shape == (68, 2)
        matrix = align_matrix(landmarks, SIDE, "whole")
        mask = with_polygons(None, polygons_of(face), matrix, SIDE)
        assert mask is not None
        hull = hull_mask(transform(matrix, landmarks), (SIDE, SIDE)) > 0
        assert 0.1 < mask.mean() < 0.6
        assert (mask[hull] > 0.5).mean() > 0.25


@pytest.mark.skipif(not CLIPS.is_dir(), reason="LOOKALIKE_CLIPS does not name a folder of clips")
@pytest.mark.parametrize(
    ("name", "covered", "least", "above_hull"),
    [("hands", True, 0.86, 0.2), ("hands", False, 0.94, 0.1), ("d19", True, 0.92, 0.1), ("smile", False, 0.94, 0.1)],
)
def test_the_generic_network_agrees_with_people(name: str, covered: bool, least: float, above_hull: float) -> None:
    found = drawn(name)
    faces = [face for face in found["faces"] if face["covered"] == covered][::EVERY]
    wanted = {face["frame"]: face for face in faces}
    network = XsegSegmenter(generic_weights(), "cpu")
    ours, hulls = [], []
    for frame in read_frames(CLIPS / found["clip"]):
        face = wanted.get(frame.index)
        if face is None:
            continue
        matrix = align_matrix(np.array(face["landmarks"]), SIDE, "whole")
        landmarks = transform(matrix, np.array(face["landmarks"]))
        rgb = picture_to_rgb8(frame.picture)
        crop = np.asarray(cv2.warpAffine(rgb, matrix, (SIDE, SIDE), flags=cv2.INTER_AREA), np.uint8)
        inside: Mask = np.asarray(cv2.warpAffine(np.ones(rgb.shape[:2], np.float32), matrix, (SIDE, SIDE)), np.float32)
        truth = with_polygons(None, polygons_of(face), matrix, SIDE)
        assert truth is not None
        ours.append(overlap(network.mask(crop, landmarks) * inside, truth * inside))
        hulls.append(overlap(hull_mask(landmarks, (SIDE, SIDE)) * inside, truth * inside))
    assert len(ours) == len(faces)
    assert np.mean(ours) > least
    assert np.mean(ours) > np.mean(hulls) + above_hull
