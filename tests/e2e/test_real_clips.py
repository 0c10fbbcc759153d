"""Extraction of real people, where the folder of clips is there: LOOKALIKE_CLIPS names it."""

import os
from pathlib import Path

import pytest

from lookalike.errors import NoFaceError
from lookalike.faceset import list_faces, load_record
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.extract import extract
from lookalike.pipeline.workspace import Workspace
from lookalike.video import probe

CLIPS = Path(os.environ.get("LOOKALIKE_CLIPS", "no folder of clips"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CLIPS.is_dir(), reason="LOOKALIKE_CLIPS does not name a folder of clips"),
]


def extracted(name: str, folder: Path) -> Workspace:
    workspace = Workspace.create(folder / "ws")
    workspace.set_video("src", CLIPS / name)
    for _ in extract(workspace, "src", ExtractConfig(size=128)):
        pass
    return workspace


@pytest.mark.parametrize("name", ["smile.mp4", "d19.mp4", "hands.mp4"])
def test_one_face_in_every_frame(name: str, tmp_path: Path) -> None:
    workspace = extracted(name, tmp_path)
    frames = [load_record(path).frame for path in list_faces(workspace.aligned("src"))]
    assert frames == list(range(probe(CLIPS / name).frame_count))


def test_a_concert(tmp_path: Path) -> None:
    cuts = (20, 82, 211)
    workspace = extracted("crowd.mp4", tmp_path)
    kept = [load_record(path) for path in list_faces(workspace.aligned("src"))]
    assert [record.frame for record in kept] == [*range(20), *range(82, 211)]  # the singer
    others = [load_record(path) for path in list_faces(workspace.trash("src"))]
    spans: dict[int, set[int]] = {}
    for record in kept + others:
        spans.setdefault(record.track, set()).add(sum(record.frame >= cut for cut in cuts))
    assert all(len(shots) == 1 for shots in spans.values())


def test_nobody(tmp_path: Path) -> None:
    with pytest.raises(NoFaceError, match=r"no face was found in no_face\.mp4"):
        extracted("no_face.mp4", tmp_path)
