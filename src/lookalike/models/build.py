"""Architectures by name. A new one is a file and a line here, and its sizes a class in config.py."""

from collections.abc import Callable
from typing import Any

import torch

from lookalike.models.amp import build_amp
from lookalike.models.autoencoder import Autoencoder
from lookalike.models.aware import begin_aware
from lookalike.models.blocks import initialise
from lookalike.models.config import ModelConfig, ModelName
from lookalike.models.guided import build_guided
from lookalike.models.sae import build_sae
from lookalike.models.saehd import build_saehd

ARCHITECTURES: dict[ModelName, Callable[[Any], Autoencoder]] = {
    "guided": build_guided,
    "sae": build_sae,
    "saehd": build_saehd,
    "amp": build_amp,
}


def build_model(config: ModelConfig, seed: int = 0) -> Autoencoder:
    """A network with weights that depend on nothing but `config` and `seed`."""
    with torch.device("meta"):  # torch would draw weights of its own, to be thrown away
        model = ARCHITECTURES[config.model](config)
    model = model.to_empty(device="cpu")
    begin(model, config, torch.Generator().manual_seed(seed))
    return model.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def shapes_of(config: ModelConfig) -> dict[str, torch.Size]:
    """The shape of every weight of a network, which takes no memory for them."""
    with torch.device("meta"):
        return {name: value.shape for name, value in ARCHITECTURES[config.model](config).state_dict().items()}


def begin(module: torch.nn.Module, config: ModelConfig, generator: torch.Generator) -> None:
    """Give a network, or a part of it, the weights that one of its architecture begins with."""
    initialise(module, generator)
    if getattr(config, "ca_weights", False):
        begin_aware(module, generator)


def parameter_count(model: torch.nn.Module) -> int:
    """Numbers that training changes."""
    return sum(p.numel() for p in model.parameters())
