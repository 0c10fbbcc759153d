"""Writing videos: segments, joining, codecs, a full disk."""

import os
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from drawn_clips import BT709, UNEVEN_MS, digests, draw, seconds_of, sound_of, write, write_segments

from lookalike.errors import EncoderError, StorageError
from lookalike.types import ColorTags, Frame
from lookalike.video import (
    CodecName,
    EncodeOptions,
    VideoWriter,
    check_output,
    join_segments,
    output_format,
    outputs,
    probe,
    read_frames,
)
from lookalike.video.join import decoding_times


class TestWrite:
    @pytest.mark.parametrize(
        ("pixel_format", "options"),
        [
            ("yuv420p", EncodeOptions(codec="h264", crf=0, preset="ultrafast")),
            ("yuv444p", EncodeOptions(codec="h264", crf=0, preset="ultrafast")),
            ("yuv420p", EncodeOptions(codec="ffv1")),
            ("yuv422p10le", EncodeOptions(codec="ffv1")),
            ("yuv420p16le", EncodeOptions(codec="ffv1")),
        ],
    )
    @pytest.mark.parametrize("rotation", [0, 90])
    def test_lossless_codecs_return_the_planes(
        self, tmp_path: Path, pixel_format: str, options: EncodeOptions, rotation: int
    ) -> None:
        source = draw(tmp_path / "a.mkv", codec="ffv1", options={"level": "3"}, pixel_format=pixel_format, pts=range(8))
        info = probe(source)
        out = tmp_path / "b.mkv"
        write(out, info, read_frames(source), options)
        assert digests(read_frames(out)) == digests(read_frames(source))

    @pytest.mark.parametrize("codec", ["h264", "h265", "av1", "vp9", "prores", "ffv1"])
    def test_three_segments_join_to_the_source(self, tmp_path: Path, codec: CodecName) -> None:
        pts = [7 * n + n * n % 5 for n in range(24)]
        source = draw(
            tmp_path / "a.mov",
            pts=pts,
            time_base=Fraction(1, 600),
            rotation=90,
            tags=BT709,
            sounds=2,
            size_wh=(128, 96),
        )
        fast = {"h264": "veryfast", "h265": "ultrafast", "av1": "10", "vp9": "8"}.get(codec)
        options = EncodeOptions(codec=codec, preset=fast)
        info = probe(source)
        out = tmp_path / ("out.mov" if codec == "prores" else "out.mkv" if codec == "ffv1" else "out.mp4")
        check_output(out, info, options)
        segments = write_segments(tmp_path, source, options, 8)
        join_segments(segments, info, out, source, {"comment": "AI-generated"})
        new = probe(out)
        assert (new.frame_count, new.rotation, new.size_wh) == (24, 90, (96, 128))
        assert new.tags == info.tags
        tolerance = 0.0006 if out.suffix == ".mkv" else 1e-9  # Matroska counts in milliseconds
        # Matroska has no negative times: where sound starts before 0, all is moved together.
        late = sound_of(out)[0][1][0] - sound_of(source)[0][1][0] if out.suffix == ".mkv" else 0
        assert [time - late for time in seconds_of(out)] == pytest.approx(seconds_of(source), abs=tolerance)
        assert [digest for digest, _ in sound_of(out)] == [digest for digest, _ in sound_of(source)]
        for (_, ours), (_, theirs) in zip(sound_of(out), sound_of(source), strict=True):
            assert [time - late for time in ours] == pytest.approx(theirs, abs=0.0011 if late else 0.0001)
        with av.open(str(out)) as container:
            assert {key.lower(): value for key, value in container.metadata.items()}["comment"] == "AI-generated"
            dts = [p.dts for p in container.demux(video=0) if p.dts is not None]
        assert all(a < b for a, b in pairwise(dts))
        old_luma, new_luma = (
            np.mean([f.picture.planes[0].mean() / (1 << (f.picture.color.bits - 8)) for f in read_frames(p)])
            for p in (source, out)
        )
        assert new_luma == pytest.approx(old_luma, abs=0.3)

    @pytest.mark.parametrize("codec", ["h264", "h265", "av1", "vp9"])
    @pytest.mark.parametrize("count", [1, 2, 3, 5])
    def test_a_few_pictures(self, tmp_path: Path, codec: CodecName, count: int) -> None:
        """x265 hands out pictures that it never looked ahead from with decoding times of chance: see several."""
        source = draw(tmp_path / "a.mp4", pts=UNEVEN_MS[:count], time_base=Fraction(1, 1000))
        info = probe(source)
        fast = {"h264": "ultrafast", "h265": "ultrafast", "av1": "12", "vp9": "8"}[codec]
        for number in range(6):
            out = tmp_path / f"{number}.mp4"
            write(out, info, read_frames(source), EncodeOptions(codec=codec, preset=fast))
            assert [round(s * 1000) for s in seconds_of(out)] == UNEVEN_MS[:count]
            with av.open(str(out)) as container:
                found = [p for p in container.demux(video=0) if p.size]
            assert all(-0.2 <= p.dts * p.time_base <= p.pts * p.time_base for p in found)  # type: ignore[operator]

    @pytest.mark.skipif(sys.platform != "linux", reason="threads are listed by Linux")
    def test_no_thread_becomes_a_real_time_one(self, tmp_path: Path) -> None:
        """SVT-AV1 makes them so for root; nothing else would run."""
        source = draw(tmp_path / "a.mkv", codec="ffv1", pts=range(3))
        with VideoWriter(tmp_path / "b.mp4", probe(source), EncodeOptions(codec="av1", preset="12")) as writer:
            for frame in read_frames(source):
                writer.write(frame)
            threads = [int(path.name) for path in Path("/proc/self/task").iterdir()]
            assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_OTHER}
        assert os.sched_getscheduler(0) == os.SCHED_OTHER

    def test_very_uneven_times_with_b_frames(self, tmp_path: Path) -> None:
        source = draw(tmp_path / "a.mp4", pts=UNEVEN_MS, time_base=Fraction(1, 1000))
        info = probe(source)
        segments = write_segments(tmp_path, source, EncodeOptions(), 3)
        join_segments(segments, info, tmp_path / "b.mp4", None, {})
        assert [round(s * 1000, 6) for s in seconds_of(tmp_path / "b.mp4")] == UNEVEN_MS
        write(tmp_path / "c.mp4", info, read_frames(source))
        assert [round(s * 1000, 6) for s in seconds_of(tmp_path / "c.mp4")] == UNEVEN_MS

    @pytest.mark.parametrize("tags", [ColorTags(), BT709, ColorTags(9, 16, 9, 1), ColorTags(6, 6, 6, 2)])
    @pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
    def test_tags_and_pixel_shape_stay(self, tmp_path: Path, tags: ColorTags, suffix: str) -> None:
        source = draw(tmp_path / "a.mp4", tags=tags, aspect=Fraction(15, 16))
        info = probe(source)
        join_segments(write_segments(tmp_path, source, EncodeOptions(), 12), info, tmp_path / f"b{suffix}", None, {})
        new = probe(tmp_path / f"b{suffix}")
        assert new.tags == info.tags == tags
        assert new.color == info.color
        assert new.sample_aspect_ratio == Fraction(15, 16)

    def test_10_bits_stay(self, tmp_path: Path) -> None:
        source = draw(tmp_path / "a.mp4", pixel_format="yuv420p10le")
        write(tmp_path / "b.mp4", probe(source), read_frames(source))
        assert probe(tmp_path / "b.mp4").pixel_format == "yuv420p10le"

    def test_late_start_keeps_sound_in_step(self, tmp_path: Path) -> None:
        source = draw(tmp_path / "a.ts", sounds=1)
        info = probe(source)
        join_segments(write_segments(tmp_path, source, EncodeOptions(), 9), info, tmp_path / "b.mp4", source, {})
        offsets = [sound_of(path)[0][1][0] - seconds_of(path)[0] for path in (source, tmp_path / "b.mp4")]
        assert offsets[0] == pytest.approx(offsets[1], abs=0.0002)
        assert 0 <= seconds_of(tmp_path / "b.mp4")[0] < 1

    def test_same_frames_same_bytes(self, tmp_path: Path) -> None:
        # x264's vector code is not repeatable at this size; the writer keeps it from being used.
        source = draw(tmp_path / "a.mp4", size_wh=(96, 64))
        digests = set()
        for name in "vwxyz":
            (tmp_path / name).mkdir()
            digests.add(write_segments(tmp_path / name, source, EncodeOptions(), 24)[0].read_bytes())
        assert len(digests) == 1

    def test_nothing_is_left_after_an_error(self, tmp_path: Path) -> None:
        source = draw(tmp_path / "a.mp4")

        def interrupted() -> Iterator[Frame]:
            yield next(read_frames(source))
            raise RuntimeError("stop")

        with pytest.raises(RuntimeError, match="stop"):
            write(tmp_path / "b.mp4", probe(source), interrupted())
        assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]

    def test_frames_must_fit(self, tmp_path: Path) -> None:
        source, other = draw(tmp_path / "a.mp4"), draw(tmp_path / "b.mp4", size_wh=(64, 64))
        frame = next(read_frames(source))
        with pytest.raises(EncoderError, match="times must rise"):
            write(tmp_path / "c.mp4", probe(source), [frame, frame])
        with pytest.raises(EncoderError, match="one size"):
            write(tmp_path / "c.mp4", probe(other), [frame])

    def test_join_refuses_what_does_not_fit(self, tmp_path: Path) -> None:
        source = draw(tmp_path / "a.mp4")
        info = probe(source)
        one, two = write_segments(tmp_path, source, EncodeOptions(preset="ultrafast"), 12)
        with pytest.raises(EncoderError, match="overlaps"):
            join_segments([two, one], info, tmp_path / "b.mp4", None, {})
        (tmp_path / "x").mkdir()
        other = write_segments(tmp_path / "x", source, EncodeOptions(preset="slow"), 12)[1]
        with pytest.raises(EncoderError, match="other settings"):
            join_segments([one, other], info, tmp_path / "b.mp4", None, {})
        with pytest.raises(EncoderError, match="no segments"):
            join_segments([], info, tmp_path / "b.mp4", None, {})
        assert not (tmp_path / "b.mp4").exists()

    def test_odd_size(self, tmp_path: Path) -> None:
        source = draw(tmp_path / "a.mkv", codec="ffv1", options={"level": "3"}, size_wh=(97, 63), pts=[0, 1])
        write(tmp_path / "b.mp4", probe(source), read_frames(source))
        assert (probe(tmp_path / "b.mp4").size_wh, probe(tmp_path / "b.mp4").pixel_format) == ((97, 63), "yuv444p")


class TestCheckOutput:
    @pytest.mark.parametrize(
        ("name", "codec", "text"),
        [
            ("b.xyz", "h264", r"b\.xyz has no known suffix \(\.xyz\); use one of \.mp4"),
            ("b", "h264", "no known suffix"),
            ("b.webm", "vp9", r"cannot hold aac sound; use \.mp4 or \.mkv"),
            ("b.webm", "h264", r"cannot hold h264 and aac sound; use \.mp4"),
            ("b.mp4", "prores", r"cannot hold prores; use \.mov or \.mkv"),
            ("b.mov", "av1", r"cannot hold av1; use \.mp4 or \.mkv"),
            ("b.mov", "vp9", r"cannot hold vp9; use \.mp4 or \.mkv"),
            ("a.mp4", "h264", "is the video that is read"),
        ],
    )
    def test_refused(self, tmp_path: Path, name: str, codec: CodecName, text: str) -> None:
        info = probe(draw(tmp_path / "a.mp4", sounds=1))
        with pytest.raises(EncoderError, match=text):
            check_output(tmp_path / name, info, EncodeOptions(codec=codec))

    @pytest.mark.parametrize("sound", ["opus", "flac"])
    def test_sound_that_mov_refuses(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sound: str) -> None:
        info = probe(draw(tmp_path / "a.mp4", sounds=1))
        monkeypatch.setattr(outputs, "_sound_codecs", lambda *_: [sound])
        with pytest.raises(EncoderError, match=rf"a \.mov file cannot hold {sound} sound; use \.mp4 or \.mkv"):
            check_output(tmp_path / "b.mov", info, EncodeOptions())

    def test_accepted(self, tmp_path: Path) -> None:
        info = probe(draw(tmp_path / "a.mp4", sounds=1))
        for name in ("b.mp4", "b.MOV", "b.mkv"):
            check_output(tmp_path / name, info, EncodeOptions())


@pytest.mark.parametrize(
    ("codec", "own", "size_wh", "want"),
    [
        ("h264", "yuv420p", (64, 64), "yuv420p"),
        ("h264", "yuv444p12le", (64, 64), "yuv444p10le"),
        ("h264", "yuv420p9le", (64, 64), "yuv420p10le"),
        ("h265", "yuv422p12le", (64, 64), "yuv422p12le"),
        ("av1", "yuv444p", (64, 64), "yuv420p"),
        ("vp9", "yuv420p10le", (64, 64), "yuv420p"),
        ("prores", "yuv420p", (64, 64), "yuv422p10le"),
        ("ffv1", "yuv420p14le", (63, 63), "yuv420p14le"),
        ("h264", "yuv420p", (63, 64), "yuv444p"),
    ],
)
def test_output_format(codec: CodecName, own: str, size_wh: tuple[int, int], want: str) -> None:
    assert output_format(codec, own, size_wh) == want


def test_output_format_refuses_odd_av1() -> None:
    with pytest.raises(EncoderError, match="odd size 63x64"):
        output_format("av1", "yuv420p", (63, 64))


def test_options_load_without_the_media_library() -> None:
    code = "import sys, lookalike.video.options; print({'av', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match=r"crf of h264 is 0\.\.51, got 60"):
        EncodeOptions(crf=60)
    with pytest.raises(ValueError, match="prores has no crf"):
        EncodeOptions(codec="prores", crf=3)
    with pytest.raises(ValueError, match="no preset 'warp'"):
        EncodeOptions(preset="warp")


@pytest.mark.parametrize("codec", ["h264", "h265", "av1", "vp9", "prores", "ffv1"])
def test_what_is_accepted_can_be_written(tmp_path: Path, codec: CodecName) -> None:
    source = draw(tmp_path / "a.mp4", pts=range(2), sounds=1)
    info = probe(source)
    fast = {"h264": "ultrafast", "h265": "ultrafast", "av1": "12", "vp9": "8"}.get(codec)
    segments = write_segments(tmp_path, source, EncodeOptions(codec=codec, preset=fast), 2)
    written = 0
    for suffix in (".mp4", ".mov", ".mkv", ".webm"):
        out = tmp_path / f"b{suffix}"
        try:
            check_output(out, info, EncodeOptions(codec=codec))
        except EncoderError:
            continue
        join_segments(segments, info, out, source, {})
        assert probe(out).frame_count == 2
        written += 1
    assert written >= 2


def test_decoding_times_rise_and_never_pass_presentation() -> None:
    times = decoding_times([0, 40, 33, 400, 120, 121, 1000, 1033], 33)
    assert times.dts == [-33, 0, 33, 40, 120, 121, 400, 1000]
    assert all(d <= p for d, p in zip(times.dts, times.pts, strict=True))
    assert times.durations == [33, 80, 7, 600, 1, 279, 33, 33]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small file system is not permitted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def noisy(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Frames that no codec makes small."""
    rng = np.random.default_rng(0)
    for frame in frames:
        luma = frame.picture.planes[0]
        luma[:] = rng.integers(16, 236, luma.shape, np.uint8)
        yield frame


@pytest.mark.parametrize("frames", [6, 40])
def test_full_disk(tmp_path: Path, small_disk: Path, frames: int) -> None:
    source = draw(tmp_path / "a.mkv", codec="ffv1", options={"level": "3"}, size_wh=(320, 240), pts=range(frames))
    info = probe(source)
    filling = small_disk / "filling"
    filling.write_bytes(bytes(200_000))
    lossless = EncodeOptions(codec="ffv1")
    with pytest.raises(StorageError, match="no space left while writing"):
        write(small_disk / "b.mkv", info, noisy(read_frames(source)), lossless)
    segments = [tmp_path / "seg.nut"]
    write(segments[0], info, noisy(read_frames(source)), lossless)
    with pytest.raises(StorageError, match="no space left while writing"):
        join_segments(segments, info, small_disk / "b.mkv", None, {})
    assert list(small_disk.iterdir()) == [filling]
