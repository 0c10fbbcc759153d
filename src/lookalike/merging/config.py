"""Options of merging. Imports no numpy."""

from typing import Annotated, Literal

from pydantic import Field

from lookalike.options import Options


class MergeConfig(Options):
    """How the drawn face is laid into the frame."""

    mask: Literal["learned", "hull", "learned*hull"] = "learned*hull"
    """Where the drawn face shows: as both networks see it, the outline of dst's points, or where both agree."""
    erode: Annotated[float, Field(ge=-200, le=200)] = 10
    """Shrink the mask (grow it when negative); 100 is about a tenth of the face."""
    blur: Annotated[float, Field(ge=0, le=400)] = 80
    """Soften the mask's edge, inward; 100 is a tenth of the face."""
    color_transfer: Literal["none", "rct"] = "rct"
    """Bring the drawn face to the colours of the face it replaces."""
    morph_factor: Annotated[float, Field(ge=0, le=1)] = 1.0
    """How far dst becomes src; only the model amp can stop halfway."""
    sharpen: Annotated[float, Field(ge=0, le=300)] = 40
    """Percent of unsharp masking on the drawn face, with a radius that follows its enlargement."""
    device: str = "auto"
    """cuda, mps, cpu, or auto for the best one here."""
