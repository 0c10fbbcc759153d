"""Architectures by name. A new one is a file and a line here."""

from collections.abc import Callable

import torch

from lookalike.models.blocks import initialise
from lookalike.models.config import ModelConfig
from lookalike.models.df import DF, build_df

ARCHITECTURES: dict[str, Callable[[ModelConfig], DF]] = {"df": build_df}


def build_model(config: ModelConfig, seed: int = 0) -> DF:
    """A network with weights that depend on nothing but `config` and `seed`."""
    model = ARCHITECTURES[config.archi](config)
    initialise(model, torch.Generator().manual_seed(seed))
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def parameter_count(model: torch.nn.Module) -> int:
    """Numbers that training changes."""
    return sum(p.numel() for p in model.parameters())
