"""A single face through a trained model, without a video around it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lookalike.color import eight_bit, rgb_to_picture
from lookalike.errors import FacesetError
from lookalike.faceset import FaceRecord
from lookalike.merging.predict import Predictor
from lookalike.merging.target import find_target
from lookalike.merging.track import Spot
from lookalike.options import covers
from lookalike.pipeline.models import model_name
from lookalike.pipeline.workspace import Workspace
from lookalike.types import ColorSpace

_RGB = ColorSpace("rgb", True, 8)


@dataclass(frozen=True, slots=True, eq=False)
class DrawnFace:
    """A face as the model sees it, and what it draws for it, both at the model's own side R."""

    seen: NDArray[np.uint8]
    """(R, R, 3) RGB: what the model is shown."""
    drawn: NDArray[np.uint8]
    """(R, R, 3) RGB: src's face with the pose and expression of what is seen."""
    mask: NDArray[np.float32] | None
    """(R, R) in [0, 1], 1 where the new face shows; None if the model learns no masks."""


def open_model(workspace: Workspace, name: str | None = None, device: str = "auto") -> Predictor:
    """Load a model of a workspace, ready to draw.

    Args:
        workspace: which one.
        name: of the model; the one trained last, or the only one, if left out.
        device: cuda, mps, cpu, or auto for the best one here.

    Raises:
        CheckpointError: there is no such model. ConfigError: there is no such device.
    """
    return Predictor(workspace.model(model_name(workspace, name)), device)


def swap_face(model: Predictor, image: NDArray[np.uint8], record: FaceRecord, *, morph: float = 1.0) -> DrawnFace:
    """Let a model draw src for one face of a faceset.

    Args:
        model: see open_model.
        image: (S, S, 3) uint8 RGB, an aligned face.
        record: of that face.
        morph: how far the face becomes src's, 0 to 1, for a model that can stop halfway (amp).

    Raises:
        FacesetError: the aligned face shows less than the model needs.
    """
    if not covers(record.face_type, model.config.face_type):
        raise FacesetError(
            f"the face is aligned as {record.face_type}, and the model sees {model.config.face_type}; "
            f"extract with --face-type {model.config.face_type}"
        )
    landmarks, mesh = (points.astype(np.float32) for points in (record.crop_landmarks(), record.crop_mesh()))
    spot = Spot(landmarks, mesh, np.zeros(2), (), record.track, record.person)
    target = find_target(rgb_to_picture(image, _RGB), spot, model.config)
    made = model.swap(target.crop[None], target.points[None], morph=morph, dst_mask=False)[0]
    return DrawnFace(target.crop, eight_bit(made.picture), made.mask)
