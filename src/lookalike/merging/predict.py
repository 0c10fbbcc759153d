"""A trained model as a function of pictures: the numpy door over the tensor door."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lookalike.models.autoencoder import Faces
from lookalike.models.checkpoint import load_checkpoint, restore_model
from lookalike.models.config import ModelConfig
from lookalike.models.device import choose_compute


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What the model draws for one dst face."""

    picture: NDArray[np.float32]
    """(R, R, 3) RGB in [0, 1]."""
    mask: NDArray[np.float32] | None
    """(R, R) in [0, 1]: where both people's networks see a face; none if the model does not learn masks."""


class Predictor:
    """A model ready to swap faces."""

    def __init__(self, folder: Path, device: str = "auto", morph: float = 1.0) -> None:
        """Load the model in `folder`; `morph` says how far dst becomes src, if it can stop halfway.

        Raises:
            CheckpointError: none there, or unreadable.
        """
        checkpoint = load_checkpoint(folder)
        self._compute = choose_compute(device, checkpoint.state.precision)
        self._morph = morph
        self.config: ModelConfig = checkpoint.state.model
        self.step: int = checkpoint.state.step
        self._model = restore_model(checkpoint, self._compute.device).eval()

    @torch.inference_mode()
    def swap(self, faces: NDArray[np.uint8], points: NDArray[np.float32]) -> list[Prediction]:
        """Draw src for each dst face.

        Args:
            faces: (B, R, R, 3) uint8 RGB aligned crops.
            points: (B, P, 2) float32 landmarks and irises in [-1, 1].
        """
        device = self._compute.device
        pictures = torch.from_numpy(faces).to(device).permute(0, 3, 1, 2).float() / 255
        with self._compute.autocast():
            shown = pictures.contiguous(memory_format=torch.channels_last)
            drawn, seen = self._model.swap(Faces(shown, torch.from_numpy(points).to(device)), self._morph)
        drawings = drawn.picture.permute(0, 2, 3, 1).cpu().numpy()
        if drawn.mask is None or seen is None:
            return [Prediction(np.ascontiguousarray(drawing), None) for drawing in drawings]
        masks = (drawn.mask * seen)[:, 0].cpu().numpy()
        return [
            Prediction(np.ascontiguousarray(p), np.ascontiguousarray(m)) for p, m in zip(drawings, masks, strict=True)
        ]
