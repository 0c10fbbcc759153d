"""Probing and reading videos."""

import logging
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from drawn_clips import BT709, UNEVEN_MS, digests, draw, seconds_of
from PIL import Image

from lookalike.errors import NoVideoStreamError, VideoOpenError
from lookalike.types import ColorTags
from lookalike.video import (
    ReadReport,
    probe,
    read_frames,
)


class TestProbe:
    def test_plain(self, tmp_path: Path) -> None:
        info = probe(draw(tmp_path / "a.mp4", tags=BT709, sounds=2, aspect=Fraction(15, 16)))
        assert (info.size_wh, info.pixel_format, info.frame_count, info.rate) == ((96, 64), "yuv420p", 24, Fraction(24))
        assert (info.tags, info.color.matrix, info.color.full_range) == (BT709, "bt709", False)
        assert (info.sample_aspect_ratio, info.rotation, info.audio_tracks) == (Fraction(15, 16), 0, 2)
        assert info.duration_seconds == pytest.approx(1.0)

    @pytest.mark.parametrize(("size_wh", "matrix"), [((96, 64), "bt601"), ((64, 720), "bt709")])
    def test_untagged_matrix_follows_height(self, tmp_path: Path, size_wh: tuple[int, int], matrix: str) -> None:
        info = probe(draw(tmp_path / "a.mp4", size_wh=size_wh, pts=[0]))
        assert info.color.matrix == matrix
        assert info.tags == ColorTags()

    def test_yuvj_is_full_range(self, tmp_path: Path) -> None:
        info = probe(draw(tmp_path / "a.mp4", pixel_format="yuvj420p", tags=ColorTags(range=2)))
        assert info.color.full_range
        assert info.tags.range == 2

    @pytest.mark.parametrize(("rotation", "size_wh"), [(90, (64, 96)), (180, (96, 64)), (-90, (64, 96))])
    def test_rotation(self, tmp_path: Path, rotation: int, size_wh: tuple[int, int]) -> None:
        info = probe(draw(tmp_path / "a.mp4", rotation=rotation))
        assert (info.rotation, info.size_wh) == (rotation % 360, size_wh)

    def test_missing(self, tmp_path: Path) -> None:
        with pytest.raises(VideoOpenError, match=r"no\.mp4 does not exist; check"):
            probe(tmp_path / "no.mp4")
        with pytest.raises(VideoOpenError, match="does not exist"):
            next(read_frames(tmp_path / "no.mp4"))

    @pytest.mark.parametrize("data", [b"", b"just some words\n" * 50, b"1\n00:00:01,000 --> 00:00:02,000\nhello\n\n"])
    def test_text_named_mp4(self, tmp_path: Path, data: bytes) -> None:
        path = tmp_path / "words.mp4"
        path.write_bytes(data)
        with pytest.raises((VideoOpenError, NoVideoStreamError), match=r"words\.mp4 (is no video|has no video)[^\n]*$"):
            probe(path)

    def test_cut_short(self, tmp_path: Path) -> None:
        path = draw(tmp_path / "cut.mp4")
        path.write_bytes(path.read_bytes()[:1000])
        with pytest.raises(VideoOpenError, match=r"cut\.mp4 is no video or is cut short[^\n]*$"):
            probe(path)

    def test_sound_only(self, tmp_path: Path) -> None:
        path = tmp_path / "talk.mp4"
        with av.open(str(path), "w") as container:
            track = container.add_stream("aac", rate=44100, layout="mono")
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            sound.sample_rate = 44100
            container.mux([*track.encode(sound), *track.encode(None)])
        with pytest.raises(NoVideoStreamError, match=r"talk\.mp4 has no video stream \(1 audio stream found\); pass"):
            probe(path)

    def test_folder_without_images(self, tmp_path: Path) -> None:
        with pytest.raises(VideoOpenError, match="folder without images; pass"):
            probe(tmp_path)


class TestRead:
    def test_start_and_stop_equal_a_full_read(self, tmp_path: Path) -> None:
        options = {"crf": "20", "bf": "3", "g": "7", "b_strategy": "0", "preset": "fast"}
        path = draw(tmp_path / "a.mp4", options=options, pts=[3 * n * n + 50 * n for n in range(40)])
        full = digests(read_frames(path))
        assert [item[0] for item in full] == list(range(40))
        assert len({item[2] for item in full}) > 30
        for start in range(0, 40, 3):
            assert digests(read_frames(path, start, start + 4)) == full[start : start + 4]
        assert digests(read_frames(path, 40)) == []
        assert digests(read_frames(path, 5, 5)) == []

    @pytest.mark.parametrize("suffix", [".mkv", ".ts", ".avi"])
    def test_start_in_other_containers(self, tmp_path: Path, suffix: str) -> None:
        options = {"crf": "20", "bf": "2", "g": "6", "b_strategy": "0"}
        path = draw(tmp_path / f"a{suffix}", options=options)
        full = digests(read_frames(path))
        assert [item[0] for item in full] == list(range(24))
        assert all(a[1] < b[1] for a, b in pairwise(full))
        for start in (1, 6, 13, 23):
            assert digests(read_frames(path, start)) == full[start:]

    @pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv422p10le", "yuv444p", "yuvj422p", "yuv420p16le"])
    def test_planes_are_those_decoded(self, tmp_path: Path, pixel_format: str) -> None:
        lossless = (
            {"codec": "ffv1", "options": {"level": "3"}} if "j" not in pixel_format else {"tags": ColorTags(range=2)}
        )
        path = draw(tmp_path / "a.mkv", size_wh=(98, 66), pixel_format=pixel_format, pts=[0, 1], **lossless)
        picture = next(read_frames(path)).picture
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
            for plane, samples in zip(frame.planes, picture.planes, strict=True):
                lines = np.frombuffer(memoryview(plane), samples.dtype).reshape(plane.height, -1)[:, : plane.width]
                assert np.array_equal(lines, samples)
                assert samples.flags.c_contiguous

    @pytest.mark.parametrize("rotation", [90, 180, -90])
    def test_upright(self, tmp_path: Path, rotation: int) -> None:
        path = draw(tmp_path / "a.mp4", rotation=rotation)
        y, u, _ = next(read_frames(path)).picture.planes
        stored = next(read_frames(draw(tmp_path / "b.mp4"))).picture.planes
        assert np.array_equal(y, np.rot90(stored[0], rotation // 90))
        assert np.array_equal(u, np.rot90(stored[1], rotation // 90))

    @pytest.mark.parametrize(
        ("pixel_format", "layout"),
        [("bgr0", (64, 96)), ("gray", (32, 48)), ("yuva420p", (32, 48)), ("gbrp10le", (64, 96)), ("yuv411p", (64, 48))],
    )
    def test_other_layouts_become_planar(self, tmp_path: Path, pixel_format: str, layout: tuple[int, int]) -> None:
        path = draw(tmp_path / "a.mkv", codec="ffv1", pixel_format=pixel_format, options={"level": "3"}, pts=[0])
        info, frame = probe(path), next(read_frames(path))
        assert frame.picture.planes[1].shape == layout
        unit = 1 << (info.color.bits - 8)
        # (250, 60, 40) in the corner: its green, or its BT.601 luma.
        want = 60 if info.color.matrix == "rgb" else 114.4
        assert abs(float(frame.picture.planes[0][4, 4]) / unit - want) <= 1.6

    def test_uneven_times(self, tmp_path: Path) -> None:
        path = draw(tmp_path / "a.mp4", pts=UNEVEN_MS, time_base=Fraction(1, 1000))
        assert [round(s * 1000, 6) for s in seconds_of(path)] == UNEVEN_MS

    def test_damage_is_skipped_and_counted(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        path = draw(tmp_path / "a.mkv", codec="mpeg4", options={"g": "4"}, pts=range(40), size_wh=(192, 128))
        whole = digests(read_frames(path))
        data = bytearray(path.read_bytes())
        with av.open(str(path)) as container:
            places = [(p.pos or 0, p.size) for p in container.demux(video=0) if p.size]
        for number in (9, 10, 21):
            position, size = places[number]
            data[position + 8 : position + size] = bytes(size - 8)
        path.write_bytes(data)
        report = ReadReport()
        with caplog.at_level(logging.WARNING):
            left = digests(read_frames(path, report=report))
        assert 36 <= len(left) < 40
        assert report.skipped == 40 - len(left)
        assert [item[0] for item in left] == sorted({item[0] for item in left})
        assert left[-1][:2] == whole[-1][:2]
        assert digests(read_frames(path, 30)) == [item for item in left if item[0] >= 30]
        assert f"skipped {report.skipped} damaged pictures" in caplog.text
        part = ReadReport()
        list(read_frames(path, 30, report=part))
        assert part.skipped == 0

    def test_folder_of_images(self, tmp_path: Path) -> None:
        for number in (10, 2, 1):
            Image.new("RGB", (40, 30), (number * 20, 0, 0)).save(tmp_path / f"{number}.png")
        (tmp_path / "5.png").write_text("broken")
        info = probe(tmp_path)
        assert (info.size_wh, info.frame_count, info.rate, info.audio_tracks) == ((40, 30), 4, Fraction(25), 0)
        frames = list(read_frames(tmp_path))
        assert [(frame.index, frame.pts) for frame in frames] == [(0, 0), (1, 1), (3, 3)]
        lumas = [int(frame.picture.planes[0][0, 0]) for frame in frames]
        assert lumas == sorted(lumas)
        assert [frame.index for frame in read_frames(tmp_path, 1, 3)] == [1]
