"""Options of training and the presets. Imports no torch."""

from typing import Annotated, Literal

from pydantic import Field

from lookalike.models.config import ModelConfig
from lookalike.options import Options

Preset = Literal["quick", "balanced", "quality"]


class TrainConfig(Options):
    """What may change from one run of a model to the next."""

    iterations: Annotated[int, Field(ge=0)] = 0
    """Stop after so many optimizer steps in all, earlier runs included; 0 means no limit."""
    minutes: Annotated[float, Field(ge=0)] = 0
    """Stop after so many minutes of training in all, earlier runs included; 0 means no limit."""
    batch_size: Annotated[int, Field(ge=1, le=512)] = 8
    """Faces of each person in a step."""
    learning_rate: Annotated[float, Field(gt=0, le=0.1)] = 5e-4
    """Highest step size of Adam; it falls along a cosine to a twentieth when a limit is set."""
    warmup: Annotated[int, Field(ge=0)] = 50
    """Steps over which the rate rises from zero."""
    clip_gradient: Annotated[float, Field(ge=0)] = 1.0
    """Largest norm of the gradient; 0 means no limit."""
    random_flip: bool = False
    """Mirror half of the faces."""
    random_warp: bool = True
    """Bend the input faces, so that the encoder learns the face and not the picture."""
    random_ct: bool = True
    """Give each src face the colours of a random dst face."""
    eyes_mouth: Annotated[float, Field(ge=0, le=100)] = 3.0
    """How many times more eyes and mouth count, beyond the rest of the face."""
    save_seconds: Annotated[float, Field(gt=0)] = 120
    """Time between checkpoints."""
    preview_seconds: Annotated[float, Field(gt=0)] = 120
    """Time between preview pictures."""
    device: str = "auto"
    """cuda, mps, cpu, or auto for the best one here."""
    seed: int = 0
    """Same seed, same data, same machine: same model."""


PRESETS: dict[Preset, tuple[ModelConfig, TrainConfig]] = {
    "quick": (
        ModelConfig(resolution=96, ae_dims=256, encoder_dims=48, decoder_dims=16, res_blocks=1),
        TrainConfig(minutes=10, batch_size=8, learning_rate=1.5e-3),
    ),
    "balanced": (
        ModelConfig(resolution=128, ae_dims=384, encoder_dims=64, decoder_dims=32, res_blocks=1),
        TrainConfig(minutes=240, batch_size=8),
    ),
    "quality": (
        ModelConfig(resolution=256, ae_dims=512, encoder_dims=96, decoder_dims=64, res_blocks=2),
        TrainConfig(iterations=300_000, batch_size=16, learning_rate=2e-4),
    ),
}
"""Sizes of network and run by name."""
