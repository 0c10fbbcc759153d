"""A folder of workspaces with links that lead out of it, and what lies outside and must not be seen."""

import io
from pathlib import Path

import numpy as np
import tomli_w
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from drawn_faces import DST, SRC, drawn_record, write_faceset
from lookalike.faceset import save_face
from lookalike.pipeline.workspace import Side, VideoSource, Workspace

WORDS = b"nobody-may-read-this"
COLOR = (250, 4, 250)
"""Of a picture outside; nothing drawn has it."""
FILES = (
    "data_src.mp4", "data_dst.mp4", "clip.mp4", "result.mp4", "merge.toml", "report/index.html", "report/report.json",
    "report/frame-00001.jpg", "report/strip.jpg", "model/df/preview.jpg", "model/df/preview_masked.jpg",
    "model/df/previews/0000001.jpg", "model/df/previews.mp4", "model/df/timelapse.mp4", "model/df/log.jsonl",
    "model/df/state.json", "model/df/status.json", "model/df/validation.jsonl", "model/df/model.safetensors",
    "model/df/backups/01/preview.jpg", "model/df/backups/01/state.json", "data_src/edits.json", "data_dst/edits.json",
    "data_dst/merged/00001.png", "piece.mp4", "preview.mp4", ".studio/check.json", ".studio/piece.mp4",
    ".studio/jobs.json", "uploads/a.mp4",
)  # fmt: skip
"""Names that some page may read."""
SIDES: tuple[Side, ...] = ("src", "dst")


def write_secrets(folder: Path) -> tuple[Path, Path]:
    """A text and a picture; and a face, which is found by their side."""
    folder.mkdir()
    text, picture = folder / "secret.txt", folder / "secret.png"
    text.write_bytes(WORDS * 10)
    info = PngInfo()
    info.add_text("note", WORDS.decode())
    Image.new("RGB", (64, 64), COLOR).save(picture, pnginfo=info)
    crop, record = drawn_record(SRC, 7)
    crop[:] = COLOR
    save_face(folder / "face.jpg", crop, record)
    return text, picture


def workspace_of_links(root: Path, secrets: tuple[Path, Path]) -> Workspace:
    """A workspace all of whose files but its record and two faces a side are links to a secret."""
    text, picture = secrets
    workspace = Workspace.create(root / "linked")
    for name in FILES:
        path = workspace.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(picture if path.suffix in (".jpg", ".png") else text)
    record = workspace.record
    for side, file in (("src", "data_src.mp4"), ("dst", str(text))):  # a link, and a record that was written by hand
        source = VideoSource(origin=file, file=file, size=text.stat().st_size, modified=text.stat().st_mtime_ns)
        record = record.model_copy(update={side: source})
    (workspace.folder / "workspace.toml").write_text(tomli_w.dumps(record.model_dump(exclude_none=True)))
    for side, person in zip(SIDES, (SRC, DST), strict=True):
        faceset = write_faceset(workspace.aligned(side), person, 2)
        for place in (faceset, workspace.trash(side), faceset.with_name("aligned_debug")):
            place.mkdir(exist_ok=True)
            (place / "link.jpg").symlink_to(picture)
            (place / "link.png").symlink_to(picture)
            (place / "link.txt").symlink_to(text)
            (place / "face.jpg").symlink_to(text.with_name("face.jpg"))
    return workspace


def shows_secret(body: bytes) -> bool:
    """Whether an answer has the words, or a picture of the colour, as it is or inside."""
    if WORDS in body:
        return True
    starts = [at for sign in (b"\xff\xd8\xff", b"\x89PNG", b"RIFF") if (at := body.find(sign)) >= 0]
    for start in starts:
        try:
            with Image.open(io.BytesIO(body[start:])) as image:
                pixels = np.asarray(image.convert("RGB"), np.float32).reshape(-1, 3)
        except (OSError, ValueError):
            continue
        if (np.abs(pixels - COLOR).max(1) < 40).mean() > 0.02:
            return True
    return False
