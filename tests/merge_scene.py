"""A drawn frame with a face, and what merging makes of it."""

import cv2
import numpy as np
from numpy.typing import NDArray

from drawn_faces import DST, SRC, draw_person
from lookalike.color import rgb_to_picture
from lookalike.faceset import FaceRecord, make_face
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.merging.merge import Merged, merge_frame
from lookalike.merging.paint import paint
from lookalike.merging.predict import Prediction
from lookalike.merging.target import Target, find_target
from lookalike.merging.track import spot_of
from lookalike.models.config import GuidedConfig, ModelConfig
from lookalike.types import ColorSpace, Picture

TINY = GuidedConfig(resolution=32, ae_dims=16, e_dims=4, d_dims=2)


def scene(bits: int = 8, shift: int = 1, moved: tuple[float, float] = (0, 0)) -> tuple[Picture, FaceRecord]:
    """A drawn frame and its face, put elsewhere in a larger picture by `moved`."""
    rgb, face = draw_person(DST, 1)
    matrix = np.array([[1, 0, moved[0]], [0, 1, moved[1]]], np.float64)
    large = cv2.warpAffine(rgb, matrix, (320, 240), borderMode=cv2.BORDER_REPLICATE)
    offset = np.array(moved, np.float32)
    box = face.box_xyxy + np.tile(offset, 2)
    face = type(face)(box, face.score, face.landmarks + offset, face.mesh + offset)
    _, record = make_face(
        np.asarray(large, np.uint8),
        face,
        source="x",
        frame=0,
        time_seconds=0,
        number=0,
        size=64,
        face_type="full",
        track=0,
    )
    return rgb_to_picture(np.asarray(large, np.uint8), ColorSpace("bt709", False, bits), shift, shift), record


def prediction(look: tuple[int, int, int] = SRC.skin, mask: float = 1, side: int = 32) -> Prediction:
    picture = np.full((side, side, 3), np.array(look) / 255, np.float32)
    whole = np.full((side, side), mask, np.float32)
    return Prediction(picture, whole, whole)


def colours(seed: int, low: float, high: float, side: int = 48) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return cv2.GaussianBlur(rng.uniform(low, high, (side, side, 3)), (0, 0), 1).astype(np.float32)


def target_of(picture: Picture, record: FaceRecord, model: ModelConfig = TINY) -> Target:
    return find_target(picture, spot_of(record), model)


def merged_with(
    picture: Picture, target: Target, drawn: Prediction, config: MergeConfig, run: MergeRun | None = None
) -> Merged:
    return merge_frame(picture, [(target, paint(target, drawn, config))], config, run or MergeRun())
