"""How a video is encoded. Imports neither the media library nor numpy: the command line reads this for its help."""

from typing import Final, Literal

from pydantic import Field, model_validator

from lookalike.options import Options

CodecName = Literal["h264", "h265", "av1", "vp9", "prores", "ffv1"]

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


class EncodeOptions(Options):
    """Codec and quality of the video written."""

    codec: CodecName = "h264"
    """h264 plays everywhere; h265, av1 and vp9 are smaller and slower; prores is for editing, ffv1 loses nothing."""

    crf: int | None = Field(default=None, ge=0)
    """Quality, lower is better; empty for the codec's own default (h264 16, h265 18, av1 20, vp9 20)."""

    bitrate: float | None = Field(default=None, gt=0)
    """Megabits a second on average, instead of a quality."""

    preset: str | None = None
    """Speed: ultrafast..placebo for h264 and h265, 0..13 for av1, 0..8 for vp9, proxy/lt/standard/hq for prores."""

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
