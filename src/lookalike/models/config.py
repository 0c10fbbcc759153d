"""Sizes of the networks, a class for each architecture. Imports no torch, so that the command line reads it quickly."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from lookalike.errors import ConfigError
from lookalike.options import FaceType, Geometry, Options, first_problem, geometry_of, shown

ModelName = Literal["guided", "sae", "saehd", "amp"]


class ModelConfig(Options):
    """What fixes the weights' shapes; it stays as it is for the life of a model."""

    model: ModelName
    """Architecture."""
    resolution: Annotated[int, Field(ge=32, le=640, multiple_of=16)] = 128
    """Side of the face the network sees and draws, in pixels."""
    face_type: FaceType = "full"
    """How much around the face is seen."""
    geometry: Geometry | None = None
    """Whose formula places the crop; if left out, the first that has the face type."""

    @model_validator(mode="after")
    def _has_face_type(self) -> Self:
        geometry_of(self.face_type, self.geometry)
        return self


class GuidedConfig(ModelConfig):
    """df whose bottleneck is told where the landmarks are; Lookalike's own."""

    model: Literal["guided"] = "guided"
    ae_dims: Annotated[int, Field(ge=16, le=2048)] = 256
    """Width of the bottleneck."""
    e_dims: Annotated[int, Field(ge=4, le=256)] = 64
    """Channels after the encoder's first stage; they double at each of the next three."""
    d_dims: Annotated[int, Field(ge=2, le=256)] = 32
    """Channels for each unit of the decoder's widths, which are 8, 4 and 2 units."""
    guide: bool = True
    """Tell the bottleneck where the landmarks are; expressions are then learnt several times sooner."""
    res_blocks: Annotated[int, Field(ge=0, le=4)] = 1
    """Residual blocks after each of the decoder's first two stages."""


class SaeConfig(ModelConfig):
    """The styled autoencoder of DeepFaceLab (2019), layer by layer."""

    model: Literal["sae"] = "sae"
    resolution: Annotated[int, Field(ge=32, le=512, multiple_of=16)] = 128
    archi: Literal["df", "liae"] = "df"
    """df has a decoder for each person; liae one decoder and two parts of the code."""
    ae_dims: Annotated[int, Field(ge=16, le=1024)] = 512
    """Width of the bottleneck; df 512 and liae 256 if left out."""
    e_ch_dims: Annotated[int, Field(ge=2, le=85)] = 42
    """Encoder channels for each channel of the picture, after the first stage."""
    d_ch_dims: Annotated[int, Field(ge=1, le=85)] = 21
    """Decoder channels for each channel of the picture; half of the encoder's if left out."""
    learn_mask: bool = True
    """Learn the mask, too, with a decoder of its own."""
    multiscale_decoder: bool = False
    """Draw and judge the picture at half and quarter size as well."""
    ca_weights: bool = False
    """Begin with convolution-aware weights."""

    @model_validator(mode="before")
    @classmethod
    def _follow(cls, value: Any) -> Any:
        """Defaults that depend on other options."""
        if isinstance(value, dict):
            value = dict(value)
            value.setdefault("ae_dims", 256 if value.get("archi") == "liae" else 512)
            if isinstance(value.get("e_ch_dims"), int):
                value.setdefault("d_ch_dims", value["e_ch_dims"] // 2)
        return value


class SaehdConfig(ModelConfig):
    """SAEHD of DeepFaceLab 2, whose weights fit."""

    model: Literal["saehd"] = "saehd"
    archi: str = "liae-ud"
    """df or liae, then after a dash any of u (code of unit length), d (drawn at twice the side at equal cost),
    t (deeper encoder and decoder), c (cosine activation)."""
    ae_dims: Annotated[int, Field(ge=16, le=1024)] = 256
    """Width of the bottleneck."""
    e_dims: Annotated[int, Field(ge=4, le=256)] = 64
    """Channels after the encoder's first stage."""
    d_dims: Annotated[int, Field(ge=4, le=256)] = 64
    """Channels for each unit of the decoder's widths."""
    d_mask_dims: Annotated[int, Field(ge=4, le=256)] = 22
    """The same for the mask's decoder."""

    @model_validator(mode="after")
    def _known_archi(self) -> Self:
        if not re.fullmatch(r"(df|liae)(-(?!.*(.).*\3)[udtc]+)?", self.archi):
            raise ValueError(f"archi is df or liae, and after a dash any of u, d, t, c; got {self.archi}")
        if "d" in self.variant and self.resolution % 32:
            near = max(32, round(self.resolution / 32) * 32)
            raise ValueError(f"resolution must be a multiple of 32 with -d, got {self.resolution}; try {near}")
        return self

    @property
    def variant(self) -> str:
        """Letters of the variant, without the dash."""
        return self.archi.partition("-")[2]


class AmpConfig(ModelConfig):
    """AMP of DeepFaceLab 2, whose weights fit: how far src is put in is chosen at merge."""

    model: Literal["amp"] = "amp"
    resolution: Annotated[int, Field(ge=32, le=640, multiple_of=32)] = 224
    ae_dims: Annotated[int, Field(ge=16, le=1024)] = 256
    """Width of the bottleneck."""
    inter_dims: Annotated[int, Field(ge=16, le=2048)] = 1024
    """Channels of the code, which each person has a part of."""
    e_dims: Annotated[int, Field(ge=4, le=256)] = 64
    """Channels after the encoder's first stage."""
    d_dims: Annotated[int, Field(ge=4, le=256)] = 64
    """Channels for each unit of the decoder's widths."""
    d_mask_dims: Annotated[int, Field(ge=4, le=256)] = 22
    """The same for the mask's decoder."""


MODELS: dict[ModelName, type[ModelConfig]] = {
    "guided": GuidedConfig,
    "sae": SaeConfig,
    "saehd": SaehdConfig,
    "amp": AmpConfig,
}


def model_config(sizes: dict[str, Any]) -> ModelConfig:
    """The sizes of an architecture, checked; `sizes["model"]` names it, what is left out has its default.

    Raises:
        ConfigError: no such architecture, an option that it does not have, or a value that it cannot take.
    """
    name = sizes.get("model")
    kind = next((kind for known, kind in MODELS.items() if known == name), None)
    if kind is None:
        raise ConfigError(f"there is no model {shown(name)}; choose one of {', '.join(MODELS)}")
    foreign = [key for key in sizes if key not in kind.model_fields]
    if foreign:
        raise ConfigError(
            f"--{shown(foreign[0]).replace('_', '-')} is no option of the model {sizes['model']}; "
            f"it has {', '.join(sorted(kind.model_fields.keys() - {'model'}))}"
        )
    try:
        return kind.model_validate(sizes)
    except ValidationError as exc:
        option, colon, what = first_problem(exc).partition(": ")
        problem = f"--{option.replace('_', '-')}{colon}{what}" if option in kind.model_fields else option + colon + what
        raise ConfigError(problem) from exc
