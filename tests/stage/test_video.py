"""Reading and writing, on clips drawn here with PyAV alone."""

import hashlib
import logging
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from PIL import Image

from lookalike.errors import EncoderError, NoVideoStreamError, StorageError, VideoOpenError
from lookalike.types import ColorTags, Frame, VideoInfo
from lookalike.video import (
    CodecName,
    EncodeOptions,
    ReadReport,
    VideoWriter,
    check_output,
    join_segments,
    output_format,
    probe,
    read_frames,
    segment_suffix,
)
from lookalike.video.join import decoding_times

UNEVEN_MS = [0, 33, 40, 120, 121, 400, 1000, 1033]
BT709 = ColorTags(1, 1, 1, 1)
UNTAGGED = ColorTags()


def draw(
    path: Path,
    *,
    pts: Sequence[int] = range(24),
    time_base: Fraction = Fraction(1, 24),
    size_wh: tuple[int, int] = (96, 64),
    pixel_format: str = "yuv420p",
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    rotation: int = 0,
    aspect: Fraction = Fraction(1),
    tags: ColorTags = UNTAGGED,
    sounds: int = 0,
) -> Path:
    """A bright square that moves over a ramp; bright also in the top left corner."""
    width, height = size_wh
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24, options=options or {"crf": "12", "preset": "veryfast"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        context = stream.codec_context
        stream.time_base = context.time_base = time_base
        context.sample_aspect_ratio = aspect
        context.color_primaries, context.color_trc = tags.primaries, tags.transfer
        context.colorspace, context.color_range = tags.matrix, tags.range
        if rotation:
            stream.set_display_rotation(rotation)
        tracks = [container.add_stream("aac", rate=44100, layout="mono") for _ in range(sounds)]
        for number, time in enumerate(pts):
            image = np.zeros((height, width, 3), np.uint8)
            image[..., 1] = np.linspace(20, 120, width, dtype=np.uint8)
            image[: height // 4, : width // 4] = (250, 60, 40)
            left = 8 + 2 * number % (width - 24)
            image[height // 2 : height // 2 + 12, left : left + 12] = (40, 60, 250)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=pixel_format)
            frame.pts, frame.time_base = time, time_base
            frame.color_range, frame.colorspace = tags.range, tags.matrix
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        for number, track in enumerate(tracks):
            wave = np.sin(np.arange(1024 * 44) * (0.05 + 0.02 * number)).astype(np.float32)
            for block in range(44):
                sound = av.AudioFrame.from_ndarray(wave[None, block * 1024 : block * 1024 + 1024], "fltp", "mono")
                sound.sample_rate, sound.pts, sound.time_base = 44100, block * 1024, Fraction(1, 44100)
                container.mux(track.encode(sound))
            container.mux(track.encode(None))
    return path


def digests(frames: Iterator[Frame]) -> list[tuple[int, int, str]]:
    return [(f.index, f.pts, hashlib.md5(b"".join(p.tobytes() for p in f.picture.planes)).hexdigest()) for f in frames]


def sound_of(path: Path) -> list[tuple[str, list[float]]]:
    """md5 of the packets, and their times, of each audio track."""
    found = []
    for number in range(probe(path).audio_tracks):
        with av.open(str(path)) as container:
            kept = [p for p in container.demux(container.streams.audio[number]) if p.size]
            digest = hashlib.md5(b"".join(bytes(p) for p in kept)).hexdigest()
            found.append((digest, [float((p.pts or 0) * p.time_base) for p in kept]))
    return found


def write_segments(
    folder: Path, source: Path, options: EncodeOptions, length: int, info: VideoInfo | None = None
) -> list[Path]:
    info = info or probe(source)
    segments = []
    for start in range(0, info.frame_count, length):
        segments.append(folder / f"{start:06d}{segment_suffix(options.codec)}")
        with VideoWriter(segments[-1], info, options) as writer:
            for frame in read_frames(source, start, start + length):
                writer.write(frame)
    return segments


def write(path: Path, info: VideoInfo, frames: Iterable[Frame], options: EncodeOptions | None = None) -> None:
    with VideoWriter(path, info, options) as writer:
        for frame in frames:
            writer.write(frame)


def seconds_of(path: Path) -> list[float]:
    return [frame.seconds for frame in read_frames(path)]


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
        # (250, 60, 40) in the corner, as BT.601 luma.
        assert abs(float(frame.picture.planes[0][4, 4]) / unit - 114.4) <= 1.6

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
        check_output(out, info, codec)
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
            ("b.webm", "vp9", r"cannot hold aac sound; use \.mp4 or \.mov or \.mkv"),
            ("b.webm", "h264", r"cannot hold h264 and aac sound; use \.mp4"),
            ("b.mp4", "prores", r"cannot hold prores; use \.mov or \.mkv"),
            ("a.mp4", "h264", "is the video that is read"),
        ],
    )
    def test_refused(self, tmp_path: Path, name: str, codec: CodecName, text: str) -> None:
        info = probe(draw(tmp_path / "a.mp4", sounds=1))
        with pytest.raises(EncoderError, match=text):
            check_output(tmp_path / name, info, codec)

    def test_accepted(self, tmp_path: Path) -> None:
        info = probe(draw(tmp_path / "a.mp4", sounds=1))
        for name in ("b.mp4", "b.MOV", "b.mkv"):
            check_output(tmp_path / name, info, "h264")


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
