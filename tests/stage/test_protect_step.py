"""A disguise measured in videos, and what of dst's metadata a result of it holds."""

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import pytest
from av.audio.stream import AudioStream
from av.video.stream import VideoStream
from drawn_clips import sound_of
from numpy.typing import NDArray

from drawn_faces import DST, FRAME_WH, draw_person, write_faceset
from drawn_workspace import said
from lookalike.cli import run
from lookalike.color import picture_to_rgb8
from lookalike.errors import ConfigError, ProtectionError
from lookalike.faces import FaceFinder
from lookalike.faceset import face_name, make_face, save_face
from lookalike.merging.config import MergeConfig
from lookalike.models.build import build_model
from lookalike.models.checkpoint import TrainState, save_checkpoint
from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.disguise import proved
from lookalike.pipeline.merge import merge
from lookalike.pipeline.merge_piece import merge_piece
from lookalike.pipeline.protect import protect
from lookalike.pipeline.workspace import Workspace
from lookalike.provenance.claim import hash_of
from lookalike.reporting.protection import Protection
from lookalike.types import Event
from lookalike.video import EncodeOptions, read_frames
from lookalike.video.vorbis import without_comments
from merge_scene import TINY

CLIPS = Path(os.environ.get("LOOKALIKE_CLIPS", "no folder of clips"))
COUNT: Final = 4
QUICK: Final = MergeConfig(mask="hull")
SECRETS: Final = (b"Maria", b"Hillside", b"52.5200", b"013.4050", b"2021-03-04", b"09:08:07:06", b"Canon")
START: Final = Fraction(37, 10)
"""Seconds at which the secret video starts."""


def secret_video(path: Path) -> Path:
    """A video of a drawn person that says in every way it can who and where it is."""
    mp4 = path.suffix == ".mp4"
    with av.open(str(path), "w") as container:
        container.metadata.update(
            {
                "title": "Interview with Maria",
                "comment": "Hillside clinic",
                "location": "+52.5200+013.4050/",
                "creation_time": "2021-03-04T05:06:07Z",
                "make": "Canon",
            }
        )
        video = container.add_stream("libx264", rate=25, options={"crf": "14", "preset": "veryfast", "bf": "0"})
        assert isinstance(video, VideoStream)
        video.width, video.height, video.pix_fmt = *FRAME_WH, "yuv420p"
        video.metadata.update({"handler_name": "Maria camera", "title": "Maria", "timecode": "09:08:07:06"})
        sound = container.add_stream("aac" if mp4 else "flac", rate=44100, layout="mono")
        sound.metadata.update({"language": "deu", "title": "Maria speaks", "handler_name": "Maria microphone"})
        ticks = Fraction(1, 1000)
        container.set_chapters(
            [{"id": 1, "start": 0, "end": 100, "time_base": ticks, "metadata": {"title": "Maria at Hillside"}}]
        )
        for number in range(COUNT):
            frame = av.VideoFrame.from_ndarray(draw_person(DST, number)[0])
            frame.pts, frame.time_base = round(START * 25) + number + number // 3, Fraction(1, 25)
            for packet in video.encode(frame):
                container.mux(packet)
        container.mux(video.encode(None))
        for block in range(12):
            wave = np.sin(np.arange(1024, dtype=np.float32)[None] * 0.05)
            kind, sample = ("fltp", wave) if mp4 else ("s16", (wave * 9000).astype(np.int16))
            heard = av.AudioFrame.from_ndarray(sample, kind, "mono")
            heard.sample_rate, heard.time_base = 44100, Fraction(1, 44100)
            heard.pts = round((START + Fraction(1, 50)) * 44100) + block * 1024
            container.mux(sound.encode(heard))
        container.mux(sound.encode(None))
    data, there = path.read_bytes(), {key.lower(): value for key, value in texts(path).items()}
    assert all(secret in data for secret in (b"Maria", b"Hillside"))
    assert there["title"] == "Interview with Maria"
    assert there["location"] == "+52.5200+013.4050/"
    assert there["creation_time"].startswith("2021-03-04")
    assert "09:08:07:06" in there.values()
    assert there["chapter.metadata"] == "{'title': 'Maria at Hillside'}"
    return path


def secret_workspace(folder: Path, suffix: str = ".mp4") -> Workspace:
    workspace = Workspace.create(folder / "ws")
    workspace.set_video("dst", secret_video(folder / f"Maria at Hillside{suffix}"))
    write_faceset(workspace.aligned("dst"), DST, COUNT)
    save_checkpoint(workspace.model("one"), build_model(TINY, 0).state_dict(), {}, TrainState(model=TINY, step=5))
    return workspace


def merged(workspace: Workspace, output: Path, *, signed: bool = False, **facts: Any) -> Path:
    trust = TrustOptions(credentials=signed, content_check="off", **facts)
    list(merge(workspace, QUICK, EncodeOptions(), trust=trust, output=output))
    return output


def texts(path: Path) -> dict[str, str]:
    """All metadata that FFmpeg reads, of file, tracks and chapters."""
    with av.open(str(path)) as container:
        found = dict(container.metadata)
        for stream in container.streams:
            found |= {f"{stream.type}.{key}": value for key, value in stream.metadata.items()}
        found |= {f"chapter.{key}": str(value) for one in container.chapters() for key, value in one.items()}
        found["tracks"] = ",".join(stream.type for stream in container.streams)
        return found


def starts(path: Path) -> tuple[float, list[float], float]:
    """When the file starts, when pictures are shown from then on, and how much later the sound is heard."""
    with av.open(str(path)) as container:
        start = (container.start_time or 0) / 1_000_000
    times = [frame.seconds for frame in read_frames(path)]
    return start, [time - times[0] for time in times], sound_of(path)[0][1][0] - times[0]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_nothing_that_dst_says_of_itself_is_in_a_protected_result(tmp_path: Path, suffix: str) -> None:
    workspace = secret_workspace(tmp_path, suffix)
    dst = workspace.video("dst")
    result = merged(workspace, tmp_path / f"result{suffix}", signed=True, protect=True)
    sidecar = result.with_name(f"{result.name}.c2pa")
    assert sidecar.is_file() == (suffix == ".mkv")
    found, data = texts(result), result.read_bytes() + (sidecar.read_bytes() if sidecar.is_file() else b"")
    own = [workspace.origin("dst").name.encode(), hash_of([dst]).encode()]
    assert not [secret for secret in (*SECRETS, *own, b"deu", b"Interview") if secret in data]
    allowed = {"comment", "description", "encoder", "major_brand", "minor_version", "compatible_brands"}
    technical = {"handler_name", "vendor_id", "encoder", "language", "duration"}
    assert {key for key in found if "." not in key} - {"tracks"} <= {*allowed, *(key.upper() for key in allowed)}
    assert {key.split(".")[1].lower() for key in found if "." in key} <= technical
    assert found.get("audio.language", "und") == "und"
    assert found["tracks"] == "video,audio"
    start, times, lag = starts(result)
    assert abs(start) < 0.03  # the sound's first packet may lie before, as it does in dst
    assert times == pytest.approx(starts(dst)[1], abs=0.002)
    assert lag == pytest.approx(starts(dst)[2], abs=0.002)
    assert sound_of(result)[0][0] == sound_of(dst)[0][0]


def test_what_a_usual_result_takes_over_is_title_and_language_of_the_sound(tmp_path: Path) -> None:
    workspace = secret_workspace(tmp_path, ".mkv")
    result = merged(workspace, tmp_path / "result.mkv")
    found, data = texts(result), result.read_bytes()
    assert [secret for secret in SECRETS if secret in data] == [b"Maria"]
    assert {key: found.get(f"audio.{key}") for key in ("title", "language")} == {
        "title": "Maria speaks",
        "language": "deu",
    }
    assert not {"title", "location", "creation_time"} & {key.lower() for key in found}
    assert starts(result)[0] == pytest.approx(float(START) - 3, abs=0.03)  # moved by whole seconds


def with_vorbis(video: Path, path: Path) -> Path:
    """The pictures of a video with Vorbis sound, whose header says where it was made."""
    comment = b"LOCATION=Hillside " + b"x" * 300
    five, one, length = (number.to_bytes(4, "little") for number in (5, 1, len(comment)))
    told = b"\x03vorbis" + five + b"Canon" + one + length + comment + b"\x01"
    plain = path.with_name("plain.mkv")
    with av.open(str(plain), "w") as container:
        sound = container.add_stream("vorbis", rate=44100, layout="stereo")
        assert isinstance(sound, AudioStream)
        sound.codec_context.options = {"strict": "-2"}
        for block in range(12):
            heard = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), "fltp", "stereo")
            heard.sample_rate, heard.pts, heard.time_base = 44100, block * 1024, Fraction(1, 44100)
            container.mux(sound.encode(heard))
        container.mux(sound.encode(None))
    with av.open(str(plain)) as heard_in, av.open(str(video)) as seen, av.open(str(path), "w") as container:
        sources = seen.streams.video[0], heard_in.streams.audio[0]
        outs = [container.add_stream_from_template(source) for source in sources]
        header = bytes(sources[1].codec_context.extradata or b"")
        first, second = header[1], header[2]
        told_length = b"\xff" * (len(told) // 255) + bytes([len(told) % 255])
        parts = header[3 : 3 + first], told, header[3 + first + second :]
        outs[1].codec_context.extradata = header[:2] + told_length + b"".join(parts)
        taken: list[tuple[Iterator[av.Packet[Any]], Any]] = [
            (seen.demux(sources[0]), outs[0]),
            (heard_in.demux(sources[1]), outs[1]),
        ]
        for packets, out in taken:
            for packet in packets:
                if packet.dts is not None:
                    packet.stream = out
                    container.mux(packet)
    assert all(secret in path.read_bytes() for secret in (b"Hillside", b"Canon"))
    return path


def test_the_comments_in_the_header_of_vorbis_sound_are_dropped(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    workspace.set_video("dst", with_vorbis(secret_video(tmp_path / "secret.mkv"), tmp_path / "dst.mkv"))
    write_faceset(workspace.aligned("dst"), DST, COUNT)
    save_checkpoint(workspace.model("one"), build_model(TINY, 0).state_dict(), {}, TrainState(model=TINY, step=5))
    result = merged(workspace, tmp_path / "result.mkv", protect=True)
    assert not [secret for secret in SECRETS if secret in result.read_bytes()]
    with av.open(str(result)) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) > 10_000
    for wrong in (b"", b"\x02", b"\x02\x03\x04" + bytes(9), b"\x01" + bytes(40)):
        with pytest.raises(ValueError, match="no Vorbis header"):
            without_comments(wrong)


def test_the_sound_can_be_left_out(tmp_path: Path) -> None:
    workspace = secret_workspace(tmp_path)
    assert texts(merged(workspace, tmp_path / "result.mp4", sound="drop"))["tracks"] == "video"


def test_a_disguise_that_does_not_hold_is_refused_until_it_is_covered(tmp_path: Path) -> None:
    """Drawn faces are all alike to a recogniser, so a swap of one never hides it."""
    workspace, output = secret_workspace(tmp_path), tmp_path / "result.mp4"
    sources = sorted(workspace.aligned("dst").iterdir())
    for path in sources[1:3]:
        path.unlink()

    def proof(cover: bool) -> Iterator[Event]:
        trust = TrustOptions(credentials=False, content_check="off", protect=True, cover=cover)

        def merging() -> Iterator[Event]:
            return merge(workspace, QUICK, EncodeOptions(), trust=trust, output=output)

        return proved(merging, workspace, trust)

    with pytest.raises(ProtectionError, match=r"result\.mp4 is NOT protected: "):
        list(proof(cover=False))
    found = read(workspace)
    assert not found.protected
    missed = {frame.frame: frame for frame in found.frames}
    assert {missed[number].state for number in (2, 3)} <= {"recognised", "unseen"}
    assert all(frame.state != "hidden" for frame in found.frames)
    assert len(found.frames) == COUNT
    assert not workspace.done("protect")["protected"]
    assert all((workspace.report / name).is_file() for name in found.pictures.values())

    lines = said(proof(cover=True))
    assert any(line.startswith(f"covering the face in {COUNT} frames") for line in lines)
    covered = read(workspace)
    assert (covered.protected, covered.frames_compared, covered.sound) == (True, COUNT, True)
    assert {frame.state for frame in covered.frames} == {"hidden"}
    with pytest.raises(ConfigError, match="measured in a whole result only"):
        list(merge_piece(workspace, QUICK, EncodeOptions(), first=1, last=2, trust=TrustOptions(protect=True)))
    merged(workspace, output)
    assert not list(workspace.report.glob("protection.*"))  # it was about another result


def read(workspace: Workspace) -> Protection:
    return Protection.model_validate_json((workspace.report / "protection.json").read_text())


@pytest.fixture(scope="module")
def witness(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four frames of a man, the faceset of those but one, and the same frames of another man."""
    folder = tmp_path_factory.mktemp("witness")
    pictures = {
        name: [picture_to_rgb8(f.picture) for f in read_frames(CLIPS / f"{name}.mp4", 40, 44)]
        for name in ("d18", "d19")
    }
    encode(folder / "dst.mp4", pictures["d18"])
    encode(folder / "result.mp4", pictures["d19"])
    encode(folder / "left.mp4", [pictures["d18" if number == 2 else "d19"][number] for number in range(4)])
    workspace, finder = Workspace.create(folder / "ws"), FaceFinder()
    workspace.set_video("dst", folder / "dst.mp4")
    for side, name in (("dst", "d18"), ("src", "d19")):
        workspace.aligned(side).mkdir(parents=True)  # type: ignore[arg-type]
        for number, rgb in enumerate(pictures[name]):
            if (side, number) == ("dst", 2):
                continue
            crop, record = make_face(
                rgb, finder.find(rgb)[0], source="x", frame=number, time_seconds=0, number=0, size=256,
                face_type="full", track=0,
            )  # fmt: skip
            save_face(workspace.aligned(side) / face_name(record), crop, record)  # type: ignore[arg-type]
    return folder


def encode(path: Path, pictures: list[NDArray[np.uint8]]) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "14", "preset": "veryfast"})
        assert isinstance(stream, VideoStream)
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode(None))


@pytest.mark.skipif(not CLIPS.is_dir(), reason="LOOKALIKE_CLIPS does not name a folder of clips")
def test_real_people(witness: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another face in every frame protects; a frame that shows the witness, whom the faceset lacks there, does not."""
    workspace = Workspace(witness / "ws")
    events = protect(workspace, witness / "result.mp4")
    lines = said(events)
    found = read(workspace)
    assert (found.protected, found.frames_compared, found.frames_with_person) == (True, 4, 4)
    assert all(frame.distances["dlib"].mean > 0.65 for frame in found.frames)
    assert not any("NOT" in line for line in lines)
    assert run(["report", str(workspace.folder), "--protect", "--result", str(witness / "left.mp4")]) == 1
    left = read(workspace)
    assert [(one.first, one.last, one.reason) for one in left.recognised] == [
        (3, 3, "not replaced, as the faceset lacks it")
    ]
    assert (left.possible, left.unseen, left.protected) == ([], [], False)
    shown = capsys.readouterr()
    assert "frame 3 (0.08 s): SHOWN: not replaced" in shown.out
    assert shown.err.startswith("error: left.mp4 is NOT protected: 1 frames that show the person's own face")
    assert "Disguise holds" not in (workspace.report / "protection.html").read_text()
