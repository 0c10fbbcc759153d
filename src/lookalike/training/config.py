"""Options of training, what each architecture begins with, and the presets. Imports no torch."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError

from lookalike.errors import ConfigError
from lookalike.models.config import GuidedConfig, ModelConfig, ModelName, SaeConfig, SaehdConfig
from lookalike.options import Options, first_problem

Preset = Literal["quick", "balanced", "quality", "tutorial", "quick96"]
OptimizerName = Literal["adam", "adam-2019", "adabelief", "adabelief-dfl2"]
ColorTransfer = Literal["none", "rct", "lct", "mkl", "idt", "sot"]


def _number(value: Any) -> Any:
    """A choice of numbers as a command line gives it, whose words are all text."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


class TrainConfig(Options):
    """What may change from one run of a model to the next; what is not given stays as it was."""

    iterations: Annotated[int, Field(ge=0)] = 0
    """Stop after so many optimizer steps in all, earlier runs included; 0 means no limit."""
    minutes: Annotated[float, Field(ge=0)] = 0
    """Stop after so many minutes of training in all, earlier runs included; 0 means no limit."""
    batch_size: Annotated[int, Field(ge=1, le=512)] = 8
    """Faces of each person in a step."""
    accumulate: Annotated[int, Field(ge=1, le=64)] = 1
    """Batches whose gradients are added up for one step, where memory does not hold a larger batch."""

    sort_by_yaw: bool = False
    """Draw src's faces so that they look where dst's do, mirrored where src lacks a side."""
    uniform_yaw: bool = False
    """Draw faces of all directions alike, however often each occurs."""
    random_flip: bool = False
    """Mirror faces of both people at random."""
    random_src_flip: bool = False
    """Mirror src's faces at random."""
    random_dst_flip: bool = False
    """Mirror dst's faces at random."""
    random_warp: bool = True
    """Bend the input faces, so that the encoder learns the face and not the picture."""
    src_face_scale: Annotated[float, Field(ge=-30, le=30)] = 0
    """Percent by which src's faces are enlarged."""
    apply_random_ct: ColorTransfer = "none"
    """Give each src face the colours of a random dst face, by this method."""
    random_hsv_power: Annotated[float, Field(ge=0, le=0.3)] = 0
    """How far hue, saturation and value of src's faces are moved at random."""
    random_blur: Annotated[float, Field(ge=0, le=1)] = 0
    """Share of the input faces that are blurred, for a dst that is blurred at times."""

    pixel_loss: bool = False
    """Squared error in place of DSSIM; not before the face is clear, and with --autobackup."""
    masked_training: bool = True
    """Only the face counts, not what is around it."""
    blur_out_mask: bool = False
    """Blur what is around the face in the pictures that the network shall draw."""
    eyes_mouth_prio: bool = False
    """Eyes and mouth count more than the rest of the face."""
    face_style_power: Annotated[float, Field(ge=0, le=100)] = 0
    """Pull colour and light of the swap toward dst's; begin with 0.1, after 10,000 iterations."""
    bg_style_power: Annotated[float, Field(ge=0, le=100)] = 0
    """Pull what is around the swap's face toward dst's."""
    true_face_power: Annotated[float, Field(ge=0, le=1)] = 0
    """Make dst's code look like src's by a discriminator; df alone. 0.01 is a good value."""
    gan_power: Annotated[float, Field(ge=0, le=5)] = 0
    """Judge src's drawings by a patch discriminator, for the last detail; 0.1 is a good value."""
    gan_patch_size: Annotated[int, Field(ge=0, le=640)] = 0
    """Pixels that the discriminator sees at once; 0 for an eighth of the resolution."""
    gan_dims: Annotated[int, Field(ge=4, le=512)] = 16
    """Channels of the discriminator's first stage."""

    optimizer: OptimizerName = "adam"
    """How weights follow their gradients; the forms of 2019 and of DeepFaceLab 2 are there for equal curves."""
    optimizer_mode: Annotated[Literal[1, 2, 3], BeforeValidator(_number)] = 1
    """Where the optimizer's memory lies: 1 on the device, 2 on the host, 3 on the host and computed there."""
    learning_rate: Annotated[float, Field(gt=0, le=0.1)] = 5e-4
    """Highest step size."""
    schedule: Literal["cosine", "constant"] = "cosine"
    """Let the rate fall along a cosine to a twentieth when a limit is set, or leave it."""
    warmup: Annotated[int, Field(ge=0)] = 50
    """Steps over which the rate rises from zero."""
    lr_dropout: bool = False
    """Change only three in ten of the weights at a step, in waves of 500; for the end of a training."""
    clipgrad: bool = False
    """Scale gradients down to a length of 1 where they are longer."""
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.999
    """Decay of the average of the weights that previews and merging use; 0 for none."""
    pretrain: bool = False
    """Pretrain: both sides learn from all faces of --pretrain-faces; the run after it begins with the pair."""

    save_seconds: Annotated[float, Field(gt=0)] = 120
    """Time between checkpoints."""
    preview_seconds: Annotated[float, Field(gt=0)] = 120
    """Time between previews and looks at the faces held out."""
    write_preview_history: bool = False
    """Keep a preview every ten iterations, for the time-lapse, and not only every --preview-seconds."""
    autobackup: bool = False
    """Keep a copy of the model every hour, the last fifteen."""
    held_out: Annotated[float, Field(ge=0, le=0.5)] = 0.04
    """Share of the faces that are not trained on, but show how well the network does with faces it does not know."""
    tensorboard: bool = False
    """Write the losses for TensorBoard, too."""
    device: str = "auto"
    """cuda, mps, cpu, or auto for the best one here."""
    speed: Literal["eager", "compile", "cudagraphs"] = "eager"
    """How the network is run: as it is, compiled by PyTorch, or compiled into CUDA graphs."""
    seed: int = 0
    """Same seed, same data, same machine: same model."""


BEGINNINGS: dict[ModelName, dict[str, Any]] = {
    "guided": {
        "apply_random_ct": "rct",
        "eyes_mouth_prio": True,
        "clipgrad": True,
    },
    "sae": {
        "optimizer": "adam-2019",
        "learning_rate": 5e-5,
        "schedule": "constant",
        "warmup": 0,
        "random_flip": True,
    },
    "saehd": {
        "optimizer": "adabelief",
        "learning_rate": 5e-5,
        "schedule": "constant",
        "warmup": 0,
        "random_dst_flip": True,
    },
    "amp": {
        "optimizer": "adabelief",
        "learning_rate": 5e-5,
        "schedule": "constant",
        "warmup": 0,
        "random_dst_flip": True,
    },
}
"""Options with which a new model of an architecture starts, where they differ from TrainConfig's."""

PRESETS: dict[Preset, tuple[ModelConfig, dict[str, Any]]] = {
    "quick": (
        GuidedConfig(resolution=96, ae_dims=256, e_dims=48, d_dims=16, res_blocks=1),
        {"minutes": 10, "batch_size": 8, "learning_rate": 1.5e-3},
    ),
    "balanced": (
        GuidedConfig(resolution=128, ae_dims=384, e_dims=64, d_dims=32, res_blocks=1),
        {"minutes": 240, "batch_size": 8},
    ),
    "quality": (
        GuidedConfig(resolution=256, ae_dims=512, e_dims=96, d_dims=64, res_blocks=2),
        {"iterations": 300_000, "batch_size": 16, "learning_rate": 2e-4},
    ),
    "tutorial": (
        SaeConfig(resolution=128, multiscale_decoder=True),
        {
            "iterations": 40_000,
            "batch_size": 8,
            "sort_by_yaw": True,
            "random_flip": False,
            "apply_random_ct": "lct",
        },
    ),
    "quick96": (
        SaehdConfig(resolution=96, archi="df-ud", ae_dims=128, e_dims=64, d_dims=64, d_mask_dims=16),
        {"iterations": 100_000, "batch_size": 4, "random_flip": True},
    ),
}
"""Sizes of network and options of a new model by name."""


def beginning(model: ModelName) -> TrainConfig:
    """What a new model of an architecture begins with."""
    return TrainConfig.model_validate(BEGINNINGS[model])


def preset_options(preset: Preset) -> TrainConfig:
    """What a new model of a preset begins with."""
    network, options = PRESETS[preset]
    return changed_options(beginning(network.model), options)


def changed_options(options: TrainConfig, given: dict[str, Any]) -> TrainConfig:
    """Options with some of them changed; a new limit in minutes lifts one in iterations, and the other way round.

    Raises:
        ConfigError: a value that cannot be used.
    """
    limits = {key for key in ("minutes", "iterations") if given.get(key)}
    lifted = dict.fromkeys({"minutes", "iterations"} - given.keys(), 0) if limits else {}
    try:
        return TrainConfig.model_validate(options.model_dump() | lifted | given)
    except ValidationError as exc:
        option, colon, what = first_problem(exc).partition(": ")
        raise ConfigError(f"--{option.replace('_', '-')}{colon}{what}") from exc
