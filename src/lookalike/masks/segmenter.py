"""A mask network as a function of pictures: the numpy door over the tensor door."""

from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from lookalike.faceset import FaceRecord
from lookalike.faceset.masks import moved_mask
from lookalike.geometry import align_matrix, between, transform
from lookalike.landmarks import hull_mask
from lookalike.masks.dfl_segmenter import DflXsegSegmenter
from lookalike.masks.onnx_network import MaskNetwork
from lookalike.models.device import Precision, choose_compute
from lookalike.models.dfl_xseg import is_dfl_xseg
from lookalike.models.xseg import SIDE, fused, load_xseg
from lookalike.options import FaceType, Geometry

Mask = NDArray[np.float32]


class Segmenter(Protocol):
    """Says what of a face is seen. Any number of threads may ask."""

    name: str
    """For the record of a face and for messages."""
    face_type: FaceType
    """How the faces it sees are aligned."""
    geometry: Geometry | None
    """By whose formula; None for the first that knows the face type."""
    side: int
    """Pixels of the face it sees."""
    precision: Precision | None
    """How exactly it is computed, where that was chosen; another process chooses the same if it is told."""

    def mask(self, face: NDArray[np.uint8] | NDArray[np.float32], landmarks: NDArray[np.floating]) -> Mask:
        """(S, S) float32 in [0, 1], 1 where the face is seen, for an (S, S, 3) RGB face, uint8 or float in [0, 1].

        Args:
            face: aligned, of its side and face type.
            landmarks: (68, 2) in pixels of the face.
        """
        ...


class XsegSegmenter:
    """Our own network."""

    face_type: FaceType = "whole"
    geometry: Geometry | None = None
    side = SIDE

    def __init__(self, path: Path, device: str = "auto", precision: Precision | None = None) -> None:
        """Load the weights of a file; they are computed with the precision given, or the faster one.

        Raises:
            WeightsError: missing, damaged, or another network's. ConfigError: no such device.
        """
        network, facts = load_xseg(path)
        self._compute = choose_compute(device, precision)
        self.precision: Precision | None = self._compute.precision
        self._network = fused(network.to(self._compute.device))
        self.name = f"xseg {facts['size']} {facts.get('trained', '')}".strip()

    @torch.inference_mode()
    def mask(self, face: NDArray[np.uint8] | NDArray[np.float32], landmarks: NDArray[np.floating]) -> Mask:
        """See Segmenter."""
        unit = np.float32(255 if face.dtype == np.uint8 else 1)
        outline = hull_mask(landmarks, (SIDE, SIDE)).astype(np.float32)
        seen = torch.from_numpy(np.dstack([face.astype(np.float32) / unit, outline]).transpose(2, 0, 1))[None]
        with self._compute.autocast():
            logits = self._network(seen.to(self._compute.device, memory_format=torch.channels_last))
        return np.asarray(torch.sigmoid(logits[0, 0].float()).cpu().numpy(), np.float32)


def open_segmenter(network: Path, device: str = "auto", precision: Precision | None = None) -> Segmenter:
    """The network of a file: ONNX by its name, ours or an imported XSeg by what it holds.

    Args:
        precision: how exactly it is computed, if that can be chosen; None for the faster one here.

    Raises:
        WeightsError: it cannot be read. ExtraMissingError: ONNX Runtime is needed and not installed.
        ConfigError: no such device.
    """
    if _is_onnx(network):
        return MaskNetwork(network)
    kind = DflXsegSegmenter if is_dfl_xseg(network) else XsegSegmenter
    return kind(network, device, precision)


def precision_of(network: Path, device: str = "auto") -> Precision | None:
    """What `open_segmenter` would choose, without loading anything; None where it has no choice.

    Raises:
        ConfigError: no such device.
    """
    return None if _is_onnx(network) else choose_compute(device).precision


def _is_onnx(network: Path) -> bool:
    return network.suffix.lower() == ".onnx"


def seen_of(segmenter: Segmenter, image: NDArray[np.uint8], record: FaceRecord) -> Mask:
    """What a network sees of an aligned face: (S, S) float32 in [0, 1] over the (S, S, 3) image."""
    side = segmenter.side
    there = align_matrix(record.landmarks_array(), side, segmenter.face_type, segmenter.geometry)
    method = cv2.INTER_AREA if record.size > side else cv2.INTER_LINEAR
    through = between(record.matrix_array(), there)
    crop = cv2.warpAffine(image, through, (side, side), flags=method, borderMode=cv2.BORDER_CONSTANT)
    mask = segmenter.mask(np.asarray(crop, np.uint8), transform(there, record.landmarks_array()))
    return moved_mask(mask, there, record.matrix_array(), record.size)
