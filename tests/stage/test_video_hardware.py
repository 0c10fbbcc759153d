"""Encoders in the graphics card, on machines that have none: what is asked of them, and what is used instead."""

import logging
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from av.codec.context import CodecContext
from drawn_clips import draw, write, write_segments
from noise_clips import info_of

from lookalike.errors import EncoderError
from lookalike.video import CodecName, EncodeOptions, check_output, join_segments, probe, read_frames, usable_hardware
from lookalike.video import encoders as subject
from lookalike.video.codecs import CODECS
from lookalike.video.encoders import HARDWARE, Encoder, choose_encoder, hardware_encoder, is_encoder
from lookalike.video.layouts import Layout
from lookalike.video.options import HardwareName

HALVED = Layout("420", 8)


@pytest.fixture
def no_hardware(monkeypatch: pytest.MonkeyPatch) -> None:
    """What every encoder in a graphics card says on a machine without one."""
    monkeypatch.setattr(subject, "_opens", lambda encoder, size_wh: False)


@pytest.mark.usefixtures("no_hardware")
def test_auto_falls_back_to_software_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = draw(tmp_path / "a.mp4")
    options = EncodeOptions(hardware="auto", preset="ultrafast")
    subject._say_software.cache_clear()
    with caplog.at_level(logging.WARNING):
        check_output(tmp_path / "b.mp4", probe(source), options)
        write(tmp_path / "b.mp4", probe(source), read_frames(source), options)
    assert caplog.text.count("no hardware here encodes h264, 4:2:0 of 8 bits, 96x64; software does") == 1
    assert choose_encoder(options, "yuv420p", (96, 64)).name == "libx264"
    assert usable_hardware() == []


@pytest.mark.usefixtures("no_hardware")
def test_a_named_one_that_does_not_open_is_refused_before_work(tmp_path: Path) -> None:
    info = info_of(HALVED)
    with pytest.raises(
        EncoderError, match="h264_nvenc does not open here for 4:2:0 of 8 bits, 64x48; check the graphics"
    ):
        check_output(tmp_path / "b.mp4", info, EncodeOptions(hardware="nvenc"))


@pytest.mark.parametrize(
    ("hardware", "codec", "layout"),
    [("qsv", "h264", Layout("422", 8)), ("nvenc", "ffv1", HALVED), ("nvenc", "vp9", HALVED), ("amf", "prores", HALVED)],
)
def test_what_hardware_cannot_encode(hardware: HardwareName, codec: CodecName, layout: Layout) -> None:
    with pytest.raises(EncoderError, match=rf"{hardware} cannot encode {codec}, .* leave out --hardware$"):
        choose_encoder(EncodeOptions(codec=codec, hardware=hardware), layout.name, (64, 48))


def test_probing_encodes_a_frame_for_real(monkeypatch: pytest.MonkeyPatch) -> None:
    good = Encoder("libx264", {"crf": "30", "preset": "ultrafast"}, "nv12")
    assert subject._opens(good, (96, 64))
    assert not subject._opens(Encoder("libx264", {"preset": "warp"}, "nv12"), (96, 64))
    assert not subject._opens(Encoder("libx264", {}, "nv12"), (95, 63))
    assert not subject._opens(Encoder("h264_nothing", {}, "nv12"), (96, 64))


@pytest.mark.parametrize("hardware", ["auto", "qsv"])
def test_one_that_opens_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hardware: Literal["auto", "qsv"]
) -> None:
    """x264 stands in: it takes the same interleaved planes and gives the same stream as the hardware would."""
    asked: list[str] = []

    def stand_in(name: HardwareName, options: EncodeOptions, layout: Layout) -> Encoder | None:
        asked.append(name)
        return Encoder("libx264", {"crf": "10", "preset": "ultrafast"}, "nv12") if name == "qsv" else None

    monkeypatch.setattr(subject, "hardware_encoder", stand_in)
    source = draw(tmp_path / "a.mp4", sounds=1)
    segments = write_segments(tmp_path, source, EncodeOptions(hardware=hardware), 12)
    join_segments(segments, probe(source), tmp_path / "b.mp4", source, {})
    assert asked[:2] == (["nvenc", "qsv"] if hardware == "auto" else ["qsv", "qsv"])
    assert (probe(tmp_path / "b.mp4").frame_count, probe(tmp_path / "b.mp4").pixel_format) == (24, "yuv420p")
    for new, old in zip(read_frames(tmp_path / "b.mp4"), read_frames(source), strict=True):
        assert abs(new.picture.planes[0].mean() - old.picture.planes[0].mean()) < 1


def available() -> list[tuple[HardwareName, CodecName]]:
    """Pairs whose encoder is in this build, whether it opens or not."""
    return [(name, codec) for name in HARDWARE for codec in CODECS if is_encoder(f"{CODECS[codec].name}_{name}")]


@pytest.mark.parametrize(("hardware", "codec"), available())
def test_settings_are_options_that_the_encoder_knows(hardware: HardwareName, codec: CodecName) -> None:
    context = CodecContext.create(f"{CODECS[codec].name}_{hardware}", "w")
    known = {option.name: option for option in (*context.supported_options.private, *context.supported_options.generic)}
    top = {"h264": 51, "h265": 51}.get(codec, 63)
    for options in (
        EncodeOptions(codec=codec, crf=0),
        EncodeOptions(codec=codec, crf=top),
        EncodeOptions(codec=codec, bitrate=3),
    ):
        encoder = hardware_encoder(hardware, options, HALVED)
        assert encoder is not None
        assert encoder.pixel_format in [f.name for f in context.codec.video_formats or []]
        for name, value in encoder.settings.items():
            option = known[name]
            names = [choice.name for choice in option.choices]
            assert value in names or option.min <= float(value.lstrip("+")) <= option.max


@pytest.mark.parametrize("hardware", list(HARDWARE))
@pytest.mark.parametrize(("codec", "top"), [("h264", 51), ("av1", 63)])
def test_quality_falls_as_crf_rises(hardware: HardwareName, codec: CodecName, top: int) -> None:
    """From the best to the worst that the scale has, in the direction that it runs."""
    every = [HARDWARE[hardware].quality(codec, crf) for crf in range(top + 1)]
    key = {"nvenc": "cq", "amf": "qp_i"}.get(hardware, "global_quality")
    values = [int(settings[key]) for settings in every]
    step = -1 if hardware == "videotoolbox" else 1
    assert all((b - a) * step >= 0 for a, b in pairwise(values))
    ends = {"nvenc": (1, top), "amf": (0, 51 if top == 51 else 252), "videotoolbox": (11800, 118)}
    assert (values[0], values[-1]) == ends.get(hardware, (1, 51))
