"""XSeg of DeepFaceLab 2, imported, as a function of pictures."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lookalike.errors import WeightsError
from lookalike.models.device import Precision, choose_compute
from lookalike.models.dfl_xseg import SIDE, load_dfl_xseg
from lookalike.options import FaceType, Geometry, geometry_of

_FLOOR = 0.1
"""What it is less sure of counts as not seen, as in DeepFaceLab."""


class DflXsegSegmenter:
    """An imported XSeg; see Segmenter."""

    side = SIDE
    geometry: Geometry | None = "dfl2"
    face_type: FaceType

    def __init__(self, path: Path, device: str = "auto", precision: Precision | None = None) -> None:
        """Load the weights of a file that `import` made; see XsegSegmenter.

        Raises:
            WeightsError: missing, damaged, or another network's. ConfigError: no such device.
        """
        network, facts = load_dfl_xseg(path)
        self.face_type = _face_type(facts.get("face_type", ""), path)
        self._compute = choose_compute(device, precision)
        self.precision: Precision | None = self._compute.precision
        self._network = network.eval().requires_grad_(False).to(self._compute.device)
        self.name = "XSeg of DeepFaceLab"

    @torch.inference_mode()
    def mask(
        self, face: NDArray[np.uint8] | NDArray[np.float32], landmarks: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """See Segmenter; the landmarks are not looked at."""
        unit = np.float32(255 if face.dtype == np.uint8 else 1)
        seen = torch.from_numpy((face.astype(np.float32) / unit).transpose(2, 0, 1).copy())[None]
        mask = self._network(seen.to(self._compute.device))[0, 0].cpu().numpy()
        return np.where(mask < _FLOOR, np.float32(0), mask).astype(np.float32)


def _face_type(name: str, path: Path) -> FaceType:
    for known in ("half", "mid-full", "full", "whole", "head"):
        if name == known:
            geometry_of(known, "dfl2")
            return known
    raise WeightsError(f"{path} says of no known face type that it was trained on it; import it again")
