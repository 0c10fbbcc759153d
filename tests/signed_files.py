"""Small files of every kind that is signed, and the library's own word on them."""

import io
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import c2pa
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.provenance.claim import Claim, FacesetFacts, ModelFacts, file_facts
from lookalike.provenance.credentials import Credentials
from lookalike.provenance.identity import identity_folder, open_identity
from lookalike.provenance.sidecar import sidecar_of
from lookalike.site_config import Signing
from lookalike.video import EncodeOptions, VideoWriter, probe, read_frames

VIDEOS = ("mp4", "mov", "mkv", "webm")
IMAGES = ("png", "jpg", "webp")
MIMES = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "mkv": "video/x-matroska",
    "webm": "video/webm",
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
}


@dataclass(frozen=True)
class Said:
    """The library's own word on a file."""

    state: str
    failures: list[str]
    manifest: dict[str, Any]
    """The active one."""
    manifests: int


def drawn_frames(folder: Path, count: int = 5, side: int = 64) -> Path:
    """A folder of pictures that are no two alike."""
    folder.mkdir()
    noise = np.random.default_rng(0)
    for number in range(count):
        small = noise.integers(0, 255, (side // 8, side // 8, 3), dtype=np.uint8)
        Image.fromarray(np.kron(small, np.ones((8, 8, 1), np.uint8))).save(folder / f"{number:05d}.png")
    return folder


def encoded(frames: Path, path: Path, tags: dict[str, str] | None = None) -> Path:
    """A video of the pictures of a folder."""
    info = probe(frames)
    webm = path.suffix == ".webm"
    options = EncodeOptions(codec="vp9", preset="8") if webm else EncodeOptions(codec="h264", preset="ultrafast")
    with VideoWriter(path, info, options, tags) as writer:
        for frame in read_frames(frames):
            writer.write(frame)
    return path


def image_bytes(kind: str, path: Path) -> bytes:
    """A picture as a file of another kind."""
    data = io.BytesIO()
    with Image.open(path) as picture:
        picture.save(data, {"jpg": "JPEG"}.get(kind, kind.upper()))
    return data.getvalue()


def claim_of(dst: Path, **more: object) -> Claim:
    """What is told of a result made of dst."""
    told = {
        "version": "0.1.0",
        "made": "2026-01-02T03:04:05Z",
        "dst": file_facts(dst),
        "src": FacesetFacts(title="somebody", faces=7, sha256="a" * 64),
        "models": [ModelFacts(name="m", kind="guided", sha256="b" * 64, iterations=1000)],
        "settings": {"mask": "learned", "erode": 5, "share": 0.25, "whole": 1.0},
        "consents": ["c" * 64],
        "content_check": "open-nsfw: nothing found",
    }
    return Claim.model_validate(told | more)


def signed(
    kind: str, folder: Path, frames: Path, *, dst: Path | None = None, face: bytes | None = None, name: str = "result"
) -> Path:
    """A file of a kind, signed as a result of dst; its sidecar beside it."""
    claim = claim_of(dst or frames)
    credentials = Credentials(claim, open_identity(Signing()), dst=dst, face_picture=face)
    output, temporary = folder / f"{name}.{kind}", folder / f".{name}.partial.{kind}"
    if kind in IMAGES:
        temporary.write_bytes(image_bytes(kind, next(iter(sorted(frames.iterdir())))))
    else:
        encoded(frames, temporary, credentials.tags())
    credentials.sign_file(temporary, output=output)
    temporary.replace(output)
    return output


def copied(path: Path, to: Path) -> Path:
    """A copy with its sidecar."""
    shutil.copyfile(path, to)
    if sidecar_of(path).is_file():
        shutil.copyfile(sidecar_of(path), sidecar_of(to))
    return to


def flipped(path: Path, at: int) -> Path:
    """The file with one bit changed."""
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)
    return path


def picture_byte(path: Path) -> int:
    """Where a byte of the coded picture lies."""
    data = path.read_bytes()
    start = {
        ".png": b"IDAT",
        ".jpg": b"\xff\xda",
        ".webp": b"VP8 ",
        ".mkv": b"\x1f\x43\xb6\x75",
        ".webm": b"\x1f\x43\xb6\x75",
    }
    return data.rindex(start.get(path.suffix, b"mdat")) + 60


def read_with_library(path: Path, *, trust: bool) -> Said:
    """What the C2PA library says without us, with or without this machine's root as an anchor."""
    settings = {"trust": {"user_anchors": (identity_folder() / "root.pem").read_text()}} if trust else {}
    store = sidecar_of(path).read_bytes() if sidecar_of(path).is_file() else None
    mime = MIMES[path.suffix[1:]]
    with (
        c2pa.Context.from_dict(settings) as context,
        path.open("rb") as file,
        c2pa.Reader(mime, file, store, context=context) as reader,
    ):
        results = reader.get_validation_results()["activeManifest"]
        codes = [one["code"] for one in results["failure"]]
        count = len(json.loads(reader.json())["manifests"])
        return Said(reader.get_validation_state(), codes, reader.get_active_manifest(), count)


def pixels(path: Path) -> list[NDArray[np.uint8]]:
    """All pictures of a file, decoded."""
    if path.suffix[1:] in IMAGES:
        with Image.open(path) as picture:
            return [np.asarray(picture.convert("RGB"))]
    # The brands at the start of an MP4 are text that C2PA signs not, so that a mutation may spoil it.
    with av.open(str(path), metadata_errors="replace") as container:
        return [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in container.decode(video=0)]


def remuxed(path: Path, to: Path) -> Path:
    """The streams and tags of a file in another file, as FFmpeg copies them."""
    with av.open(str(path)) as source, av.open(str(to), "w") as container:
        container.metadata.update(source.metadata)
        streams = {stream.index: container.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                container.mux(packet)
    return to
