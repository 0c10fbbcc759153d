"""The size of a network. Imports no torch, so that the command line can read it quickly."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from lookalike.options import FaceType, Geometry, Options, geometry_of


class ModelConfig(Options):
    """What fixes the weights' shapes; it stays as it is for the life of a model."""

    archi: Literal["df"] = "df"
    """Architecture: df has one encoder for both people and a decoder for each."""
    resolution: Annotated[int, Field(ge=32, le=512, multiple_of=16)] = 128
    """Side of the face the network sees and draws, in pixels."""
    face_type: FaceType = "full"
    """How much around the face is seen."""
    geometry: Geometry | None = None
    """Whose formula places the crop; if left out, the first that has the face type."""
    ae_dims: Annotated[int, Field(ge=16, le=2048)] = 256
    """Width of the bottleneck."""
    encoder_dims: Annotated[int, Field(ge=4, le=256)] = 64
    """Channels after the encoder's first stage; they double at each of the next three."""
    decoder_dims: Annotated[int, Field(ge=2, le=256)] = 32
    """Channels for each unit of the decoder's widths, which are 8, 4 and 2 units."""
    guide: bool = True
    """Tell the bottleneck where the landmarks are; expressions are then learnt several times sooner."""
    res_blocks: Annotated[int, Field(ge=0, le=4)] = 1
    """Residual blocks after each of the decoder's first two stages."""

    @model_validator(mode="after")
    def _has_face_type(self) -> Self:
        geometry_of(self.face_type, self.geometry)
        return self
