"""Readers of our own text files."""

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from drawn_faces import model_landmarks
from fuzz.mutate import TEXT_TOKENS
from fuzz.target import Seed, Target
from fuzz.values import changed_json, changed_toml
from lookalike.errors import LookalikeError

_WORKSPACE: Final = b"""format = 1
version = "0.1.0"

[src]
origin = "/videos/a.mp4"
file = "data_src.mp4"
size = 12
modified = 1700000000000000000

[dst]
origin = "/videos/b.mp4"
file = "../b.mp4"
size = 5
modified = 1

[steps.extract_src]
faces = 120
config = { detector = "yunet", size = 256 }
"""
_MERGE: Final = b"""format = 1
[defaults]
erode = 5
color_transfer = "lct"

[[shots]]
first = 1
last = 20
name = "the first"
options = { mode = "overlay", blur = 3 }

[[shots]]
first = 21
last = 30
"""
_SITE: Final = b"""[signing]
certificate = "a.pem"
key = "a.key"

[policy]
require_consent = true
content_check = "open-nsfw"
credentials = true
"""


def _json(*values: Any) -> Callable[[], Sequence[Seed]]:
    return lambda: [Seed(json.dumps(value).encode(), change=changed_json) for value in values]


def _landmarks() -> list[list[float]]:
    return [[float(x), float(y)] for x, y in model_landmarks()]


def _edits() -> Sequence[Seed]:
    face = {"landmarks": _landmarks()}
    return _json(
        {"format": 1, "frames": {"0": [face], "9": [face], "12": []}, "between": [[0, 9]]},
        {"format": 1, "frames": {"3": [{"box": [1, 2, 30, 40]}], "6": [{"box": [1, 2, 30, 50]}]}, "between": [[3, 6]]},
    )()


def _boxes() -> Sequence[Seed]:
    entries = [{"frame": 3, "box": [1, 2, 30, 40], "score": 0.5}, {"frame": 4, "landmarks": _landmarks()}]
    rows = b"frame,x1,y1,x2,y2,score\n1,2,3,40,50,0.5\n2,2,3,40,50,0.25\n"
    return [*_json(entries)(), Seed(rows), Seed(rows.replace(b",score", b"").replace(b",0.5\n", b"\n"))]


def _consents() -> Sequence[Seed]:
    from lookalike.pipeline.consent_record import Material, Terms, add_record, withdraw_record
    from lookalike.pipeline.workspace import Workspace

    with TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder) / "ws")
        terms = Terms(name="Somebody", purpose=["test"], use="a test")
        add_record(workspace, terms, "src", [Material(role="video", title="a.mp4", sha256="a" * 64)])
        withdraw_record(workspace, 1, "asked to", mistake=False)
        (whole,) = (path.read_bytes() for path in (workspace.folder / "consents").glob("*.json"))
    held = json.loads(whole)

    def wrap(text: bytes) -> bytes:
        """The record's own hash made right, so that more than it is looked at."""
        from lookalike.pipeline.consent_record import record_hash

        try:
            value = json.loads(text)
            return json.dumps(held | {"record": value, "sha256": record_hash(value)}).encode()
        except (ValueError, RecursionError):
            return b'{"format": 1, "record": ' + text + b"}"

    return [Seed(json.dumps(held["record"]).encode(), wrap, changed_json), Seed(whole, change=changed_json)]


def _put(data: bytes, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _read_workspace(data: bytes, folder: Path) -> None:
    from lookalike.pipeline.workspace import Workspace

    _put(data, folder / "workspace.toml")
    _put(b"123456789012", folder / "data_src.mp4")
    workspace = Workspace(folder)
    _ = workspace.record
    for side in ("src", "dst"):
        with suppress(LookalikeError):
            workspace.video(side)
            workspace.source_names(side)
    workspace.note("merge", frames=3)
    assert workspace.done("merge") == {"frames": 3}


def _read_merge(data: bytes, folder: Path) -> None:
    from lookalike.merging.config import MergeConfig
    from lookalike.pipeline.merge_settings import read_merge_file, settings_of, write_merge_file

    path = _put(data, folder / "merge.toml")
    content = read_merge_file(path)
    settings = settings_of(path, content, MergeConfig())
    settings.of(5)
    settings.all()
    write_merge_file(path, content)
    assert read_merge_file(path) == content


def _read_site(data: bytes, folder: Path) -> None:
    from lookalike.site_config import load_site_config

    os.environ["LOOKALIKE_CONFIG"] = str(_put(data, folder / "config.toml"))
    load_site_config()


def _read_edits(data: bytes, folder: Path) -> None:
    from lookalike.pipeline.edits import edits_mark, read_edits, write_edits

    path = _put(data, folder / "edits.json")
    edits = read_edits(path)
    every = edits.every_frame()
    edits_mark(every)
    for faces in list(every.values())[:20]:
        for face in faces:
            face.detection()
    write_edits(path, edits)
    assert read_edits(path) == edits


def _read_frames(data: bytes, folder: Path) -> None:
    from lookalike.video.sidecar import load_times

    _put(data, folder / "frames.json")
    load_times(folder)


def _read_boxes(data: bytes, folder: Path) -> None:
    from lookalike.faces.boxes_file import export_detections, read_detections

    suffix = ".json" if data.lstrip()[:1] in (b"[", b"{") else ".csv"
    found = read_detections(_put(data, folder / f"boxes{suffix}"))
    export_detections(folder / "again.json", found)
    read_detections(folder / "again.json")


def _read_jobs(data: bytes, folder: Path) -> None:
    from lookalike.web.studio.job import keep, recall

    _put(data, folder / ".studio" / "jobs.json")
    jobs = recall(folder)
    keep(folder, jobs)
    assert len(recall(folder)) == len(jobs)


def _read_consents(data: bytes, folder: Path) -> None:
    from lookalike.pipeline.consent_record import read_records
    from lookalike.pipeline.workspace import Workspace

    workspace = Workspace.create(folder / "ws")
    _put(data, workspace.folder / "consents" / "0001.json")
    read_records(workspace)


def _read_check(data: bytes, folder: Path) -> None:
    from lookalike.pipeline.check_file import read_check
    from lookalike.pipeline.workspace import Workspace

    _put(b"format = 1\n", folder / "workspace.toml")
    _put(data, folder / ".studio" / "check.json")
    read_check(Workspace(folder))


_JOB: Final = {
    "number": 1, "workspace": "ws", "kind": "train", "side": None, "options": {"a": 1}, "words": ["train", "ws"],
    "state": "done", "made": 1.5, "started": 2.0, "ended": None, "lines": ["x"], "error": None, "done": 1, "total": 2,
}  # fmt: skip
_TIMES: Final = {
    "format": 1, "source": "a.mp4", "key": "k", "rate": "30000/1001", "time_base": "1/90000",
    "pts": {"1.png": 0, "2.png": 9},
}  # fmt: skip
_FINDING: Final = {"what": "size", "found": "good", "verdict": "good", "advice": "go on"}
_CHECK: Final = {
    "format": 1, "version": "0.1.0", "made": 1.0, "pair": [_FINDING],
    "src": {"video": "a", "frames": 3, "findings": [_FINDING], "faces": [{"frame": 1, "yaw": 2.0, "pitch": 3.0}]},
}  # fmt: skip


def _toml(*texts: bytes) -> Callable[[], Sequence[Seed]]:
    return lambda: [Seed(text, change=changed_toml) for text in texts]


OWN_TEXTS: Final = (
    Target("workspace.toml", _toml(_WORKSPACE), _read_workspace, TEXT_TOKENS, 0.5),
    Target("merge.toml", _toml(_MERGE), _read_merge, TEXT_TOKENS),
    Target("config.toml", _toml(_SITE), _read_site, TEXT_TOKENS, 0.5),
    Target("edits.json", _edits, _read_edits, TEXT_TOKENS),
    Target("frames.json", _json(_TIMES), _read_frames, TEXT_TOKENS, 0.5),
    Target("boxes", _boxes, _read_boxes, TEXT_TOKENS),
    Target("jobs.json", _json({"format": 1, "jobs": [_JOB, _JOB]}), _read_jobs, TEXT_TOKENS),
    Target("check.json", _json(_CHECK), _read_check, TEXT_TOKENS, 0.5),
    Target("consents", _consents, _read_consents, TEXT_TOKENS),
)
