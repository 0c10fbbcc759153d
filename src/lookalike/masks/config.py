"""Options of masks. Imports no numpy."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from lookalike.options import Options


class MaskTrainConfig(Options):
    """How a mask network is trained."""

    iterations: Annotated[int, Field(ge=1)] = 600
    """Optimizer steps."""
    batch_size: Annotated[int, Field(ge=2, le=256)] = 16
    """Examples in a step."""
    learning_rate: Annotated[float, Field(gt=0, le=0.1)] = 5e-4
    """Highest step size; it falls along a cosine."""
    covered: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Share of the examples with something drawn before the face."""
    pool: Annotated[int, Field(ge=16)] = 512
    """Examples kept in memory and drawn from."""
    reuse: Annotated[int, Field(ge=1, le=64)] = 4
    """How often an example is drawn before it is replaced, on the average."""
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.99
    """Decay of the average of the weights that is kept."""
    seed: int = 0
    """Same seed, same faces, same machine: same network."""
    device: str = "auto"
    """cuda, mps, cpu, or auto for the best one here."""


MASK_OPTIONS = ("iterations", "batch_size", "learning_rate", "ema", "seed", "device")
"""Those of `train` that a mask network has, too."""


class MaskApply(Options):
    """Which network says what of a face is seen."""

    network: Path | None = None
    """Weights of train --model xseg, or an ONNX file; the workspace's own or the generic ones if left out."""
    device: str = "auto"
    """cuda, mps, cpu, or auto for the best one here."""
