"""frames and cut on drawn clips."""

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from drawn_clips import BT709, UNEVEN_MS, digests, draw, seconds_of
from numpy.typing import NDArray
from PIL import Image
from video_steps import names, said, stopped_after, workspace_of

from lookalike.color import picture_to_rgb
from lookalike.errors import ConfigError, EncoderError, WorkspaceError
from lookalike.pipeline.config import CutOptions, FramesOptions
from lookalike.pipeline.cut import cut
from lookalike.pipeline.frames import frames
from lookalike.video import EncodeOptions, VideoWriter, probe, read_frames
from lookalike.video.priority import own_priority

FAST = EncodeOptions(preset="ultrafast")
LOSSLESS = EncodeOptions(codec="ffv1")


class TestFrames:
    def test_every_frame_in_its_own_colours(self, tmp_path: Path) -> None:
        clip = draw(tmp_path / "a.mp4", tags=BT709, rotation=90)
        workspace = workspace_of(tmp_path, clip)
        assert "24 images of 24 frames" in said(frames(workspace, "src", FramesOptions()))
        folder = workspace.data("src")
        assert names(folder) == [f"{number:05d}.png" for number in range(1, 25)]
        for frame in read_frames(clip):
            bgr = cv2.imread(str(folder / f"{frame.index + 1:05d}.png"), cv2.IMREAD_UNCHANGED)
            assert bgr is not None
            assert np.array_equal(bgr[..., ::-1], np.rint(picture_to_rgb(frame.picture) * 255))
        assert [frame.seconds for frame in read_frames(folder)] == seconds_of(clip)
        assert probe(folder).rate == 24

    def test_fps_keeps_numbers_and_times(self, tmp_path: Path) -> None:
        clip = draw(tmp_path / "a.mp4", pts=UNEVEN_MS, time_base=Fraction(1, 1000))
        workspace = workspace_of(tmp_path, clip)
        list(frames(workspace, "src", FramesOptions(fps=4, format="jpg")))
        folder = workspace.data("src")
        assert names(folder) == ["00001.jpg", "00005.jpg", "00006.jpg", "00007.jpg"]
        assert [round(frame.seconds * 1000) for frame in read_frames(folder)] == [0, 121, 400, 1000]
        with Image.open(folder / "00001.jpg") as image:
            assert image.layer[1][1:3] == (1, 1)  # type: ignore[attr-defined]  # whole chroma
        assert json.loads((folder / "frames.json").read_text())["source"] == "a.mp4"

    def test_more_than_8_bits_become_16(self, tmp_path: Path) -> None:
        clip = draw(tmp_path / "a.mp4", pixel_format="yuv420p10le", pts=range(2))
        workspace = workspace_of(tmp_path, clip)
        assert "10 bits a sample: 16-bit PNG" in said(frames(workspace, "src", FramesOptions()))
        want = picture_to_rgb(next(read_frames(clip)).picture)
        got = next(read_frames(workspace.data("src"))).picture
        assert got.color.bits == 16
        assert np.abs(picture_to_rgb(got) - want).max() < 1e-4
        assert "jpg keeps 8" in said(frames(workspace, "src", FramesOptions(format="jpg")))

    def test_goes_on_where_it_was(self, tmp_path: Path) -> None:
        workspace = workspace_of(tmp_path, draw(tmp_path / "a.mp4"))
        stopped_after(frames(workspace, "src", FramesOptions()), 7)
        folder = workspace.data("src")
        (folder / "00003.png").unlink()
        before = {name: (folder / name).stat().st_mtime_ns for name in names(folder)}
        assert 6 <= len(before) < 24
        text = said(frames(workspace, "src", FramesOptions()))
        assert f"reused {len(before)} images" in text
        assert len(names(folder)) == 24
        assert {name: (folder / name).stat().st_mtime_ns for name in before} == before
        assert "reused 24" in said(frames(workspace, "src", FramesOptions()))
        assert "reused" not in said(frames(workspace, "src", FramesOptions(), overwrite=True))
        assert not list(folder.glob(".*"))

    def test_nothing_of_the_users_is_lost(self, tmp_path: Path) -> None:
        workspace = workspace_of(tmp_path, draw(tmp_path / "a.mp4", pts=range(3)))
        folder = workspace.data("src")
        (folder / "aligned").mkdir(parents=True)
        (folder / "aligned" / "face.jpg").write_text("a face")
        (folder / "00001.png").write_text("mine")
        assert "moved 1 images of another video or other options" in said(frames(workspace, "src", FramesOptions()))
        assert (folder / "frames_old" / "00001.png").read_text() == "mine"
        said(frames(workspace, "src", FramesOptions(format="jpg")))
        assert names(folder / "frames_old-2") == ["00001.png", "00002.png", "00003.png"]
        assert (folder / "frames_old-2" / "frames.json").is_file()
        assert names(folder) == ["00001.jpg", "00002.jpg", "00003.jpg"]
        assert (folder / "aligned" / "face.jpg").read_text() == "a face"

    def test_a_side_that_is_this_folder(self, tmp_path: Path) -> None:
        folder = tmp_path / "ws" / "data_src"
        folder.mkdir(parents=True)
        Image.new("RGB", (30, 20)).save(folder / "1.png")
        workspace = workspace_of(tmp_path, folder)
        with pytest.raises(WorkspaceError, match="nothing to write"):
            list(frames(workspace, "src", FramesOptions()))
        assert names(folder) == ["1.png"]


def decoded_sound(path: Path, track: int = 0) -> tuple[float, NDArray[np.float32]]:
    """Time of the first sample that a player would play, and the samples from there on."""
    with av.open(str(path)) as container:
        blocks = list(container.decode(container.streams.audio[track]))
        return blocks[0].time or 0.0, np.concatenate([block.to_ndarray() for block in blocks], axis=1)[0]


class TestCut:
    @pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
    def test_picture_and_sound_of_a_part(self, tmp_path: Path, suffix: str) -> None:
        clip = draw(tmp_path / "a.mp4", sounds=2, tags=BT709, rotation=90, aspect=Fraction(15, 16))
        out = tmp_path / f"b{suffix}"
        events = cut(clip, CutOptions(begin="0.25", end="0.75"), EncodeOptions(crf=1), output=out)
        assert "12 frames, 7 to 18 of 24" in said(events)
        source, new = probe(clip), probe(out)
        assert (new.size_wh, new.rotation, new.tags, new.frame_count) == (source.size_wh, 90, BT709, 12)
        assert new.sample_aspect_ratio == Fraction(15, 16)
        tolerance = 0.0006 if suffix == ".mkv" else 1e-9
        assert seconds_of(out) == pytest.approx([number / 24 for number in range(12)], abs=tolerance)
        for ours, theirs in zip(read_frames(out), read_frames(clip, 6, 18), strict=True):
            difference = ours.picture.planes[0].astype(int) - theirs.picture.planes[0].astype(int)
            assert np.abs(difference).mean() < 1
        for track in (0, 1):
            _, whole = decoded_sound(clip, track)
            begin, part = decoded_sound(out, track)
            assert 0 <= begin <= (1024 / 44100 + 0.001 if suffix == ".mkv" else 0.0001)
            # Each sample at its place: Matroska's times are rounded to milliseconds, so there to half of one.
            place = round((0.25 + begin) * 44100)
            lag = min(range(-30, 31), key=lambda n: np.abs(whole[place + n + 3000 :][:8000] - part[3000:11000]).max())
            assert abs(lag) <= (25 if suffix == ".mkv" else 1)
            assert np.abs(whole[place + lag + 3000 :][:8000] - part[3000:11000]).max() < 1e-3
            assert begin + len(part) / 44100 == pytest.approx(0.5, abs=1024 / 44100)

    def test_uneven_times_stay(self, tmp_path: Path) -> None:
        clip = draw(tmp_path / "a.mp4", pts=UNEVEN_MS, time_base=Fraction(1, 1000))
        list(cut(clip, CutOptions(begin="0.040", end="1.0"), FAST))
        assert [round(s * 1000, 6) for s in seconds_of(tmp_path / "a_cut.mp4")] == [0, 80, 81, 360]

    @pytest.mark.parametrize(
        ("begin", "end", "want", "seconds"),
        [
            ("6", "12", [0], 6),  # the frame of 5 s is on screen
            ("6", "13", [0, 6], 7),
            ("5", "12.001", [0, 7], 7),
            ("12", "4f", [0, 18], None),
            ("4.9996", "6", [0], 1),
            ("2f", "2f", [0], 7),
            (None, "6", [0, 5], 6),
        ],
    )
    def test_the_frame_on_screen_is_shown_from_the_moment_on(
        self, tmp_path: Path, begin: str | None, end: str, want: list[float], seconds: float | None
    ) -> None:
        clip = draw(tmp_path / "a.mp4", pts=[0, 5000, 12000, 30000], time_base=Fraction(1, 1000))
        long = tmp_path / "long.mp4"
        with av.open(str(clip)) as old, av.open(str(long), "w") as new:
            stream, track = new.add_stream_from_template(old.streams.video[0]), new.add_stream("aac", rate=8000)
            for packet in old.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    new.mux(packet)
            for number in range(8 * 31):
                sound = av.AudioFrame.from_ndarray(np.zeros((1, 1000), np.float32), "fltp", "mono")
                sound.sample_rate, sound.pts, sound.time_base = 8000, number * 1000, Fraction(1, 8000)
                new.mux(track.encode(sound))
            new.mux(track.encode(None))
        list(cut(long, CutOptions(begin=begin, end=end), FAST))
        out = tmp_path / "long_cut.mp4"
        assert seconds_of(out) == pytest.approx(want, abs=0.0006)
        _, heard = decoded_sound(out)
        if seconds is not None:
            assert len(heard) / 8000 == pytest.approx(seconds, abs=0.13)
        for wrong in (("6", "6"), ("7", "6")):
            with pytest.raises(ConfigError, match="--to must come after --from"):
                list(cut(long, CutOptions(begin=wrong[0], end=wrong[1]), FAST, overwrite=True))

    def test_parts_fit_together(self, tmp_path: Path) -> None:
        clip = draw(tmp_path / "a.mkv", codec="ffv1", options={"level": "3"}, pixel_format="yuv422p10le")
        found = []
        for number, part in enumerate([("0", "0.333"), ("0.333", "14f"), ("15f", None)]):
            out = tmp_path / f"{number}.mkv"
            list(cut(clip, CutOptions(begin=part[0], end=part[1]), LOSSLESS, output=out))
            found += [digest for _, _, digest in digests(read_frames(out))]
        assert found == [digest for _, _, digest in digests(read_frames(clip))]

    def test_one_frame_and_one_track(self, tmp_path: Path) -> None:
        clip = draw(tmp_path / "a.mp4", sounds=2)
        list(cut(clip, CutOptions(begin="5f", end="5f", audio_track=1), FAST))
        assert (probe(tmp_path / "a_cut.mp4").frame_count, probe(tmp_path / "a_cut.mp4").audio_tracks) == (1, 1)

    def test_whole_keeps_sound_byte_for_byte(self, tmp_path: Path) -> None:
        clip = draw(tmp_path / "a.mp4", sounds=1)
        list(cut(clip, CutOptions(end="1.0"), FAST))
        assert np.array_equal(decoded_sound(clip)[1], decoded_sound(tmp_path / "a_cut.mp4")[1])

    @pytest.mark.parametrize(
        ("options", "text"),
        [
            (CutOptions(end="9"), r"--to 9 is past the end; the video is 1\.000 seconds long"),
            (CutOptions(begin="25f"), "--from 25f is past the end; the video has 24 frames"),
            (CutOptions(begin="0.5", end="0.5"), "no frame from 0.5 to 0.5; --to must come after --from"),
            (CutOptions(begin="9f", end="8f"), "no frame from 9f to 8f"),
            (CutOptions(audio_track=1), "has 1 audio track, counted from 0"),
        ],
    )
    def test_refused_in_one_line(self, tmp_path: Path, options: CutOptions, text: str) -> None:
        clip = draw(tmp_path / "a.mp4", sounds=1)
        with pytest.raises(ConfigError, match=text):
            list(cut(clip, options, FAST))
        assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]

    def test_never_over_another_file(self, tmp_path: Path) -> None:
        clip = draw(tmp_path / "a.mp4")
        (tmp_path / "a_cut.mp4").write_text("mine")
        with pytest.raises(EncoderError, match="exists already"):
            list(cut(clip, CutOptions(end="0.5"), FAST))
        assert (tmp_path / "a_cut.mp4").read_text() == "mine"
        list(cut(clip, CutOptions(end="0.5"), FAST, overwrite=True))
        assert probe(tmp_path / "a_cut.mp4").frame_count == 12
        with pytest.raises(EncoderError, match="is the video that is read"):
            list(cut(clip, CutOptions(end="0.5"), FAST, output=clip, overwrite=True))
        with pytest.raises(ConfigError, match="no video but images"):
            list(cut(tmp_path, CutOptions(), FAST))

    def test_goes_on_where_it_was(self, tmp_path: Path) -> None:
        clip = draw(tmp_path / "a.mp4", pts=range(400))
        options = CutOptions(begin="31f", end="390f")
        stopped_after(cut(clip, options, FAST), 250)
        assert not (tmp_path / "a_cut.mp4").exists()
        assert "reused 240 frames" in said(cut(clip, options, FAST))
        list(cut(clip, options, FAST, output=tmp_path / "b.mp4"))
        assert digests(read_frames(tmp_path / "a_cut.mp4")) == digests(read_frames(tmp_path / "b.mp4"))
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "a_cut.mp4", "b.mp4"]

    def test_webm_and_avi(self, tmp_path: Path) -> None:
        webm = draw(tmp_path / "a.webm", codec="libvpx-vp9", options={"b": "1M", "cpu-used": "8"}, pts=range(6))
        list(cut(webm, CutOptions(end="3f"), EncodeOptions()))
        assert probe(tmp_path / "a_cut.webm").frame_count == 3
        with own_priority():
            deep = draw(
                tmp_path / "deep.webm",
                codec="libsvtav1",
                options={"preset": "10"},
                pixel_format="yuv420p10le",
                pts=range(6),
            )
        list(cut(deep, CutOptions(end="3f"), EncodeOptions()))
        assert probe(tmp_path / "deep_cut.webm").color.bits == 10
        whole = draw(tmp_path / "c.mkv", pixel_format="yuv444p10le", pts=range(6))
        with pytest.raises(EncoderError, match=r"no codec for \.webm keeps yuv444p10le of c\.mkv; use another suffix"):
            list(cut(whole, CutOptions(end="3f"), EncodeOptions(), output=tmp_path / "c.webm"))
        avi = draw(tmp_path / "b.avi", codec="mpeg4", options={"b": "1M"}, pts=range(6))
        list(cut(avi, CutOptions(begin="3f"), FAST))
        assert probe(tmp_path / "b_cut.mp4").frame_count == 4

    def test_uncompressed_sound_goes_where_it_fits(self, tmp_path: Path) -> None:
        clip = tmp_path / "a.avi"
        with av.open(str(draw(tmp_path / "b.mp4"))) as old, av.open(str(clip), "w") as new:
            stream = new.add_stream("mpeg4", rate=24)
            stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
            track = new.add_stream("pcm_s16le", rate=44100, layout="mono")
            for frame in old.decode(video=0):
                frame.pict_type = 0
                new.mux(stream.encode(frame))
            new.mux(stream.encode(None))
            sound = av.AudioFrame.from_ndarray(np.arange(30000, dtype=np.int16)[None], "s16", "mono")
            sound.sample_rate, sound.pts, sound.time_base = 44100, 0, Fraction(1, 44100)
            new.mux([*track.encode(sound), *track.encode(None)])
        with pytest.raises(EncoderError, match=r"\.mp4 file cannot hold pcm_s16le sound; use \.mov or \.mkv"):
            list(cut(clip, CutOptions(end="0.5"), FAST, output=tmp_path / "c.mp4"))
        list(cut(clip, CutOptions(end="0.5"), FAST))
        assert (probe(tmp_path / "a_cut.mov").frame_count, probe(tmp_path / "a_cut.mov").audio_tracks) == (12, 1)

    def test_tracks_that_are_left_out_do_not_count(self, tmp_path: Path) -> None:
        clip = tmp_path / "a.mkv"
        with av.open(str(draw(tmp_path / "b.mp4", sounds=1))) as old, av.open(str(clip), "w") as new:
            streams = {stream.index: new.add_stream_from_template(stream) for stream in old.streams}
            raw = new.add_stream("pcm_s16le", rate=8000, layout="mono")
            for packet in old.demux():
                if packet.size:
                    packet.stream = streams[packet.stream_index]
                    new.mux(packet)
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
            sound.sample_rate, sound.pts, sound.time_base = 8000, 0, Fraction(1, 8000)
            new.mux([*raw.encode(sound), *raw.encode(None)])
        out = tmp_path / "c.mp4"
        with pytest.raises(EncoderError, match="cannot hold pcm_s16le sound"):
            list(cut(clip, CutOptions(end="0.5"), FAST, output=out))
        list(cut(clip, CutOptions(end="0.5", audio_track=0), FAST, output=out))
        assert (probe(out).frame_count, probe(out).audio_tracks) == (12, 1)

    def test_tags_of_the_file_stay(self, tmp_path: Path) -> None:
        clip = draw(tmp_path / "a.mp4", pts=range(4))
        marked = tmp_path / "marked.mp4"
        with av.open(str(clip)) as old, av.open(str(marked), "w") as new:
            stream = new.add_stream_from_template(old.streams.video[0])
            new.metadata["comment"] = "AI-generated"
            for packet in old.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    new.mux(packet)
        list(cut(marked, CutOptions(end="2f"), FAST))
        with av.open(str(tmp_path / "marked_cut.mp4")) as container:
            assert container.metadata["comment"] == "AI-generated"


def test_a_bitrate_decides_the_size(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    folder = tmp_path / "noise"
    folder.mkdir()
    for number in range(50):
        Image.fromarray(rng.integers(0, 255, (120, 160, 3), np.uint8)).save(folder / f"{number}.png")
    for rate in (0.5, 4.0):
        out = tmp_path / f"{rate}.mp4"
        with VideoWriter(out, probe(folder), EncodeOptions(bitrate=rate)) as writer:
            for frame in read_frames(folder):
                writer.write(frame)
        assert out.stat().st_size * 8 / 2 == pytest.approx(rate * 1e6, rel=0.4)
    with pytest.raises(ValueError, match="give one of them"):
        EncodeOptions(bitrate=4, crf=20)
    with pytest.raises(ValueError, match="ffv1 has no bitrate"):
        EncodeOptions(codec="ffv1", bitrate=4)


def test_from_the_command_line(tmp_path: Path) -> None:
    clip = draw(tmp_path / "a.mp4")
    workspace = workspace_of(tmp_path, clip)

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from lookalike.cli import main; main()", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert run("cut", clip, "--from", "3f", "--to", "0.5", "--crf", "30").stdout.endswith("a_cut.mp4\n")
    assert probe(tmp_path / "a_cut.mp4").frame_count == 10
    assert run("frames", workspace.folder, "src", "--fps", "6", "--format", "jpg").returncode == 0
    assert len(names(workspace.data("src"))) == 6
    assert run("denoise", workspace.folder, "src", "--factor", "3").returncode == 0
    wrong = run("cut", clip, "--from", "soon")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert run("denoise", workspace.folder, "src", "--factor", "21").returncode == 2
