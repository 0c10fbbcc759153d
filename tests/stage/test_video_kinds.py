"""Kinds of video that are not plain: interlaced, with alpha, 16-bit images, images with times."""

import json
import logging
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import cv2
import numpy as np
import pytest
from av.video.stream import VideoStream
from drawn_clips import BT709, digests, draw
from numpy.typing import NDArray
from PIL import Image

from lookalike.color import picture_to_rgb
from lookalike.errors import VideoOpenError
from lookalike.types import ColorTags
from lookalike.video import EncodeOptions, VideoWriter, frame_times, probe, read_frames

_INTERLACED_DCT, _INTERLACED_MOTION = 1 << 18, 1 << 29
WIDTH, HEIGHT = 96, 64


def bar(left: int) -> NDArray[np.uint8]:
    """A bright bar on grey, 12 pixels wide."""
    image = np.full((HEIGHT, WIDTH, 3), 60, np.uint8)
    image[:, left : left + 12] = 200
    return image


def woven(path: Path, codec: str, options: dict[str, str], frames: int = 24, progressive: Sequence[int] = ()) -> Path:
    """A bar that moves from field to field, the upper field first."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.flags |= _INTERLACED_DCT | _INTERLACED_MOTION
        for number in range(frames):
            image = bar(3 * number)
            if number not in progressive:
                image[1::2] = bar(3 * number + 2)[1::2]
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def combed(luma: NDArray[np.generic]) -> float:
    """Mean difference between lines that follow each other, less that between lines of one field."""
    y = luma.astype(np.float32)
    return float(np.abs(np.diff(y, axis=0)).mean() - np.abs(y[2:] - y[:-2]).mean())


H264 = ("libx264", {"crf": "10", "preset": "veryfast", "g": "8", "x264-params": "tff=1"})
MPEG2 = ("mpeg2video", {"b": "4M", "g": "6", "bf": "2"})


class TestInterlaced:
    @pytest.mark.parametrize(("codec", "options", "suffix"), [(*H264, ".mp4"), (*MPEG2, ".ts"), (*MPEG2, ".mkv")])
    def test_pictures_are_whole_and_keep_number_and_time(
        self, tmp_path: Path, codec: str, options: dict[str, str], suffix: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        path = woven(tmp_path / f"a{suffix}", codec, options)
        assert probe(path).interlaced
        with av.open(str(path)) as container:
            stored = [(f.pts, combed(f.to_ndarray()[:HEIGHT])) for f in container.decode(video=0)]
        with caplog.at_level(logging.WARNING):
            frames = list(read_frames(path))
            list(read_frames(path, 3))
        assert [frame.index for frame in frames] == list(range(24))
        assert [frame.pts for frame in frames] == [pts for pts, _ in stored]
        assert min(comb for _, comb in stored) > 4
        assert max(abs(combed(frame.picture.planes[0])) for frame in frames[1:-1]) < 1.5
        assert [record.message for record in caplog.records] == [
            f"{path} is interlaced; its pictures are deinterlaced (bwdif) as they are read"
        ]

    @pytest.mark.parametrize(("codec", "options", "suffix"), [(*H264, ".mp4"), (*MPEG2, ".ts"), (*MPEG2, ".mkv")])
    def test_start_and_stop_equal_a_full_read(
        self, tmp_path: Path, codec: str, options: dict[str, str], suffix: str
    ) -> None:
        path = woven(tmp_path / f"a{suffix}", codec, options)
        full = digests(read_frames(path))
        for start in range(24):
            assert digests(read_frames(path, start, start + 2)) == full[start : start + 2]

    def test_progressive_pictures_are_left_alone(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        path = draw(tmp_path / "a.mp4")
        assert not probe(path).interlaced
        with caplog.at_level(logging.WARNING):
            frames = list(read_frames(path))
        assert not caplog.records
        with av.open(str(path)) as container:
            for ours, theirs in zip(frames, container.decode(video=0), strict=True):
                assert np.array_equal(ours.picture.planes[0], theirs.to_ndarray()[:HEIGHT])

    def test_a_clip_that_becomes_interlaced(self, tmp_path: Path) -> None:
        whole = draw(tmp_path / "a.ts", codec="mpeg2video", options={"b": "4M", "g": "6"}, pts=range(12))
        mixed = tmp_path / "mixed.ts"  # transport streams may be joined end to end
        with av.open(str(mixed), "w") as container:
            stream = container.add_stream("mpeg2video", rate=24, options={"b": "4M", "g": "1"})
            assert isinstance(stream, VideoStream)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            part = woven(tmp_path / "b.ts", *MPEG2, frames=12)
            shift = 0
            for source in (whole, part):
                with av.open(str(source)) as opened:
                    last = 0
                    for packet in opened.demux(video=0):
                        if packet.size and packet.dts is not None and packet.pts is not None:
                            packet.dts, packet.pts = packet.dts + shift, packet.pts + shift
                            last = packet.dts
                            packet.stream = stream
                            container.mux(packet)
                    shift = last + 10 * 3600
        full = list(read_frames(mixed))
        assert not probe(mixed).interlaced
        with av.open(str(mixed)) as container:
            stored = list(container.decode(video=0))
        flags = [frame.interlaced_frame for frame in stored]
        assert {*flags} == {False, True}
        assert len(full) == len(flags)
        for ours, theirs in zip(full, stored, strict=True):
            same = np.array_equal(ours.picture.planes[0], theirs.to_ndarray()[:HEIGHT])
            assert same != theirs.interlaced_frame

    def test_what_is_written_is_progressive(self, tmp_path: Path) -> None:
        path = woven(tmp_path / "a.mp4", *H264)
        with VideoWriter(tmp_path / "b.mp4", probe(path), EncodeOptions(preset="ultrafast")) as writer:
            for frame in read_frames(path):
                writer.write(frame)
        assert not probe(tmp_path / "b.mp4").interlaced
        assert probe(tmp_path / "b.mp4").frame_count == 24


class TestAlpha:
    @pytest.mark.parametrize(
        ("codec", "pixel_format", "options"),
        [("ffv1", "yuva420p", {"level": "3"}), ("prores_ks", "yuva444p10le", {"profile": "4444"}), ("png", "rgba", {})],
    )
    def test_colour_under_alpha_is_exact(
        self, tmp_path: Path, codec: str, pixel_format: str, options: dict[str, str]
    ) -> None:
        path = tmp_path / ("a.mkv" if codec == "ffv1" else "a.mov")
        image = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
        image[..., :3] = (200, 120, 40)
        image[:, : WIDTH // 3, 3], image[:, WIDTH // 3 : WIDTH // 2, 3] = 255, 100  # the right half is transparent
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=25, options=options)
            assert isinstance(stream, VideoStream)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixel_format
            frame = av.VideoFrame.from_ndarray(image, format="rgba").reformat(format=pixel_format)
            frame.pts, frame.time_base = 0, Fraction(1, 25)
            container.mux([*stream.encode(frame), *stream.encode(None)])
        with av.open(str(path)) as container:
            stored = next(container.decode(video=0))
            assert "a" in stored.format.name
            planes = [
                np.frombuffer(memoryview(p), np.uint8 if stored.format.name in ("yuva420p", "rgba") else np.uint16)
                for p in stored.planes
            ]
            lines = [p.reshape(q.height, -1)[:, : q.width] for p, q in zip(planes, stored.planes, strict=True)]
        picture = next(read_frames(path)).picture
        if pixel_format.startswith("yuva"):
            assert all(np.array_equal(a, b) for a, b in zip(picture.planes, lines[:3], strict=True))
        rgb = picture_to_rgb(picture) * 255
        assert np.abs(rgb - (200, 120, 40)).max() < 3


class TestImages:
    @pytest.mark.parametrize("name", ["a.png", "a.tif"])
    def test_16_bits_are_kept(self, tmp_path: Path, name: str) -> None:
        rgb = np.random.default_rng(0).integers(0, 65536, (20, 30, 3)).astype(np.uint16)
        cv2.imwrite(str(tmp_path / name), rgb[:, :, ::-1])
        info = probe(tmp_path)
        assert (info.pixel_format, info.color.bits) == ("rgb48le", 16)
        frame = next(read_frames(tmp_path))
        assert np.array_equal(np.rint(picture_to_rgb(frame.picture) * 65535), rgb)

    def test_a_deep_folder_with_a_shallow_image(self, tmp_path: Path) -> None:
        cv2.imwrite(str(tmp_path / "1.png"), np.full((20, 30, 3), 30000, np.uint16))
        cv2.imwrite(str(tmp_path / "2.png"), np.full((20, 30, 3), 117, np.uint8))
        one, two = (picture_to_rgb(frame.picture).mean() for frame in read_frames(tmp_path))
        assert two == pytest.approx(117 / 255, abs=1e-4)
        assert one == pytest.approx(30000 / 65535, abs=1e-4)

    @pytest.mark.parametrize(
        ("mode", "colour", "want"),
        [
            ("RGBA", (200, 120, 40, 90), (200, 120, 40)),
            ("L", 90, (90, 90, 90)),
            ("LA", (90, 10), (90, 90, 90)),
        ],
    )
    def test_alpha_and_grey(
        self, tmp_path: Path, mode: str, colour: int | tuple[int, ...], want: tuple[int, int, int]
    ) -> None:
        Image.new(mode, (30, 20), colour).save(tmp_path / "1.png")
        rgb = picture_to_rgb(next(read_frames(tmp_path)).picture) * 255
        assert np.abs(rgb - want).max() < 2

    def test_times_beside_images(self, tmp_path: Path) -> None:
        for number in (1, 4, 7):
            Image.new("RGB", (30, 20), (number * 20, 0, 0)).save(tmp_path / f"{number:05d}.png")
        pts = {"00001.png": 0, "00004.png": 3003, "00007.png": 6100, "00010.png": 9009}
        record = {"format": 1, "source": "a", "key": "k", "rate": "30000/1001", "time_base": "1/30000", "pts": pts}
        (tmp_path / "frames.json").write_text(json.dumps(record))
        info = probe(tmp_path)
        assert (info.rate, info.time_base, frame_times(info)) == (
            Fraction(30000, 1001),
            Fraction(1, 30000),
            [0, 3003, 6100],
        )
        assert [(frame.index, frame.pts) for frame in read_frames(tmp_path)] == [(0, 0), (1, 3003), (2, 6100)]
        Image.new("RGB", (30, 20)).save(tmp_path / "00002.png")  # not known: all evenly
        assert [frame.pts * frame.time_base for frame in read_frames(tmp_path)] == [
            Fraction(1001 * n, 30000) for n in range(4)
        ]

    @pytest.mark.parametrize("text", ["{", '{"format": 9}', '{"format": 1, "rate": "1/0"}', "[]", "[" * 99999])
    def test_damaged_times_are_one_line(self, tmp_path: Path, text: str) -> None:
        Image.new("RGB", (30, 20)).save(tmp_path / "1.png")
        (tmp_path / "frames.json").write_text(text)
        with pytest.raises(VideoOpenError, match=r"frames\.json (cannot be read|has format 9).*delete it") as caught:
            probe(tmp_path)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("key", "value"),
        [("rate", "1e999999999"), ("rate", "25.5"), ("time_base", "1/12345678901"), ("pts", {"1.png": 1 << 63})],
    )
    def test_absurd_times_are_one_line(self, tmp_path: Path, key: str, value: object) -> None:
        Image.new("RGB", (30, 20)).save(tmp_path / "1.png")
        record = {"source": "a", "key": "k", "rate": "25", "time_base": "1/25", "pts": {"1.png": 0}}
        (tmp_path / "frames.json").write_text(json.dumps(record))
        assert probe(tmp_path).rate == 25
        (tmp_path / "frames.json").write_text(json.dumps({**record, key: value}))
        with pytest.raises(VideoOpenError, match=r"frames\.json cannot be read") as caught:
            probe(tmp_path)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("error", [Image.DecompressionBombError, struct.error, IndexError])
    def test_hostile_images_are_damaged_ones(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
    ) -> None:
        for name in ("1.png", "2²3.png", "3٣.png"):
            Image.new("RGB", (30, 20)).save(tmp_path / name)
        assert len(list(read_frames(tmp_path))) == 3
        opened = Image.open

        def hostile(file: BinaryIO, **kinds: Any) -> Image.Image:
            if Path(file.name).name != "1.png":
                raise error("hostile")
            return opened(file, **kinds)

        monkeypatch.setattr(Image, "open", hostile)
        assert [frame.index for frame in read_frames(tmp_path)] == [0]
        (tmp_path / "1.png").unlink()
        with pytest.raises(VideoOpenError, match="is no image that can be read"):
            probe(tmp_path)


def test_hdr_tags_and_depth_come_through(tmp_path: Path) -> None:
    tags = ColorTags(9, 16, 9, 1)
    path = draw(tmp_path / "a.mp4", pixel_format="yuv420p10le", tags=tags, pts=range(3))
    info = probe(path)
    assert (info.tags, info.color.matrix, info.color.bits) == (tags, "bt2020", 10)
    assert probe(draw(tmp_path / "b.mp4", tags=BT709, pts=range(3))).tags.transfer == 1
