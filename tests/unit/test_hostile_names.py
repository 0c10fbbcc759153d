"""Names from elsewhere: in archives, journals, logs and caches they lead nowhere, in messages they stay one line."""

import contextlib
import io
import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bounded import assert_bounded, run_attacks, snapshot
from drawn_faces import SRC, drawn_record, write_faceset
from drawn_workspace import drawn_workspace, names, said
from hostile_images import encoded
from hostile_videos import drawn
from lookalike.cli import run
from lookalike.cli.text import one_line
from lookalike.errors import FacesetError
from lookalike.faceset import encode_array
from lookalike.faceset.index import FacesetIndex
from lookalike.faceset.mend import mend
from lookalike.faceset.rename import history, journal_path, undo_renames
from lookalike.files import replacing, write_bytes
from lookalike.pipeline.faceset_files import export_faces, import_faces, pack
from lookalike.pipeline.scan_log import Line, ScanLog, Seen
from lookalike.pipeline.workspace import Workspace
from lookalike.untrusted import is_plain

AWAY = ["../secret.jpg", "../../secret.jpg", "/etc/passwd", "a/b.jpg", "..", ".", "", "a\0.jpg", "./a.jpg", "a/"]
ODD = [
    "a\nb",
    "a\x1b[31m\rb",
    "\u202egpj.b",
    "a\u2028b",
    "-rf",
    "--overwrite",
    "%d%s%n",
    "$(touch evil)",
    "'; ls #",
    " a ",
    "😀" * 40,
]
ODD += ["a" * 200, "ü" * 100, "con", "a\\b", "*?", "~", "a\x7fb", "name\x9b31m"]


@pytest.mark.parametrize("name", AWAY)
def test_names_that_lead_away_are_not_plain(name: str) -> None:
    assert not is_plain(name)
    assert is_plain("a b..jpg")
    assert is_plain("..a")


def journal(**values: Any) -> str:
    return json.dumps({"format": 1, **values})


def pending(old: str, new: str, stage: str) -> str:
    return journal(pending={"why": "sort yaw", "at": 0.0, "names": [[old, new]], "stage": stage})


@pytest.mark.parametrize("name", AWAY)
@pytest.mark.parametrize("stage", ["hide", "show", "history"])
def test_a_journal_moves_nothing_elsewhere(tmp_path: Path, name: str, stage: str) -> None:
    folder = write_faceset(tmp_path / "ws" / "data_src" / "aligned", SRC, 2)
    for place in (tmp_path, tmp_path / "ws", tmp_path / "ws" / "data_src"):
        (place / "secret.jpg").write_bytes(b"secret")
    for pair in ((name, "b.jpg"), ("00001_0.jpg", name)):
        text = pending(*pair, stage)
        if stage == "history":
            text = journal(history=[{"why": "sort", "at": 0.0, "names": [list(pair)]}])
        journal_path(folder).write_text(text, encoding="utf-8")
        before = snapshot(tmp_path)
        for what in (mend, history, undo_renames):
            with pytest.raises(FacesetError, match=r"aligned\.renames\.json cannot be read \(a name leads elsewhere\)"):
                what(folder)
        assert snapshot(tmp_path) == before


@pytest.mark.parametrize("name", AWAY)
def test_a_list_of_rejects_moves_nothing_elsewhere(tmp_path: Path, name: str) -> None:
    folder = write_faceset(tmp_path / "ws" / "aligned", SRC, 2)
    (tmp_path / "secret.jpg").write_bytes((folder / "00001_0.jpg").read_bytes())
    for values in ({"trash": name, "rejects": {"00001_0.jpg": "x"}}, {"trash": "trash", "rejects": {name: "x"}}):
        (tmp_path / "ws" / "aligned.rejects.json").write_text(journal(**values), encoding="utf-8")
        before = snapshot(tmp_path)
        with pytest.raises(FacesetError, match="a name leads elsewhere"):
            mend(folder)
        assert snapshot(tmp_path) == before


def test_a_log_of_the_search_names_only_its_own_faces(tmp_path: Path) -> None:
    look, good = encode_array(np.zeros((16, 16)), np.uint8), tmp_path / "good.jsonl"
    sound = Seen("00001_0.jpg", 0, (1.0, 2.0, 3.0, 4.0), 0.9, look, embedding=encode_array(np.zeros(128), np.float32))
    ScanLog(good).add(Line((sound,)))
    line = json.loads(good.read_text())
    changes: list[dict[str, Any]] = [{"file": name} for name in AWAY]
    changes += [{"look": "AAAA"}, {"look": "!"}, {"embedding": "AAAA"}, {"box": [float("nan")] * 4}, {"box": "abcd"}]
    changes += [{"embedding": encode_array(np.full(128, np.inf), np.float32)}, {"score": float("inf")}, {"score": []}]
    for number, change in enumerate(changes):
        path = tmp_path / f"{number}.jsonl"
        path.write_text(good.read_text() + json.dumps({"faces": [line["faces"][0] | change]}) + "\n")
        assert len(ScanLog.open(path).frames) == 1, change
    (tmp_path / "deep.jsonl").write_text("[" * 100_000 + "\n")
    assert ScanLog.open(tmp_path / "deep.jsonl").frames == []
    assert len(ScanLog.open(good).frames) == 1


def test_an_index_brings_in_no_names_or_records(tmp_path: Path) -> None:
    folder = write_faceset(tmp_path / "aligned", SRC, 3)
    (tmp_path / "secret.jpg").write_bytes((folder / "00001_0.jpg").read_bytes())
    with FacesetIndex(folder) as index:
        index.sync()
        path = index.path
    record = drawn_record(SRC, 1)[1].model_dump() | {"landmarks": [[1e308, 1]] * 68}
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute("INSERT INTO faces VALUES ('../secret.jpg', 1, 1, '{}', NULL)")
        db.execute("UPDATE faces SET record = ? WHERE name = '00002_0.jpg'", (json.dumps(record, default=str),))
    with FacesetIndex(folder) as index:
        index.sync()
        assert index.names() == [f"0000{number}_0.jpg" for number in (1, 2, 3)]
        with pytest.raises(FacesetError, match=r"aligned\.index\.sqlite is damaged .*delete it, it is made again"):
            index.records()
    path.unlink()
    with FacesetIndex(folder) as index:
        index.sync()
        assert len(index.records()) == 3


def test_features_of_an_index_have_one_size(tmp_path: Path) -> None:
    from lookalike.curation.features import FEATURES

    folder = write_faceset(tmp_path / "aligned", SRC, 3)
    feature = next(iter(FEATURES.values()))
    with FacesetIndex(folder) as index:
        index.sync()
        index.features([feature])
        with contextlib.closing(sqlite3.connect(index.path)) as db, db:
            db.execute("UPDATE features SET data = x'0102030405' WHERE name = '00002_0.jpg'")
        with pytest.raises(FacesetError, match=r"is damaged .*differs in size"):
            index.table([feature])


def test_links_in_a_faceset(tmp_path: Path) -> None:
    """A link to a picture is read as the picture; moved or deleted is the link; what is no face goes into no pack."""
    place = drawn_workspace(tmp_path)
    aligned, outside = place.aligned("dst"), tmp_path / "outside"
    outside.mkdir()
    (outside / "face.jpg").write_bytes((aligned / "00001_0.jpg").read_bytes())
    (outside / "key.pem").write_bytes(b"-----BEGIN PRIVATE KEY-----")
    (aligned / "90001_0.jpg").symlink_to(outside / "face.jpg")
    (aligned / "90002_0.jpg").symlink_to(outside / "key.pem")
    (aligned / "90003_0.jpg").symlink_to("/dev/zero")
    before = snapshot(outside)
    assert "90003_0.jpg" not in names(aligned)
    with pytest.raises(FacesetError, match=r"90002_0\.jpg is a link to what is no face; remove it"):
        list(pack(place, "dst"))
    (aligned / "90002_0.jpg").unlink()
    list(export_faces(place, "dst", tmp_path / "copies"))
    list(pack(place, "dst"))
    assert said(import_faces(place, "src", aligned))
    assert snapshot(outside) == before


BOX = [{"box": [0, 0, 9, 9]}]
LARGEST = {"model": "guided", "resolution": 640, "ae_dims": 1024, "e_dims": 256, "d_dims": 256}
HOSTILE_FILES: dict[str, tuple[str, Callable[[], str]]] = {
    "workspace deep": ("workspace.toml", lambda: "a = " + "[" * 100_000),
    "workspace long": ("workspace.toml", lambda: "#" * (70 << 20)),
    "workspace odd": ("workspace.toml", lambda: 'version = 7\n[steps.x]\n"\x07" = 1'),
    "merge deep": ("merge.toml", lambda: "a = " + "{a = " * 50_000),
    "merge numbers": (
        "merge.toml",
        lambda: "[[shots]]\nfirst = 1\nlast = 99999999999999999999999999\n[defaults]\nblur = 1e999",
    ),
    "merge nan": ("merge.toml", lambda: "[defaults]\nerode = nan\nblur = -inf\n"),
    "edits deep": ("edits.json", lambda: "[" * 200_000),
    "edits far": ("edits.json", lambda: '{"frames": {"0": [{"box": [0, 0, 1e300, 1e300]}]}}'),
    "edits nan": ("edits.json", lambda: '{"frames": {"0": [{"box": [0, 0, NaN, 9]}]}}'),
    "edits between": (
        "edits.json",
        lambda: json.dumps({"frames": {"0": BOX, "99999999": BOX}, "between": [[0, 99999999]]}),
    ),
    "edits frame": ("edits.json", lambda: json.dumps({"frames": {"9" * 400: BOX}})),
    "times": (
        "frames.json",
        lambda: json.dumps({"format": 1, "source": "a", "key": "b", "rate": "1/0", "time_base": "9" * 99}),
    ),
    "times huge": (
        "frames.json",
        lambda: json.dumps({"source": "a", "key": "b", "rate": "1", "time_base": "1", "pts": {"a": 1e300}}),
    ),
    "boxes": ("boxes.json", lambda: json.dumps([{"frame": 10**30, "box": [0, 0, 1, 1]}])),
    "boxes nan": ("boxes.json", lambda: '[{"frame": 1, "box": [NaN, 0, 1, Infinity]}]'),
    "boxes deep": ("boxes.json", lambda: "[" * 200_000),
    "boxes many": ("boxes.json", lambda: json.dumps([{"frame": 1, "box": [0, 0, 9, 9]}] * 5000)),
    "table": ("boxes.csv", lambda: "frame,x1,y1,x2,y2\n1e9,0,0,inf,nan\n"),
    "table wide": ("boxes.csv", lambda: "frame,x1,y1,x2,y2\n" + "9," * 100_000),
    "table cell": ("boxes.csv", lambda: "frame,x1,y1,x2,y2\n" + "9" * 1_000_000),
    "state": (
        "state.json",
        lambda: json.dumps({"format": 2, "model": {"model": "guided", "resolution": 128, "ae_dims": 10**9}}),
    ),
    "state deep": ("state.json", lambda: "[" * 200_000),
    "state step": ("state.json", lambda: json.dumps({"format": 2, "step": -1, "model": {"model": "guided"}})),
    "state nan": ("state.json", lambda: '{"format": 2, "seconds": NaN, "model": {"model": "guided"}}'),
    "state fits not": ("state.json", lambda: json.dumps({"format": 2, "model": LARGEST})),
    "state only": ("state.json", lambda: json.dumps({"format": 2, "model": {"model": "guided"}})),
}
WEIGHTS: dict[str, Callable[[], bytes]] = {
    "none": lambda: b"",
    "head without end": lambda: (1 << 62).to_bytes(8, "little") + b"{}",
    "head of a gigabyte": lambda: (1 << 30).to_bytes(8, "little") + b"{" + b" " * 1000,
    "deep": lambda: _weights("[" * 200_000),
    "shape": lambda: _weights(json.dumps({"a": {"dtype": "F32", "shape": [1 << 40, 1 << 40], "data_offsets": [0, 4]}})),
    "offsets": lambda: _weights(json.dumps({"a": {"dtype": "F32", "shape": [1 << 38], "data_offsets": [0, 1 << 40]}})),
    "below": lambda: _weights(json.dumps({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}})),
    "pickle": lambda: b"\x80\x04cos\nsystem\n(S'touch /tmp/evil'\ntR.",
    "other": lambda: _weights(json.dumps({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})),
}


def _weights(head: str) -> bytes:
    return len(head).to_bytes(8, "little") + head.encode() + bytes(4)


def read(path: str) -> str:
    """A file of a workspace as the steps read it."""
    import torch

    from lookalike.faces.boxes_file import read_detections
    from lookalike.merging.config import MergeConfig
    from lookalike.models.checkpoint import load_checkpoint, restore_model
    from lookalike.pipeline.edits import read_edits
    from lookalike.pipeline.merge_settings import read_merge_file, settings_of
    from lookalike.video.sidecar import load_times

    file = Path(path)
    if file.name == "workspace.toml":
        return str(Workspace(file.parent).record)
    if file.name == "merge.toml":
        return str(settings_of(file, read_merge_file(file), MergeConfig()))
    if file.name == "edits.json":
        return str(len(read_edits(file).every_frame()))
    if file.name == "frames.json":
        return str(load_times(file.parent))
    if file.stem == "boxes":
        return str(read_detections(file))
    return str(restore_model(load_checkpoint(file.parent), torch.device("cpu")))


def test_files_of_a_workspace_are_not_believed(tmp_path: Path) -> None:
    cases = {}
    for name, (file, text) in HOSTILE_FILES.items():
        path = tmp_path / name / file
        write_bytes(path, text().encode())
        if name != "state only":
            write_bytes(path.with_name("model.safetensors"), WEIGHTS["other"]())
            write_bytes(path.with_name("optimizer.safetensors"), WEIGHTS["other"]())
        cases[name] = [str(path)]
    for name, data in WEIGHTS.items():
        path = tmp_path / f"weights {name}" / "state.json"
        write_bytes(path, json.dumps({"format": 2, "model": {"model": "guided"}}).encode())
        write_bytes(path.with_name("model.safetensors"), data())
        write_bytes(path.with_name("optimizer.safetensors"), data())
        cases[f"weights {name}"] = [str(path)]
    before = snapshot(tmp_path)
    outcomes = run_attacks(__name__, cases, "read")
    assert_bounded(outcomes)
    assert snapshot(tmp_path) == before
    assert {name: one.said[:80] for name, one in outcomes.items() if one.kind == "ok"} == {}


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_names(tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str) -> None:
    """Videos, folders and workspaces of any name work, and what is said of them is one line."""
    clip = tmp_path / f"{name}.mp4"
    clip.write_bytes(drawn(tmp_path / "a.mp4", count=2))
    place = tmp_path / name
    assert run(["init", str(place), "--src", str(clip)]) == 0
    assert Workspace(place).origin("src") == clip.resolve()
    assert run(["init", str(place), "--dst", str(tmp_path / f"{name}.none")]) == 1
    out, err = capfd.readouterr()
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert len(out.splitlines()) == out.count("\n") > 0
    assert not {"\x1b", "\x9b", "\x07", "\r", "\u202e", "\u2028"} & set(out + err)


def test_names_that_are_no_text(tmp_path: Path) -> None:
    """A name in another encoding is told with its bytes; where it would be written down, it is refused in one line."""
    clip = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.mp4"))
    clip.write_bytes(drawn(tmp_path / "a.mp4", count=2))
    command = [sys.executable, "-m", "lookalike", "init", str(tmp_path / "ws"), "--src", str(clip)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert "\\udcff" in done.stderr
    assert not list((tmp_path / "ws").glob("data_*"))


def test_one_line_leaves_no_mark_out_of_sight() -> None:
    assert one_line("a\nb\x1b[2J\x9b1m\u2028c\u202ed\u2066e\udcff") == "a b [2J 1m cde\\udcff"
    assert one_line("Zoë 😀 日本") == "Zoë 😀 日本"


def test_a_long_name_is_written_through_a_shorter_one(tmp_path: Path) -> None:
    for name in ("a" * 251 + ".mp4", "ü" * 125 + ".mp4", "." + "b" * 250 + ".png"):
        with replacing(tmp_path / name) as temporary:
            temporary.write_bytes(b"x")
            assert temporary.suffix == Path(name).suffix
        assert (tmp_path / name).read_bytes() == b"x"
    assert len(list(tmp_path.iterdir())) == 3


def test_warnings_are_one_line(tmp_path: Path) -> None:
    """What is logged of a file with such a name, on a terminal or not."""
    from lookalike.cli.show import _OneLine

    record = logging.LogRecord("x", logging.WARNING, "", 0, "%s: skipped", (Path("a\n\x1b[31mb"),), None)
    assert _OneLine("%(message)s").format(record) == "a  [31mb: skipped"


def test_a_note_is_no_markup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    from lookalike.cli.show import _bars
    from lookalike.types import Progress

    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=200)
    _bars(iter([Progress("demo", 1, 2, note="drawing [/red] [link=x]a\n\x1b[2Jb")]), console)
    assert "drawing [/red] [link=x]a" in out.getvalue()
    assert "\x1b[2Jb" not in out.getvalue()


def test_a_folder_of_images_with_odd_names(tmp_path: Path) -> None:
    from lookalike.video import read_frames

    folder = tmp_path / "frames"
    folder.mkdir()
    for name in ODD:
        (folder / f"{name}.png").write_bytes(encoded("PNG"))
    (folder / os.fsdecode(b"\xff.png")).write_bytes(encoded("PNG"))
    assert len(list(read_frames(folder))) == len(ODD) + 1
    shutil.rmtree(folder)


def test_faces_with_odd_names_are_sorted_and_put_aside(tmp_path: Path) -> None:
    from lookalike.curation.config import SortConfig
    from lookalike.pipeline.sort import sort, undo

    place = drawn_workspace(tmp_path)
    aligned = place.aligned("dst")
    odd = [name for name in ODD if "\n" not in name and "\u2028" not in name]
    for name in odd:
        (aligned / f"{name}.jpg").write_bytes((aligned / "00001_0.jpg").read_bytes())
    list(sort(place, "dst", SortConfig(by="hist", rename=True)))
    assert names(aligned) == [f"{number:05d}.jpg" for number in range(len(odd) + 6)]
    list(undo(place, "dst"))
    assert set(names(aligned)) >= {f"{name}.jpg" for name in odd}
