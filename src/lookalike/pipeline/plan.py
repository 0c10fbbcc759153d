"""What a run of training begins with: sizes and options out of a preset, of what is stored, and of what is asked for.

Imports no torch.
"""

from typing import Any

from lookalike.models.choice import base_sizes
from lookalike.models.config import ModelConfig, ModelName, model_config
from lookalike.training.config import PRESETS, Preset, TrainConfig, beginning, changed_options


def new_training(
    preset: Preset | None, sizes: dict[str, Any], changes: dict[str, Any]
) -> tuple[ModelConfig, TrainConfig]:
    """Sizes and options of a new model: the preset's (balanced if left out), then what was given.

    Raises:
        ConfigError: an option that cannot be used.
    """
    network, options = PRESETS[preset or "balanced"]
    config = model_config(base_sizes(network, sizes.get("model")) | sizes)
    begun = beginning(config.model)
    if config.model == network.model:
        begun = changed_options(begun, options)
    return config, changed_options(begun, changes)


def next_options(
    model: ModelName, stored: dict[str, Any], preset: Preset | None, changes: dict[str, Any]
) -> TrainConfig:
    """Options of the next run of a model that is there: those stored with it, then a preset's, then what was given.

    Raises:
        ConfigError: an option that cannot be used.
    """
    options = changed_options(beginning(model), stored)
    if preset and PRESETS[preset][0].model == model:
        options = changed_options(options, PRESETS[preset][1])
    return changed_options(options, changes)
