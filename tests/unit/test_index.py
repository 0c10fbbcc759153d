"""The index of a faceset: never other than the images, and made anew when anything is wrong with it."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from drawn_faces import SRC, drawn_record, write_faceset
from lookalike.errors import FacesetError, StorageError
from lookalike.faceset import FaceRecord, load_face, load_record, load_records, replace_record, save_face
from lookalike.faceset import index as index_module
from lookalike.faceset.index import FacesetIndex, Feature, index_path, natural_key


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four faces."""
    return write_faceset(tmp_path / "aligned", SRC, 4)


NAMES = [f"0000{n}_0.jpg" for n in range(1, 5)]


class Counting:
    """A feature that knows how often it was computed."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
        self.calls += 1
        return np.array([record.frame, crop.shape[0]], np.float32)


def opened(folder: Path) -> FacesetIndex:
    index = FacesetIndex(folder)
    index.sync()
    return index


def test_the_index_is_what_the_images_say(folder: Path) -> None:
    with FacesetIndex(folder) as index:
        change = index.sync()
        assert (change.read, change.gone, change.unreadable) == (4, 0, {})
        assert index.names() == NAMES
        assert [record for _, record in index.records()] == load_records(folder)
        assert index.sync().read == 0
    assert index_path(folder) == folder.with_name("aligned.index.sqlite")
    assert sorted(path.name for path in folder.parent.iterdir()) == ["aligned", "aligned.index.sqlite"]


def test_whatever_happens_to_files_is_noticed(folder: Path) -> None:
    with opened(folder) as index:
        kept = (folder / NAMES[0]).rename(folder.parent / "away.jpg")
        assert index.sync().gone == 1
        assert index.names() == NAMES[1:]
        kept.rename(folder / NAMES[0])
        assert index.sync().read == 1
        assert index.names() == NAMES
        (folder / "10_0.jpg").write_bytes((folder / NAMES[3]).read_bytes())
        (folder / "9_0.jpg").write_bytes((folder / NAMES[3]).read_bytes())
        assert index.sync().read == 2
        assert index.names() == [*NAMES, "9_0.jpg", "10_0.jpg"]
        record = dict(index.records())[NAMES[1]].model_copy(update={"track": 7})
        replace_record(folder / NAMES[1], record)
        assert index.sync().read == 1
        assert dict(index.records())[NAMES[1]].track == 7


def test_features_are_computed_once_until_the_file_changes(folder: Path) -> None:
    compute = Counting()
    with opened(folder) as index:
        expected = np.array([[n, 64] for n in range(4)], np.float32)
        np.testing.assert_array_equal(index.feature("test/1", compute), expected)
        np.testing.assert_array_equal(index.feature("test/1", compute), expected)
        assert compute.calls == 4
    with opened(folder) as index:
        index.feature("test/1", compute)
        assert compute.calls == 4
        index.feature("test/2", compute)
        assert compute.calls == 8
        os.utime(folder / NAMES[2], ns=(1, 1))
        index.sync()
        np.testing.assert_array_equal(index.feature("test/1", compute), expected)
        assert compute.calls == 9


def test_several_features_decode_a_picture_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[Path] = []

    def counted(path: Path) -> tuple[NDArray[np.uint8], FaceRecord]:
        loads.append(path)
        return load_face(path)

    monkeypatch.setattr(index_module, "load_face", counted)
    with opened(folder) as index:
        flat = Feature("flat", lambda crop, record: np.array([crop.size]), pixels=False)
        found = index.features([Feature("a", Counting()), Feature("b", Counting()), flat])
        assert sorted(path.name for path in loads) == NAMES
        index.features([flat])
        assert len(loads) == 4
        assert {kind: array.shape for kind, array in found.items()} == {"a": (4, 2), "b": (4, 2), "flat": (4, 1)}
        assert list(index.fill([Feature("c", Counting())])) == [(4, 4)]
        assert list(index.fill([Feature("c", Counting())])) == []


def test_rows_belong_to_the_names(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(folder) as index:
        feature = Feature("test", Counting())
        index.features([feature])
        names, found = index.table([feature])
        assert names == NAMES
        assert found["test"][:, 0].tolist() == [0, 1, 2, 3]
        save_face(folder / "a.jpg", *drawn_record(SRC, 9))
        with opened(folder):  # another process, after the missing ones were computed
            pass
        monkeypatch.setattr(index, "fill", lambda wanted: iter(()))
        with pytest.raises(FacesetError, match=r"a.jpg came or changed meanwhile; run the same command again"):
            index.features([feature])
        index.save_order("yaw", NAMES)  # the read transaction is over


def test_unreadable_faces_are_reported_and_left_out(folder: Path) -> None:
    data = (folder / NAMES[1]).read_bytes()
    (folder / NAMES[1]).write_bytes(b"no image")
    with FacesetIndex(folder) as index:
        assert list(index.sync().unreadable) == [NAMES[1]]
        assert index.names() == [NAMES[0], *NAMES[2:]]
        assert index.sync().read == 0  # not read again and again
        (folder / NAMES[2]).write_bytes((folder / NAMES[2]).read_bytes()[:-900])  # a record, but half a picture
        assert list(index.sync().unreadable) == [NAMES[1]]
        assert index.feature("test", Counting()).shape == (2, 2)
        assert list(index.problems()) == NAMES[1:3]
        assert "cannot be read as an image" in index.problems()[NAMES[2]]
        (folder / NAMES[1]).write_bytes(data)
        assert list(index.sync().unreadable) == [NAMES[2]]


@pytest.mark.parametrize("damage", ["version", "torn", "zeros", "empty", "table"])
def test_a_damaged_index_is_made_anew(folder: Path, damage: str) -> None:
    compute, path = Counting(), index_path(folder)
    with opened(folder) as index:
        index.feature("test", compute)
    data = path.read_bytes()
    if damage == "version":
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA user_version = 99")
        db.close()
    elif damage == "table":
        with sqlite3.connect(path) as db:
            db.execute("UPDATE faces SET record = 'nonsense'")
            db.execute("PRAGMA user_version = 0")
        db.close()
    else:
        path.write_bytes({"torn": data[: len(data) // 2], "zeros": data[:100] + bytes(len(data)), "empty": b""}[damage])
    with opened(folder) as index:
        assert index.names() == NAMES
        assert [record for _, record in index.records()] == load_records(folder)
        assert index.feature("test", compute).shape == (4, 2)
    assert [p.name for p in folder.parent.iterdir() if "index" in p.name] == [path.name]


@pytest.mark.parametrize("kind", ["text", "database", "unmarked"])
def test_a_foreign_file_is_set_aside_not_deleted(folder: Path, kind: str) -> None:
    path = index_path(folder)
    if kind == "text":
        path.write_text("my notes, longer than the header of a database would be, and dear to me" * 3)
    else:
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE mine (x)")
            db.execute(f"PRAGMA application_id = {5 if kind == 'database' else 0}")
        db.close()
    data = path.read_bytes()
    with opened(folder) as index:
        assert index.names() == NAMES
    assert path.with_name("aligned.index-2.sqlite").read_bytes() == data


def test_orders_are_kept(folder: Path) -> None:
    with opened(folder) as index:
        assert index.load_order() == NAMES
        index.save_order("yaw", NAMES[::-1])
        index.save_order("blur", [NAMES[2], NAMES[0]])
        assert index.load_order("yaw") == NAMES[::-1]
        assert index.load_order() == index.load_order("blur") == [NAMES[2], NAMES[0], NAMES[1], NAMES[3]]
        assert index.load_order("hue") == NAMES
        (folder / NAMES[0]).unlink()
        index.sync()
        assert index.load_order("yaw") == [NAMES[3], NAMES[2], NAMES[1]]


def test_a_renaming_is_followed_without_computing_again(folder: Path) -> None:
    compute = Counting()
    mapping = dict(zip(NAMES, [*NAMES[1:], NAMES[0]], strict=True))
    with opened(folder) as index:
        index.feature("test", compute)
        index.save_order("yaw", NAMES)
        for old in NAMES:
            (folder / old).rename(folder / f"x{old}")
        for old, new in mapping.items():
            (folder / f"x{old}").rename(folder / new)
        index.renamed(mapping)
        assert index.sync().read == 0
        np.testing.assert_array_equal(index.feature("test", compute)[:, 0], [3, 0, 1, 2])
        assert compute.calls == 4
        assert index.load_order("yaw") == [*NAMES[1:], NAMES[0]]


def test_another_process_may_hold_it_for_a_while(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(folder) as index:
        holder = (
            "import sqlite3, sys, time\n"
            "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
            "db.execute('BEGIN EXCLUSIVE'); print('held', flush=True); time.sleep(0.7); db.execute('COMMIT')\n"
        )
        command = [sys.executable, "-c", holder, str(index.path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            index.save_order("yaw", NAMES)  # waits
            process.wait()
        monkeypatch.setattr(index_module, "_WAIT_SECONDS", 0.1)
        command[2] = holder.replace("0.7", "20")
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout
            process.stdout.readline()
            with pytest.raises(FacesetError, match="is held by another process; wait for it"):
                FacesetIndex(folder).sync()
            process.kill()


def test_two_processes_sync_at_once(folder: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from lookalike.faceset.index import FacesetIndex\n"
        "with FacesetIndex(Path(sys.argv[1])) as index:\n    index.sync(); print(len(index.names()))\n"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert [process.communicate()[0].strip() for process in both] == ["4", "4"]


def test_a_folder_that_is_gone_or_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FacesetError, match="run extract first"), FacesetIndex(tmp_path / "gone") as index:
        index.sync()
    with pytest.raises(StorageError, match="cannot be written"):
        FacesetIndex(tmp_path / "no" / "aligned")


def test_names_sort_as_people_count() -> None:
    names = ["10.jpg", "9.jpg", "a2.jpg", "A10.jpg", "00009.jpg", "a.jpg", "9_1.jpg", "9_10.jpg"]
    assert sorted(names, key=natural_key) == [
        "00009.jpg", "9.jpg", "9_1.jpg", "9_10.jpg", "10.jpg", "a2.jpg", "A10.jpg", "a.jpg",
    ]  # fmt: skip


def test_a_record_says_what_it_said(folder: Path) -> None:
    """Also when it has everything that a record can have."""
    crop, record = drawn_record(SRC, 3)
    assert crop.shape == (64, 64, 3)
    full = record.model_copy(update={"reason": "two\nlines", "identity": None, "source": "Größe 漢字.mp4"})
    replace_record(folder / NAMES[3], full)
    with opened(folder) as index:
        assert dict(index.records())[NAMES[3]] == full


def test_a_long_sync_tells_how_far_it_is_and_computes_what_the_record_tells(folder: Path) -> None:
    looks = Feature("frame/1", lambda crop, record: np.array([record.frame, crop.size], np.float32), pixels=False)
    with FacesetIndex(folder, path=folder.with_name("elsewhere.sqlite")) as index:
        assert list(index.sync_steps([looks])) == [(0, 4), (4, 4)]
        assert list(index.fill([looks])) == []
        assert index.count(looks.kind) == 4
        first = index.known(looks.kind)
        assert sorted(one.name for one in first) == NAMES
        for one in first:
            assert one.feature is not None
            assert np.frombuffer(one.feature, np.float32).tolist() == [load_record(folder / one.name).frame, 0]
            assert one.source == load_record(folder / one.name).source
        changed = load_record(folder / NAMES[2]).model_copy(update={"reason": "too dark"})
        replace_record(folder / NAMES[2], changed)
        (folder / NAMES[0]).write_bytes(b"no image")
        index.sync()
        later = {one.name: one for one in index.known(looks.kind, max(one.place for one in first))}
        assert later.keys() == {NAMES[0], NAMES[2]}
        assert (later[NAMES[2]].reason, later[NAMES[2]].feature) == ("too dark", None)
        assert "cannot be read" in (later[NAMES[0]].problem or "")
    assert not index_path(folder).exists()
