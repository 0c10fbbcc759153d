"""A merge as it is usually written: frame after frame, whole frames in float32, one face a call of the network.

It follows DeepFaceLab's converter of 2019 in overlay mode: the face is drawn by src's half of the network, hull and
mask are pasted at the size of the frame, the size is measured at nine thresholds, then erode, blur, colour transfer by
mean and spread, and blend, with OpenCV and a network in float32. One process; OpenCV, PyTorch and the encoder use all
cores.
"""

import time
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import torch
from av.video.stream import VideoStream
from numpy.typing import NDArray

from lookalike.faceset import load_record
from lookalike.geometry import align_matrix, transform
from lookalike.landmarks import guide_points, hull_mask
from lookalike.merging.mask import blur_side, erode_radius
from lookalike.models.autoencoder import Autoencoder, Faces
from lookalike.models.config import ModelConfig

Image = NDArray[np.float32]


def plain_merge(
    video: Path, faces: dict[int, list[Path]], model: Autoencoder, config: ModelConfig, output: Path, frames: int
) -> float:
    """Merge the first frames of a video with a network in float32; returns seconds."""
    capture = cv2.VideoCapture(str(video))
    width, height = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    began = time.perf_counter()
    with av.open(str(output), "w") as container:
        settings = {"crf": "14", "preset": "veryfast"}  # as ours
        stream = container.add_stream("libx264", rate=round(capture.get(cv2.CAP_PROP_FPS)), options=settings)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(frames):
            ok, bgr = capture.read()
            if not ok:
                break
            frame = bgr.astype(np.float32) / np.float32(255)
            for path in faces.get(index, []):
                frame = _swap(frame, path, model, config)
            image = (frame * 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode(None))
    return time.perf_counter() - began


def _swap(frame: Image, path: Path, model: Autoencoder, config: ModelConfig) -> Image:
    record, side = load_record(path), config.resolution
    landmarks, mesh = record.landmarks_array(), record.mesh_array()
    matrix = align_matrix(landmarks, side, config.face_type, config.geometry)
    size_wh = (frame.shape[1], frame.shape[0])
    hull = hull_mask(landmarks, size_wh).astype(np.float32)
    crop = cv2.warpAffine(frame, matrix, (side, side), flags=cv2.INTER_LANCZOS4).clip(0, 1)
    hull_crop = cv2.warpAffine(hull, matrix, (side, side), flags=cv2.INTER_LANCZOS4).clip(0, 1)
    drawn, drawn_mask = _predict(crop, landmarks, mesh, matrix, model, side)
    mask = np.asarray(drawn_mask * hull_crop, np.float32)
    back: dict[str, Any] = {"flags": cv2.INTER_LANCZOS4 | cv2.WARP_INVERSE_MAP}
    whole = cv2.warpAffine(mask, matrix, size_wh, **back).clip(0, 1)
    whole[whole <= 0.1] = 0
    length = _length(whole)
    radius, blur = erode_radius(length, 10), blur_side(length, 80)
    if radius > 0:
        whole = cv2.erode(whole, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (radius, radius)))
    if blur > 0:
        whole = cv2.blur(whole, (blur, blur))
    small = cv2.warpAffine(np.asarray(whole, np.float32), matrix, (side, side), flags=cv2.INTER_LINEAR)
    drawn = _reinhard(drawn, np.asarray(crop, np.float32), np.asarray(small, np.float32))
    pasted = cv2.warpAffine(drawn, matrix, size_wh, dst=frame.copy(), borderMode=cv2.BORDER_TRANSPARENT, **back).clip(
        0, 1
    )
    weight = np.asarray(whole, np.float32).clip(0, 1)[..., None]
    return np.asarray((frame * (1 - weight) + pasted * weight).clip(0, 1), np.float32)


@torch.inference_mode()
def _predict(
    crop: NDArray[Any], landmarks: Image, mesh: Image, matrix: NDArray[np.float64], model: Autoencoder, side: int
) -> tuple[Image, Image]:
    """BGR picture and mask of one face."""
    points = guide_points(transform(matrix, landmarks), transform(matrix, mesh).astype(np.float32), side)
    rgb = torch.from_numpy(np.ascontiguousarray(crop[..., ::-1].transpose(2, 0, 1), np.float32))[None]
    drawing, _ = model.swap(Faces(rgb, torch.from_numpy(points)[None]), dst_mask=False)
    assert drawing.mask is not None
    picture = drawing.picture[0].permute(1, 2, 0).numpy()[..., ::-1]
    return np.ascontiguousarray(picture), drawing.mask[0, 0].numpy()


def _length(mask: Image) -> float:
    """Mean side of the boxes above nine thresholds."""
    sides = []
    for threshold in np.linspace(0.1, 0.9, 9):
        ys, xs = np.nonzero(mask > threshold)
        if len(xs) and np.ptp(xs) > 3 and np.ptp(ys) > 3:
            sides.append((np.ptp(xs) + np.ptp(ys)) / 2)
    return float(np.mean(sides)) if sides else 0.0


def _reinhard(content: Image, reference: Image, mask: Image) -> Image:
    """Mean and spread of Lab in 8 bits, masked pixels counted as black."""
    labs = [
        cv2.cvtColor((picture * 255).astype(np.uint8), cv2.COLOR_BGR2LAB).astype(np.float32)
        for picture in (content, reference)
    ]
    seen = [(lab * mask[..., None]).reshape(-1, 3) for lab in labs]
    moved = (labs[0] - seen[0].mean(0)) * (seen[1].std(0) / np.maximum(seen[0].std(0), 1e-6)) + seen[1].mean(0)
    back = cv2.cvtColor(moved.clip(0, 255).astype(np.uint8), cv2.COLOR_LAB2BGR)
    return np.asarray(back, np.float32) / np.float32(255)
