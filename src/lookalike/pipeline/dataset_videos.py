"""The videos of a data set: clips encoded once more, at some quality, and their frames as images."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from lookalike import __version__
from lookalike.errors import EncoderError
from lookalike.files import write_bytes
from lookalike.pipeline.image_files import image_bytes
from lookalike.pipeline.segments import MARK, SegmentedVideo
from lookalike.pipeline.sequence import image_path
from lookalike.pipeline.workspace import fingerprint
from lookalike.provenance.again import sign_again
from lookalike.provenance.certificates import Identity
from lookalike.types import Event, Progress, VideoInfo
from lookalike.video import EncodeOptions, check_output, codecs_of, file_tags, probe, read_frames
from lookalike.video.codecs import crf_of

STEP: Final = "dataset"
_CRF_CODECS: Final = ("h264", "h265", "av1", "vp9")
_MARKS: Final = ("comment", "description")
"""Tags by which a video says that it is a fake; others of the result do not go along."""


def video_name(clip: str, info: VideoInfo, sound: bool) -> str:
    """The name of a clip's file: .mp4, or .mkv where that cannot hold the sound that goes along."""
    if sound and info.audio_tracks:
        try:
            check_output(Path(f"{clip}.mp4"), info, EncodeOptions())
        except EncoderError:
            return f"{clip}.mkv"
    return f"{clip}.mp4"


def encode_clip(
    source: VideoInfo, path: Path, crf: int, *, sound: bool, tags: dict[str, str], seal: Callable[[Path], object] | None
) -> Iterator[Event]:
    """Encode a video with H.264; goes on where a killed run stopped.

    Args:
        source: what is encoded.
        path: where to, in a folder of its own.
        crf: quality.
        sound: whether its sound is copied.
        tags: all that the file says of itself.
        seal: called with the finished file, before anybody else sees it.
    """
    options = EncodeOptions(codec="h264", crf=crf)
    video = SegmentedVideo(path.with_name(".pieces"), fingerprint(options), source, options)
    for frame in video.write(read_frames(source.path, video.start)):
        yield Progress(STEP, frame.index + 1, max(source.frame_count, frame.index + 1), note=f"{path.stem} crf {crf}")
    keeps = source.path if sound and source.audio_tracks else None
    video.finish(path, keeps, metadata=tags, bare=True)
    if seal is not None:
        seal(path)


def fake_tags(result: Path) -> dict[str, str]:
    """What a copy of a result says in plain metadata: that it is AI-generated, and that credentials belong to it."""
    kept = {key: value for key, value in file_tags(result).items() if key.lower() in _MARKS}
    return kept if "comment" in kept else {**kept, "comment": MARK}


def resigned(result: Path, identity: Identity) -> Callable[[Path], object]:
    """A seal that signs a file as made of a result."""
    return lambda path: sign_again(path, path, identity, __version__, parent=result)


def write_images(video: Path, folder: Path) -> Iterator[Event]:
    """Every frame of a video as PNG, 00001.png and on; those that a killed run wrote are kept."""
    info = probe(video)
    folder.mkdir(parents=True, exist_ok=True)
    for frame in read_frames(video):
        path = image_path(folder, frame.index)
        if not path.is_file():
            write_bytes(path, image_bytes(frame.picture))
        yield Progress(STEP, frame.index + 1, max(info.frame_count, frame.index + 1), note=f"{folder.name} images")


def encoded_from(video: Path, noted: Mapping[str, object]) -> str:
    """How a file is encoded that is encoded once more, in words.

    Args:
        video: the file.
        noted: the options it was encoded with, where that is known.
    """
    if noted.get("lossless") or noted.get("codec") == "ffv1":
        return "lossless"
    codec = codecs_of(video).picture
    if not noted or noted.get("bitrate") is not None or noted.get("hardware", "off") != "off":
        return codec
    return f"{codec} crf {crf_of(EncodeOptions.model_validate(noted))}" if noted["codec"] in _CRF_CODECS else codec
