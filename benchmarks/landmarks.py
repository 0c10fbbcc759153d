"""How much the landmarks of a still face shimmer: their spread over tiny changes of one picture."""

import io
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.color import picture_to_rgb8
from lookalike.faces import FaceFinder
from lookalike.geometry import invert, transform
from lookalike.sample import load_portraits
from lookalike.video import probe, read_frames
from measure import arguments, finish

_CHANGES = 24
_STILLS = 9
_DEGREES, _SCALE, _SHIFT, _NOISE, _QUALITY = 1.0, 0.01, 2.0, 2.0, 90
"""Largest turn, enlargement and shift (pixels); deviation of the noise (of 255); JPEG quality."""


def main() -> None:
    parser = arguments("landmarks")
    parser.add_argument("--video", type=Path, nargs="*", default=[], help="take stills of these; else the portraits")
    parser.add_argument("--detector", default="yunet")
    parser.add_argument("--landmarks", default="mesh")
    given = parser.parse_args()
    finder = FaceFinder(detector=given.detector, landmarker=given.landmarks)
    rows = [spread(finder, still, seed) for seed, still in enumerate(stills(given.video))]
    inner, jaw, eyes = (float(np.mean(column)) for column in zip(*rows, strict=True))
    figures = {
        "detector": given.detector,
        "landmarks": given.landmarks,
        "stills": len(rows),
        "changes": _CHANGES,
        "spread_percent_of_eye_distance": {"inner": inner, "jaw": jaw, "eyes": eyes},
        "largest_inner": float(max(row[0] for row in rows)),
    }
    finish("landmarks", figures, given)


def stills(videos: list[Path]) -> Iterator[NDArray[np.uint8]]:
    """(H, W, 3) uint8 RGB pictures."""
    if not videos:
        yield from (portrait.image for portrait in load_portraits())
        return
    each = max(1, _STILLS // len(videos))
    for path in videos:
        count = probe(path).frame_count
        for place in range(each):
            index = (2 * place + 1) * count // (2 * each)
            frame = next(read_frames(path, index, index + 1))
            yield picture_to_rgb8(frame.picture)


def spread(finder: FaceFinder, still: NDArray[np.uint8], seed: int) -> tuple[float, float, float]:
    """Deviation of the landmarks over changed copies, mapped back: of 17..67, of the jaw, of the eyes.

    In per cent of the distance between the outer corners of the eyes; root of the mean over x and y, mean over points.
    """
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(_CHANGES):
        picture, matrix = changed(still, rng)
        faces = finder.find(picture)
        if faces:
            found.append(transform(invert(matrix), faces[0].landmarks))
    points = np.array(found)
    unit = np.linalg.norm(points[:, 36] - points[:, 45], axis=1).mean()
    deviation = np.sqrt(points.var(0).mean(1)) / unit * 100
    return float(deviation[17:].mean()), float(deviation[:17].mean()), float(deviation[36:48].mean())


def changed(still: NDArray[np.uint8], rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """A copy turned, enlarged and shifted a little, with noise and JPEG's damage; and the matrix from the still."""
    height, width = still.shape[:2]
    angle = rng.uniform(-_DEGREES, _DEGREES)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1 + rng.uniform(-_SCALE, _SCALE))
    matrix = np.asarray(turn, np.float64)
    matrix[:, 2] += rng.uniform(-_SHIFT, _SHIFT, 2)
    moved = cv2.warpAffine(still, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    noisy = np.clip(moved + rng.normal(0, _NOISE, moved.shape), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noisy).save(buffer, "JPEG", quality=_QUALITY)
    return np.asarray(Image.open(buffer).convert("RGB")), matrix


if __name__ == "__main__":
    main()
