"""Options of merging. Imports no numpy."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from lookalike.options import Options

Mode = Literal[
    "overlay",
    "hist-match",
    "hist-match-bw",
    "seamless",
    "seamless-hist-match",
    "raw-rgb",
    "raw-rgb-mask",
    "raw-mask",
    "raw-predict",
]
MaskName = Literal[
    "learned*seg",
    "learned-prd*face",
    "face",
    "hull",
    "learned-prd",
    "learned-dst",
    "learned-prd*dst",
    "learned-prd+dst",
    "seg-prd",
    "seg-dst",
    "seg-prd*seg-dst",
    "learned*seg-prd*seg-dst",
]
ColorTransfer = Literal["none", "rct", "lct", "mkl", "mkl-m", "idt", "idt-m", "sot-m", "mix-m"]


class MergeConfig(Options):
    """How a drawn face is laid into its frame; may differ from shot to shot."""

    mode: Mode = "overlay"
    """overlay, or seamless (Poisson) cloning, with or without a match of histograms; raw-* for other programs."""
    mask: MaskName = "learned*seg"
    """Where the drawn face shows: by what was learned of src (prd) or dst, a network that leaves out what is in
    front of the face (seg), dst's outline (hull), that without dark hair (face)."""
    erode: Annotated[float, Field(ge=-200, le=200)] = 10
    """Shrink the mask (grow it when negative); 100 is about a tenth of the face."""
    blur: Annotated[float, Field(ge=0, le=400)] = 80
    """Soften the mask's edge, inward; 100 is a tenth of the face."""
    clip_sides: Annotated[float, Field(ge=0, le=25)] = 0
    """Percent of the crop's width that the mask leaves out at its left and right; 6.25 in DeepFaceLab."""
    scale: Annotated[float, Field(ge=-50, le=50)] = 0
    """Percent by which the face is drawn larger, or smaller."""
    color_transfer: ColorTransfer = "rct"
    """Bring the drawn face to the colours of the face it replaces; -m counts only what the mask shows, as rct does."""
    hist_match_threshold: Annotated[float, Field(ge=0, le=255)] = 255
    """Brightest code that a match of histograms reaches."""
    masked_hist_match: bool = True
    """Match histograms of what the mask shows only."""
    morph_factor: Annotated[float, Field(ge=0, le=1)] = 1.0
    """How far dst becomes src; only the model amp can stop halfway."""
    super_resolution: Annotated[float, Field(ge=0, le=100)] = 0
    """Percent of an upscaled face that is mixed in: twice the pixels, with detail that a network makes up."""
    sharpen: Annotated[float, Field(ge=0, le=300)] = 40
    """Percent of unsharp masking on the drawn face, with a radius that follows its enlargement."""
    motion_blur: Annotated[float, Field(ge=0, le=100)] = 0
    """Blur the face along its way; 100 is as far as it moves in a frame."""
    denoise: Annotated[float, Field(ge=0, le=500)] = 0
    """Smooth the whole frame around the face by a median of 5 pixels; 100 is one round."""
    degrade_bicubic: Annotated[float, Field(ge=0, le=100)] = 0
    """Make the whole frame around the face smaller by this percentage and enlarge it again."""
    degrade_color: Annotated[float, Field(ge=0, le=100)] = 0
    """Percent of a picture of 256 colours that is mixed into the whole frame."""


class MergeRun(Options):
    """What holds for a whole merge."""

    stabilize: bool = True
    """Smooth landmarks, masks and colours over time; never across a cut."""
    mask_network: Path | None = None
    """Weights of train --model xseg, or an ONNX file, for the masks with seg; the workspace's own or the generic ones
    if left out. What mask apply wrote into a face of dst counts before."""
    alpha: bool = False
    """Write the mask as alpha, over the unblended face: PNG, or a video of prores or ffv1."""
    masks: bool = False
    """Write the masks as images into data_dst/merged_mask, too."""
    patches: bool = False
    """Write each drawn face with its mask and its matrix into data_dst/merged_patches, too."""
    people: str | None = None
    """Which model draws whom, such as 0=alice,1=bob; others stay as they are. Needs extract --all-people."""
    label: Annotated[str, Field(max_length=60)] = ""
    """Words drawn into the corner of every frame, such as "AI-generated"."""
    halo: bool = False
    """Draw a soft bright edge around every replaced face, so that whoever watches sees which are."""
    device: str = "auto"
    """cuda, mps, cpu, or auto for the best one here."""

    @field_validator("label")
    @classmethod
    def _is_a_line(cls, text: str) -> str:
        if not text.isprintable():
            raise ValueError("a label is one line of letters, digits and signs")
        return text.strip()
