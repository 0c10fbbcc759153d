"""A mask network given as a file: what of a face is face, and what is in front of it."""

from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ExtraMissingError, WeightsError
from lookalike.options import FaceType, Geometry

_SIDE = 256


class MaskNetwork:
    """An ONNX network: an aligned face in, its mask out. Any number of threads may ask."""

    face_type: FaceType = "full"
    """How the faces it sees are aligned: as DeepFaceLab's FANSeg saw them."""
    geometry: Geometry | None = None
    precision: Literal["float32", "bfloat16"] | None = None

    def __init__(self, path: Path) -> None:
        """Load the network.

        Args:
            path: ONNX with one picture as input, (1, 3, S, S) or (1, S, S, 3), RGB in [0, 1], S = 256 if it is left
                open; its first output holds S x S numbers in [0, 1], 1 where the face is. If the file's metadata
                says `channels = bgr`, it gets B, G, R.

        Raises:
            ExtraMissingError: ONNX Runtime is not installed.
            WeightsError: no such file, or another kind of network.
        """
        try:
            import onnxruntime
        except ImportError as exc:
            raise ExtraMissingError("--mask-network needs ONNX Runtime; pip install 'lookalike[onnx]'") from exc
        if not path.is_file():
            raise WeightsError(f"{path} does not exist; give a file of weights or an ONNX file with --mask-network")
        try:
            self._session: Any = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception as exc:  # its errors have no common base but this one
            raise WeightsError(f"{path} is no ONNX network that can be read ({str(exc).splitlines()[0]})") from exc
        inputs = self._session.get_inputs()
        shape = list(inputs[0].shape)
        if len(inputs) != 1 or len(shape) != 4 or 3 not in (shape[1], shape[3]):
            found = ", ".join(str(tuple(one.shape)) for one in inputs)
            raise WeightsError(f"{path} takes {found}, not one picture of (1, 3, S, S) or (1, S, S, 3)")
        self._input, self._path = inputs[0].name, path
        self.name: str = path.name
        self._planar = shape[1] == 3
        side = shape[2]
        self.side: int = side if isinstance(side, int) and side > 0 else _SIDE
        metadata = self._session.get_modelmeta().custom_metadata_map
        self._bgr = metadata.get("channels", "rgb").lower() == "bgr"

    def mask(
        self, face: NDArray[np.uint8] | NDArray[np.float32], landmarks: NDArray[np.floating] | None = None
    ) -> NDArray[np.float32]:
        """(S, S) float32 in [0, 1] for an (H, W, 3) RGB face, uint8 or float in [0, 1]; landmarks are not asked for.

        Raises:
            WeightsError: the network gives something else than a mask.
        """
        picture = np.asarray(face, np.float32) / np.float32(255 if face.dtype == np.uint8 else 1)
        if len(picture) != self.side:
            picture = np.asarray(cv2.resize(picture, (self.side, self.side), interpolation=cv2.INTER_AREA), np.float32)
        if self._bgr:
            picture = picture[..., ::-1]
        batch = np.ascontiguousarray(picture.transpose(2, 0, 1) if self._planar else picture)[None]
        output = np.asarray(self._session.run(None, {self._input: batch})[0], np.float32)
        if output.size != self.side**2:
            raise WeightsError(f"{self._path} gives {output.shape}, not one mask of {self.side} x {self.side}")
        return output.reshape(self.side, self.side).clip(0, 1)
