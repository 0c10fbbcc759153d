"""Explicit pictures by Yahoo's open_nsfw, through OpenCV."""

import hashlib
from importlib.resources import files
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.errors import WeightsError

_FILE: Final = "open_nsfw_float16.onnx"
_SHA256: Final = "d3fd8a0306c0c912e616f42ede426d1d0a69be27a9f5275b442215e7713ef773"
_REDUCED: Final = 256
_SIDE: Final = 224
_MEAN_BGR: Final = np.array([104, 117, 123], np.float32)


class OpenNsfw:
    """How sure the network is that a picture is pornographic.

    A ResNet-50 of half width that Yahoo trained on its own pictures and published in 2016 (BSD-2-Clause). The picture
    is squeezed into a square of 256 pixels and its middle 224 are looked at, as `classify_nsfw.py` of
    github.com/yahoo/open_nsfw does.
    """

    name = "open-nsfw"
    sha256 = _SHA256
    threshold = 0.8
    """From here on a picture is "highly probable to be NSFW", by its README."""
    long_side = 512
    mistakes_faces = True

    def __init__(self) -> None:
        """Nothing is loaded yet."""
        self._net: Any = None

    def scores(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N,) float32 in [0, 1] of (N, H, W, 3) uint8 RGB; see `Checker`.

        Raises:
            WeightsError: the weights are not those that were shipped.
        """
        if self._net is None:
            self._net = _loaded()
        found = np.zeros(len(rgb), np.float32)
        for number, picture in enumerate(rgb):
            self._net.setInput(_prepared(picture))
            found[number] = self._net.forward()[0, 1]
        return found.clip(0, 1)


def _prepared(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(1, 224, 224, 3) B, G, R less their means."""
    square = np.asarray(Image.fromarray(picture).resize((_REDUCED, _REDUCED), Image.Resampling.BILINEAR))
    edge = (_REDUCED - _SIDE) // 2
    middle = square[edge : edge + _SIDE, edge : edge + _SIDE, ::-1].astype(np.float32)
    return np.ascontiguousarray(middle - _MEAN_BGR)[None]


def _loaded() -> Any:
    weights = files("lookalike.content") / "weights" / _FILE
    try:
        data = weights.read_bytes()
    except OSError as exc:
        raise WeightsError(f"{weights} cannot be read ({exc.strerror}); install Lookalike again") from exc
    if hashlib.sha256(data).hexdigest() != _SHA256:
        raise WeightsError(f"{weights} is not the file that was shipped; install Lookalike again")
    return cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
