"""Videos from elsewhere are parsed as attacks: whatever they claim, time and memory are bounded."""

import os
import socket
import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import pytest

from bounded import Outcome, assert_bounded, run_attacks, snapshot
from hostile_images import png_head
from hostile_videos import (
    BOMB_SIDE,
    box,
    drawn,
    foreign_reference,
    fragment_bomb,
    in_flv,
    in_program_stream,
    large_h264,
    many_entries,
    many_tracks,
    patched_box,
    put,
    replaced_once,
    with_times,
    without_tables,
)
from lookalike.errors import VideoOpenError
from lookalike.video import probe, read_frames

CLIPS = Path(os.environ.get("LOOKALIKE_CLIPS", "clips"))
LARGE = (BOMB_SIDE, BOMB_SIDE)
YEARS_300 = 300 * 365 * 86400


def attack(path: str) -> str:
    """Everything that is done with a video before faces are looked for."""
    from lookalike.video import codecs_of, file_tags, frame_times, keyframes, still

    file = Path(path)
    info = probe(file)
    frames = [frame.index for frame in read_frames(file)]
    list(read_frames(file, max(info.frame_count // 2, 1)))
    times = frame_times(info)
    assert len(times) == info.frame_count
    assert frames == sorted(set(frames))
    assert info.rate > 0
    for look in (codecs_of, file_tags, keyframes):
        look(file)
    still(file, 160)
    return f"{len(frames)} of {info.frame_count} frames"


def rewrite(path: str, output: str) -> str:
    """Write a video's frames again, with its times, turn and shape, as a merge does."""
    from lookalike.video import VideoWriter, join_segments, segment_suffix

    info, segment = probe(Path(path)), Path(output).with_suffix(segment_suffix("h264"))
    with VideoWriter(segment, info) as writer:
        for frame in read_frames(info.path):
            writer.write(frame)
    join_segments([segment], info, Path(output), info.path if info.audio_tracks else None, {})
    return f"{probe(Path(output)).frame_count} of {info.frame_count} frames"


def rewritten(folder: Path, names: Sequence[str]) -> dict[str, Outcome]:
    """What becomes of files that are written again, as MP4 and as MKV."""
    made = folder / "made"
    made.mkdir()
    cases = {f"{name} as {kind}": (folder / name, made / f"{name}.{kind}") for name in names for kind in ("mp4", "mkv")}
    outcomes = run_attacks(__name__, {name: [str(a), str(b)] for name, (a, b) in cases.items()}, "rewrite")
    assert_bounded(outcomes)
    return outcomes


def attacked(folder: Path, files: dict[str, bytes]) -> dict[str, Outcome]:
    """What becomes of files; none may change, or appear."""
    for name, data in files.items():
        (folder / name).write_bytes(data)
    before = snapshot(folder)
    outcomes = run_attacks(__name__, {name: [str(folder / name)] for name in files})
    assert_bounded(outcomes)
    assert snapshot(folder) == before
    return outcomes


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where films are drawn that are then changed."""
    return tmp_path_factory.mktemp("made")


@pytest.fixture(scope="module")
def mp4(made: Path) -> bytes:
    return drawn(made / "a.mp4")


@pytest.fixture(scope="module")
def mkv(made: Path) -> bytes:
    return drawn(made / "a.mkv")


def test_sizes_that_no_camera_has(tmp_path: Path, made: Path, mkv: bytes) -> None:
    video = large_h264(LARGE, 20)
    ffv1 = drawn(made / "ffv1.mkv", codec="ffv1", size_wh=(512, 320))
    raw = drawn(made / "raw.avi", codec="rawvideo")
    png = drawn(made / "png.mov", codec="png", pixel_format="rgb24")
    gif = drawn(made / "a.gif", codec="gif", pixel_format="rgb8")
    jpeg = drawn(made / "a.avi", codec="mjpeg", pixel_format="yuvj420p")
    at = jpeg.index(b"\xff\xc0")
    side = struct.pack(">I", 32767)
    outcomes = attacked(
        tmp_path,
        {
            "large.h264": video,
            "large.ts": without_tables(video, made / "b.ts"),
            "large.mpg": in_program_stream(video, made / "b.mpg"),
            "large.flv": in_flv(video),
            "ffv1.mkv": replaced_once(ffv1, b"\xb0\x82\2\0\xba\x82\1\x40", b"\xb0\x82\x7f\xff\xba\x82\x7f\xff"),
            "large.avi": raw.replace(struct.pack("<II", 96, 64), struct.pack("<II", 32767, 32767)),
            "png.mov": png.replace(png_head(96, 64)[16:24], side + side),
            "large.gif": gif[:6] + b"\xff\xff\xff\xff" + gif[10:],
            "jpeg.avi": jpeg[: at + 5] + b"\xff\xff\xff\xff" + jpeg[at + 9 :],
        },
    )
    assert outcomes["large.h264"].kind == outcomes["large.flv"].kind == "VideoOpenError"
    assert "no picture in it can be decoded (up to 8192x4352 pixels can)" in outcomes["large.ts"].said
    assert outcomes["large.mpg"].kind == outcomes["png.mov"].kind == outcomes["large.avi"].kind == "VideoOpenError"


def test_claims_of_frames_and_tracks(tmp_path: Path, made: Path, mp4: bytes, mkv: bytes) -> None:
    many = 0x0FFFFFFF
    sized = patched_box(mp4, b"stsz", put(4, ">II", 1, many))
    fragmented = drawn(made / "f.mp4", options={"movflags": "empty_moov+default_base_moof+frag_keyframe"})
    avi = drawn(made / "c.avi", codec="mpeg4")
    outcomes = attacked(
        tmp_path,
        {
            "frames.mp4": patched_box(sized, b"stsc", put(8, ">II", 1, many)),
            "lengths.mp4": patched_box(mp4, b"stts", put(4, ">I", 0xFFFFFFFF)),
            "chunks.mp4": patched_box(mp4, b"stco", put(4, ">I", 0xFFFFFFF0)),
            "fragment.mp4": fragment_bomb(fragmented, 170_000_000, 1),
            "fragments.mp4": fragment_bomb(fragmented, 5_000_000, 40),
            "tracks.mp4": many_tracks(mp4, 3000),
            "tracks.mkv": many_entries(mkv, 3000),
            "frames.avi": avi.replace(struct.pack("<I", 8), struct.pack("<I", 0x7FFFFFFF)),
            "streams.avi": replaced_once(avi, struct.pack("<III", 8, 0, 1), struct.pack("<III", 8, 0, 10**6)),
            "streams.ts": streams_ts(4000),
        },
    )
    assert outcomes["fragment.mp4"].kind == outcomes["tracks.mp4"].kind == "VideoOpenError"


def streams_ts(count: int) -> bytes:
    """An MPEG-TS whose tables name `count` streams in one program after the other. Source: ISO/IEC 13818-1, 2.4."""

    def crc(data: bytes) -> bytes:
        value = 0xFFFFFFFF
        for byte in data:
            value ^= byte << 24
            for _ in range(8):
                value = (value << 1 ^ 0x04C11DB7 if value >> 31 else value << 1) & 0xFFFFFFFF
        return struct.pack(">I", value)

    def section(table: int, number: int, body: bytes) -> bytes:
        head = bytes([table]) + struct.pack(">HHBBB", 0xB000 | len(body) + 9, number, 0xC1, 0, 0)
        return head + body + crc(head + body)

    def packet(pid: int, data: bytes) -> bytes:
        whole = struct.pack(">BHB", 0x47, 0x4000 | pid, 0x10) + b"\0" + data
        return whole + b"\xff" * (188 - len(whole))

    programs = count // 30
    parts = []
    for first in range(0, programs, 40):
        body = b"".join(struct.pack(">HH", n + 1, 0xE000 | 32 + n) for n in range(first, min(first + 40, programs)))
        parts.append(packet(0, section(0, 1, body)))
    for n in range(programs):
        streams = [b"\x1b" + struct.pack(">HH", 0xE000 | 512 + n * 30 + one, 0xF000) for one in range(30)]
        parts.append(packet(32 + n, section(2, n + 1, struct.pack(">HH", 0xE100, 0xF000) + b"".join(streams))))
    return b"".join(parts) * 4


def test_times_that_cannot_be(tmp_path: Path, made: Path, mp4: bytes, mkv: bytes) -> None:
    fragmented = drawn(made / "t.mp4", options={"movflags": "empty_moov+default_base_moof+frag_keyframe"})
    scale, duration = b"\x2a\xd7\xb1\x83\x0f\x42\x40", mkv.index(b"\x44\x89\x88") + 3
    avi = drawn(made / "d.avi", codec="mpeg4")
    rate = avi.index(b"vids") + 20
    up = [(number << 59, number << 59) for number in range(8)]
    files = {
        "scale0.mp4": patched_box(mp4, b"mdhd", put(12, ">I", 0)),
        "scale1.mp4": patched_box(mp4, b"mdhd", put(12, ">II", 1, 0xFFFFFFFF)),
        "scale.mp4": patched_box(mp4, b"mdhd", put(12, ">II", 0xFFFFFFFF, 1)),
        "long.mp4": patched_box(mp4, b"stts", put(8, ">II", 8, 0x7FFFFFFF)),
        "back.mp4": patched_box(mp4, b"stts", put(8, ">Ii", 8, -512)),
        "still.mp4": patched_box(mp4, b"stts", put(8, ">II", 8, 0)),
        "edit.mp4": patched_box(mp4, b"elst", put(8, ">Ii", 0xFFFFFFFF, 0x7FFFFFFF)),
        "before.mp4": patched_box(mp4, b"elst", put(8, ">IiI", 0xFFFFFFFF, -2, 0)),
        "century.mp4": patched_box(mp4, b"mvhd", put(12, ">II", 1, 0xFFFFFFFF)),
        "late.mp4": patched_box(fragmented, b"tfdt", put(4, ">Q", 1 << 62)),
        "scale0.mkv": replaced_once(mkv, scale, b"\x2a\xd7\xb1\x83\0\0\0"),
        "scale.mkv": replaced_once(mkv, scale, b"\x2a\xd7\xb1\x83\xff\xff\xff"),
        "years.mkv": mkv[:duration] + struct.pack(">d", 1e300) + mkv[duration + 8 :],
        "nan.mkv": mkv[:duration] + struct.pack(">d", float("nan")) + mkv[duration + 8 :],
        "rate0.avi": avi[:rate] + struct.pack("<II", 0, 0) + avi[rate + 8 :],
        "rate.avi": avi[:rate] + struct.pack("<II", 1, 0x7FFFFFFF) + avi[rate + 8 :],
        "slow.avi": avi[:rate] + struct.pack("<II", 0x7FFFFFFF, 1) + avi[rate + 8 :],
        "huge.nut": with_times(made / "a.nut", up, "nut", Fraction(1, 25)),
        "same.nut": with_times(made / "b.nut", [(5, n) for n in range(8)], "nut", Fraction(1, 25)),
        "before.nut": with_times(
            made / "c.nut", [(n - (1 << 40), n - (1 << 40)) for n in range(8)], "nut", Fraction(1)
        ),
        "order.mkv": with_times(
            made / "e.mkv", [(t, t) for t in (0, 900, 100, 800, 200)], "matroska", Fraction(1, 1000)
        ),
        "none.avi": with_times(made / "f.avi", [(None, None)] * 6, "avi", Fraction(1, 25)),
        "wrap.ts": with_times(
            made / "g.ts", [((1 << 33) + n * 3600,) * 2 for n in range(-3, 3)], "mpegts", Fraction(1, 90000)
        ),
    }
    outcomes = attacked(tmp_path, files)
    assert outcomes["century.mp4"].said == outcomes["nan.mkv"].said == "8 of 8 frames"
    assert outcomes["long.mp4"].kind == "ok"
    again = rewritten(tmp_path, [name for name, one in outcomes.items() if one.kind == "ok"])
    assert again["century.mp4 as mp4"].said == again["order.mkv as mkv"].said.replace("2 of 2", "8 of 8")
    assert "is shown at -0.12 s, which cannot be written; copy the video first" in again["wrap.ts as mp4"].said
    assert {one.kind for one in again.values()} == {"ok", "EncoderError"}


def test_shapes_and_turns_that_cannot_be(tmp_path: Path, made: Path, mp4: bytes) -> None:
    wide = struct.pack(">II", 0xFFFFFFFF, 1)
    sound = sounding(made / "sound.mkv")
    rate = sound.index(b"\xb5\x88") + 2
    matrix = 40
    outcomes = attacked(
        tmp_path,
        {
            "turn0.mp4": patched_box(mp4, b"tkhd", put(matrix, ">9i", *[0] * 9)),
            "turn.mp4": patched_box(mp4, b"tkhd", put(matrix, ">9i", *[0x7FFFFFFF] * 9)),
            "size.mp4": patched_box(mp4, b"tkhd", put(76, ">II", 0xFFFFFFFF, 0xFFFFFFFF)),
            "shape.mp4": mp4.replace(b"\0\0\0\x10pasp" + struct.pack(">II", 1, 1), b"\0\0\0\x10pasp" + wide),
            "channels.mkv": replaced_once(sound, b"\x9f\x81\x01", b"\x9f\x81\xff"),
            "sound0.mkv": sound[:rate] + struct.pack(">d", 0.0) + sound[rate + 8 :],
            "sound.mkv": sound[:rate] + struct.pack(">d", 1e300) + sound[rate + 8 :],
            "below.mkv": sound[:rate] + struct.pack(">d", -44100.0) + sound[rate + 8 :],
        },
    )
    assert outcomes["turn0.mp4"].said == outcomes["turn.mp4"].said == "8 of 8 frames"


def sounding(path: Path) -> bytes:
    """A film with a track of sound, an attached file and a title of many lines."""
    with av.open(str(path), "w") as file:
        stream, sound = file.add_stream("mpeg4", rate=25), file.add_stream("pcm_s16le", rate=44100, layout="mono")
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        file.add_attachment("../../evil.sh", "text/x-sh", b"#!/bin/sh\ntouch /tmp/evil\n")
        file.metadata["title"] = "a\nb\x1b[31m"
        for number in range(6):
            frame = av.VideoFrame(96, 64, "yuv420p")
            file.mux(stream.encode(frame))
            part = av.AudioFrame(format="s16", layout="mono", samples=1764)
            part.sample_rate, part.pts = 44100, number * 1764
            file.mux(sound.encode(part))
        file.mux(stream.encode(None))
    return path.read_bytes()


def test_pictures_that_change_on_the_way(tmp_path: Path, made: Path) -> None:
    kinds = [((96, 64), "yuv420p"), ((64, 96), "yuv420p"), ((320, 240), "yuv444p"), ((96, 64), "yuv422p10le")]
    parts = [
        drawn(made / f"{number}.ts", size_wh=size_wh, pixel_format=pixel_format)
        for number, (size_wh, pixel_format) in enumerate(kinds)
    ]
    raw = [drawn(made / f"{number}.h264", size_wh=size_wh) for number, (size_wh, _) in enumerate(kinds)]
    bomb = large_h264(LARGE, 20)
    files = {"size.ts": parts[0] + parts[1], "format.ts": parts[0] + parts[2] + parts[3], "size.h264": b"".join(raw)}
    files |= {"bomb.h264": raw[0] + bomb, "bomb.ts": parts[0] * 40 + without_tables(bomb, made / "x.ts")}
    outcomes = attacked(tmp_path, files)
    for name, count in (("size.ts", 16), ("format.ts", 24), ("size.h264", 32)):
        assert outcomes[name].said == f"{count} of {count} frames"
        (frames,) = {frame.picture.size_wh for frame in read_frames(tmp_path / name)}
        assert frames == (96, 64)
    assert outcomes["bomb.h264"].said.startswith("8 of ")


PLAYLISTS: dict[str, Callable[[Path, int], str]] = {
    "hls.mp4": lambda clip, _: f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nfile://{clip}\n#EXT-X-ENDLIST\n",
    "hls.m3u8": lambda clip, port: f"#EXTM3U\n#EXTINF:9,\nhttp://127.0.0.1:{port}/a.ts\n#EXT-X-ENDLIST\n",
    "hls.ts": lambda clip, _: f"#EXTM3U\n#EXTINF:9,\n{clip.name}\n#EXT-X-ENDLIST\n",
    "concat.mp4": lambda clip, _: f"ffconcat version 1.0\nfile '{clip}'\n",
    "concat.mkv": lambda clip, port: f"ffconcat version 1.0\nfile http://127.0.0.1:{port}/a.mp4\n",
    "dash.mpd": lambda _, port: (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'profiles="urn:mpeg:dash:profile:isoff-main:2011"><Period><AdaptationSet contentType="video">'
        '<Representation id="1" bandwidth="1" mimeType="video/mp4">'
        f"<BaseURL>http://127.0.0.1:{port}/a.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>"
    ),
    "call.sdp": lambda clip, port: (
        f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n"
    ),
    "rtsp.mp4": lambda clip, port: f"[Reference]\nRef1=http://127.0.0.1:{port}/a.mp4\nRTSPtextrtsp://127.0.0.1:{port}/",
    "script.avs": lambda clip, _: f'FFmpegSource2("{clip}")\n',
    "script.vpy": lambda clip, _: "import os\nos.system('touch /tmp/evil')\n",
    "drawing.mp4": lambda clip, _: f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{clip}"/></svg>',
    "text.mp4": lambda clip, _: "\x1b[2J" * 1000,
    "meta.mp4": lambda clip, _: ";FFMETADATA1\ntitle=a\n",
}


def test_lists_of_other_files_are_not_followed(tmp_path: Path, mp4: bytes) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(mp4)
    (tmp_path / "clip.ts").write_bytes(mp4)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        files = {name: text(clip, port).encode() for name, text in PLAYLISTS.items()}
        outcomes = attacked(tmp_path, files)
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()
    assert {one.kind for one in outcomes.values()} == {"VideoOpenError"}


def test_a_film_that_names_another_file(tmp_path: Path, made: Path, mp4: bytes) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_bytes(drawn(made / "secret.mp4", count=3))
    (outcome,) = attacked(tmp_path, {"reference.mp4": foreign_reference(mp4, secret.name)}).values()
    assert outcome.kind == "VideoOpenError"


NAMES = ["concat:a.mp4|b.mp4", "http:a.mp4", "data:video,mp4", "frame%03d.mp4", "pipe:0", "crypto:a.mp4", "-i.mp4"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_only_a_name(tmp_path: Path, mp4: bytes, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(mp4)
    assert attack(name) == "8 of 8 frames"


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "device.mp4").symlink_to("/dev/zero")
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    (tmp_path / "empty.mp4").touch()
    names = ("pipe.mp4", "device.mp4", "loop.mp4", "empty.mp4")
    outcomes = run_attacks(__name__, {name: [str(tmp_path / name)] for name in names})
    assert_bounded(outcomes)
    assert {one.kind for one in outcomes.values()} == {"VideoOpenError"}
    with pytest.raises(VideoOpenError, match="is no file; pass a video"):
        probe(tmp_path / "pipe.mp4")


def test_cut_off_anywhere(tmp_path: Path, made: Path, mkv: bytes) -> None:
    ahead = drawn(made / "ahead.mp4", size_wh=(160, 120), count=20, options={"movflags": "faststart"})
    kinds = {"a.mp4": ahead, "a.mkv": drawn(made / "l.mkv", size_wh=(160, 120), count=20)}
    kinds["a.ts"] = drawn(made / "l.ts", size_wh=(160, 120), count=20)
    if (CLIPS / "d18.mp4").is_file():
        kinds["d18.mp4"] = (CLIPS / "d18.mp4").read_bytes()
    files: dict[str, bytes] = {}
    for name, data in kinds.items():
        step = 1024 * (1 + len(data) // 40_000)
        files |= {f"{at}-{name}": data[:at] for at in range(step, len(data), step)}
    outcomes = attacked(tmp_path, files)
    assert {one.kind for one in outcomes.values()} == {"ok", "VideoOpenError"}


def test_a_box_in_a_box_in_a_box(tmp_path: Path, mp4: bytes) -> None:
    nested = b"\0" * 8
    for _ in range(3000):
        nested = box(b"moov", nested)
    outcomes = attacked(
        tmp_path, {"nested.mp4": mp4[:32] + nested, "nested.mkv": b"\x1a\x45\xdf\xa3\x80" + b"\xa0\x81" * 9000}
    )
    assert {one.kind for one in outcomes.values()} == {"VideoOpenError"}
