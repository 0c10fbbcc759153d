"""How a video is encoded. Imports neither the media library nor numpy: the command line reads this for its help."""

from typing import Final, Literal

from pydantic import Field, model_validator

from lookalike.options import Options

CodecName = Literal["h264", "h265", "av1", "vp9", "prores", "ffv1"]
StoredChroma = Literal["same", "444", "rgb"]
HardwareName = Literal["nvenc", "qsv", "videotoolbox", "amf", "vaapi"]
HardwareChoice = Literal["off", "auto", "nvenc", "qsv", "videotoolbox", "amf", "vaapi"]

_X26_PRESETS: Final = (
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo",
)  # fmt: skip

_CRF_TOP: Final[dict[CodecName, int]] = {"h264": 51, "h265": 51, "av1": 63, "vp9": 63}

_PRESETS: Final[dict[CodecName, tuple[str, ...]]] = {
    "h264": _X26_PRESETS,
    "h265": _X26_PRESETS,
    "av1": tuple(str(number) for number in range(14)),
    "vp9": tuple(str(number) for number in range(9)),
    "prores": ("proxy", "lt", "standard", "hq"),
}

NEVER_EXACT: Final[dict[CodecName, str]] = {
    "prores": "always loses a little",
    "av1": "is not exact here: SVT-AV1 4.1 loses with 10 bits, and spoils pictures at presets 11 to 13",
}
"""Codecs that cannot be lossless, and why."""

_WITHOUT: Final[dict[StoredChroma, dict[CodecName, str]]] = {
    "same": {},
    "444": {"av1": "h264, h265, vp9, prores or ffv1"},
    "rgb": {"av1": "h264, h265, vp9 or ffv1", "prores": "ffv1, or --chroma 444"},
}
"""Codecs that cannot store a kind of chroma, and what to use instead."""


class EncodeOptions(Options):
    """Codec and quality of the video written."""

    codec: CodecName = "h264"
    """h264 plays everywhere; h265, av1 and vp9 are smaller and slower; prores is for editing, ffv1 loses nothing."""

    crf: int | None = Field(default=None, ge=0)
    """Quality, lower is better; empty for the codec's own default (h264 14, h265 18, av1 20, vp9 20)."""

    bitrate: float | None = Field(default=None, gt=0)
    """Megabits a second on average, instead of a quality."""

    preset: str | None = None
    """Speed: ultrafast..placebo for h264 and h265, 0..13 for av1, 0..8 for vp9, proxy/lt/standard/hq for prores."""

    lossless: bool = False
    """Store every picture exactly as it was computed; ffv1 always does, prores and av1 cannot."""

    chroma: StoredChroma = "same"
    """same keeps what dst has; 444 has colour at full size, rgb red, green and blue; few players show these two."""

    hardware: HardwareChoice = "off"
    """Encoder in the graphics card: auto takes the first that works; faster, and larger files for the same quality."""

    @model_validator(mode="after")
    def _fits_codec(self) -> "EncodeOptions":
        top = _CRF_TOP.get(self.codec)
        if self.crf is not None and top is None:
            raise ValueError(f"{self.codec} has no crf, got {self.crf}; leave it out")
        if self.crf is not None and top is not None and self.crf > top:
            raise ValueError(f"crf of {self.codec} is 0..{top}, got {self.crf}")
        if self.bitrate is not None and top is None:
            raise ValueError(f"{self.codec} has no bitrate, got {self.bitrate:g}; leave it out")
        if self.bitrate is not None and self.crf is not None:
            raise ValueError("crf and bitrate both say how large the file gets; give one of them")
        names = _PRESETS.get(self.codec, ())
        if self.preset is not None and self.preset not in names:
            raise ValueError(f"{self.codec} has no preset {self.preset!r}; it knows {', '.join(names) or 'none'}")
        return self

    @model_validator(mode="after")
    def _can_be_exact(self) -> "EncodeOptions":
        if self.lossless and self.codec in NEVER_EXACT:
            raise ValueError(f"{self.codec} {NEVER_EXACT[self.codec]}; use --codec ffv1 or h265, or leave out lossless")
        if self.lossless and (self.crf is not None or self.bitrate is not None):
            raise ValueError("lossless takes the room it needs; leave out crf and bitrate")
        instead = _WITHOUT[self.chroma].get(self.codec)
        if instead is not None:
            raise ValueError(f"{self.codec} cannot store {self.chroma} here; use --codec {instead}")
        return self

    @model_validator(mode="after")
    def _fits_hardware(self) -> "EncodeOptions":
        if self.hardware == "off":
            return self
        if self.lossless or self.chroma == "rgb":
            what = "lossless" if self.lossless else "rgb"
            raise ValueError(f"{what} is written in software only; leave out hardware")
        if self.hardware != "auto" and self.preset is not None:
            raise ValueError(f"presets are of software encoders, got {self.preset}; leave it out with {self.hardware}")
        return self
