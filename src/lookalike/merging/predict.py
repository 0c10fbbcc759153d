"""Networks as functions of pictures: the numpy door over the tensor door."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from lookalike.models.autoencoder import Faces
from lookalike.models.checkpoint import load_checkpoint, restore_model
from lookalike.models.config import ModelConfig
from lookalike.models.device import choose_compute, choose_device
from lookalike.models.upscaler import load_upscaler


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """What the model draws for one dst face."""

    picture: NDArray[np.float32]
    """(R, R, 3) RGB in [0, 1]."""
    mask: NDArray[np.float32] | None
    """(R, R) in [0, 1]: where src's half sees its face; none if the model does not learn masks."""
    dst_mask: NDArray[np.float32] | None = None
    """(R, R) in [0, 1]: where dst's half sees dst's; none if it was not asked for, too."""


class Predictor:
    """A model ready to swap faces."""

    def __init__(self, folder: Path, device: str = "auto") -> None:
        """Load the model in `folder`, which may lack what only training needs.

        Raises:
            CheckpointError: none there, or unreadable.
        """
        checkpoint = load_checkpoint(folder, to_train=False)
        self._compute = choose_compute(device, checkpoint.state.precision)
        self.config: ModelConfig = checkpoint.state.model
        self._model = restore_model(checkpoint, self._compute.device).eval()

    @torch.inference_mode()
    def swap(
        self, faces: NDArray[np.uint8], points: NDArray[np.float32], *, morph: float = 1.0, dst_mask: bool = True
    ) -> list[Prediction]:
        """Draw src for each dst face.

        Args:
            faces: (B, R, R, 3) uint8 RGB aligned crops.
            points: (B, P, 2) float32 landmarks and irises in [-1, 1].
            morph: how far dst becomes src, 0 to 1, if the model can stop halfway.
            dst_mask: give dst's mask, too.
        """
        device = self._compute.device
        pictures = torch.from_numpy(faces).to(device).permute(0, 3, 1, 2).float() / 255
        with self._compute.autocast():
            shown = pictures.contiguous(memory_format=torch.channels_last)
            drawn, seen = self._model.swap(Faces(shown, torch.from_numpy(points).to(device)), morph, dst_mask)
        drawings = drawn.picture.permute(0, 2, 3, 1).float().cpu().numpy()
        masks, seen_masks = _rows(drawn.mask, len(faces)), _rows(seen, len(faces))
        return [
            Prediction(np.ascontiguousarray(p), mask, dst)
            for p, mask, dst in zip(drawings, masks, seen_masks, strict=True)
        ]


class FaceUpscaler:
    """Twice the pixels of a face. Any number of threads may ask."""

    def __init__(self, device: str = "auto") -> None:
        """Load the network.

        Raises:
            WeightsError: its weights are missing or damaged. ConfigError: no such device.
        """
        self._device = choose_device(device)
        self._network = load_upscaler().to(self._device)

    @torch.inference_mode()
    def __call__(self, face: NDArray[np.float32]) -> NDArray[np.float32]:
        """(2S, 2S, 3) of an (S, S, 3) float32 RGB face in [0, 1]."""
        picture = torch.from_numpy(np.ascontiguousarray(face.transpose(2, 0, 1)))[None].to(self._device)
        large = self._network(picture)[0].permute(1, 2, 0).cpu().numpy()
        return np.ascontiguousarray(large, np.float32)


def _rows(masks: torch.Tensor | None, count: int) -> list[NDArray[np.float32] | None]:
    """(R, R) of each of (B, 1, R, R)."""
    if masks is None:
        return [None] * count
    return list(masks[:, 0].float().cpu().numpy())
