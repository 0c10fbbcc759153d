"""The faceset commands on drawn faces: what they change, what they leave, and that a kill loses nothing."""

from pathlib import Path

import pytest
from PIL import Image

from drawn_faces import DST, SRC, drawn_record, write_faceset
from drawn_workspace import content, names, said
from lookalike.curation.choose import objections
from lookalike.curation.faceset_config import CheckConfig, FilterConfig, parse_range
from lookalike.curation.facts import Facts
from lookalike.errors import ConfigError, FacesetError, LookalikeError
from lookalike.faceset import list_faces, load_face, load_record, load_records, save_face
from lookalike.faceset.index import FacesetIndex
from lookalike.faceset.trash import put_aside
from lookalike.pipeline import faceset_check, faceset_choose, faceset_files
from lookalike.pipeline.workspace import Workspace


def test_filter_puts_aside_with_the_reason_and_restore_brings_back(place: Workspace) -> None:
    aligned, trash = place.aligned("src"), place.trash("src")
    before = content(aligned)
    config = FilterConfig(frames="2:4")
    assert said(faceset_choose.filter_faces(place, "src", config.model_copy(update={"dry_run": True})))[-1].startswith(
        "would put 3 faces aside"
    )
    assert content(aligned) == before
    assert said(faceset_choose.filter_faces(place, "src", config)) == ["put 3 faces aside into aligned_trash, 3 stay"]
    assert names(aligned) == ["00002_0.jpg", "00003_0.jpg", "00004_0.jpg"]
    assert load_record(trash / "00006_0.jpg").reason == "filter: frame 6 is not in 2:4"
    put_aside(aligned / "00003_0.jpg", trash, "another person")
    assert said(faceset_choose.restore(place, "src", "FILTER"))[-1].endswith("left in the trash: 1 (another person)")
    assert names(trash) == ["00003_0.jpg"]
    said(faceset_choose.restore(place, "src"))
    assert names(aligned) == sorted(before)
    assert all(record.reason is None for record in load_records(aligned))
    with pytest.raises(FacesetError, match="nothing to restore"):
        said(faceset_choose.restore(place, "src"))


def test_filter_inverted(place: Workspace) -> None:
    said(faceset_choose.filter_faces(place, "src", FilterConfig(frames="2:", invert=True)))
    assert names(place.aligned("src")) == ["00001_0.jpg"]


def test_a_filter_needs_something_to_go_by(place: Workspace) -> None:
    with pytest.raises(ConfigError, match="nothing to filter by"):
        said(faceset_choose.filter_faces(place, "src", FilterConfig(dry_run=True)))
    with pytest.raises(FacesetError, match="no face of src says whose it is"):
        said(faceset_choose.filter_faces(place, "src", FilterConfig(person=0)))


@pytest.mark.parametrize(
    ("changes", "options", "why"),
    [
        ({}, {"frames": "1:10", "yaw": "-90:90", "min_score": 0.9, "recovered": False, "track": 0}, []),
        ({"person": 2}, {"person": 1}, ["person 2, not 1"]),
        ({}, {"person": 1}, ["person unknown, not 1"]),
        ({"track": 4}, {"track": 1}, ["track 4, not 1"]),
        ({"frame": 9}, {"frames": ":9"}, ["frame 10 is not in :9"]),
        ({"pitch_yaw_roll": (0, 0.5, 0)}, {"yaw": "-30:30"}, ["yaw -32 is not in -30:30"]),
        ({"pitch_yaw_roll": (-0.5, 0, 0)}, {"pitch": "-30:"}, ["pitch -37 is not in -30:"]),
        ({"sharpness": 2.0}, {"min_sharpness": 3}, ["sharpness 2 is below 3"]),
        ({"score": 0.5}, {"min_score": 0.6}, ["score 0.5 is below 0.6"]),
        ({"outside": 0.3}, {"max_outside": 0.25}, ["30% outside the frame is above 25%"]),
        ({"recovered": True}, {"recovered": False}, ["recovered"]),
        ({}, {"recovered": True, "min_size": 1e6}, ["size", "not recovered"]),
    ],
)
def test_every_criterion(changes: dict[str, object], options: dict[str, object], why: list[str]) -> None:
    face = Facts.of("a.jpg", drawn_record()[1].model_copy(update=changes))
    found = objections(face, FilterConfig.model_validate(options))
    assert len(found) == len(why)
    assert all(text.startswith(part) for text, part in zip(found, why, strict=True))


def test_ranges(place: Workspace) -> None:
    assert parse_range("-30:30") == (-30, 30)
    assert parse_range("1.5:") == (1.5, 1e12)
    for wrong in ("", ":", "1", "a:b", "1:2:3", "3:1"):
        with pytest.raises(ConfigError, match="range"):
            parse_range(wrong)
        with pytest.raises(ConfigError, match="range"):
            said(faceset_choose.filter_faces(place, "src", FilterConfig(yaw=wrong)))


def test_check_lists_the_worst_first_and_moves_them(place: Workspace, tmp_path: Path) -> None:
    aligned = place.aligned("src")
    path = aligned / "00003_0.jpg"
    crop, record = load_face(path)
    save_face(path, crop, record.model_copy(update={"landmarks": [(200 - x, y) for x, y in record.landmarks]}))
    (aligned / "foreign.jpg").write_bytes(b"no image")
    lines = said(faceset_check.check(place, "src", CheckConfig(move=True), tmp_path / "out.json"))
    assert lines[1].startswith("00003_0.jpg 0.00: ")
    assert "the outline runs the wrong way round" in lines[1]
    assert lines[0].startswith("left 1 of 7 files alone")
    assert "00003_0.jpg" in (tmp_path / "out.json").read_text()
    with pytest.raises(ConfigError, match=r"out.json exists already; choose another name, or --overwrite"):
        next(faceset_check.check(place, "src", CheckConfig(), tmp_path / "out.json"))
    said(faceset_check.check(place, "src", CheckConfig(), tmp_path / "out.json", overwrite=True))
    assert "00003_0.jpg" not in (tmp_path / "out.json").read_text()
    assert "00003_0.jpg" not in names(aligned)
    assert (load_record(place.trash("src") / "00003_0.jpg").reason or "").startswith("check: ")


def test_stats_and_debug_write_pictures(place: Workspace) -> None:
    lines = said(faceset_check.stats(place, "src"))
    assert lines[0].startswith("6 faces, full-face square ")
    assert {path.name for path in (place.data("src") / "aligned_stats").iterdir()} == {
        "faceset.png",
        "coverage.png",
        "stats.json",
    }
    (place.aligned("src") / "foreign.png").write_bytes(b"no image")
    lines = said(faceset_check.debug(place, "src"))
    folder = place.data("src") / "aligned_debug_faces"
    assert lines[-1] == f"drew 6 faces into {folder}"
    with Image.open(folder / "00001_0.jpg") as picture:
        assert picture.size == (64, 64)
        assert [part[1:3] for part in picture.layer] == [(1, 1)] * 3  # type: ignore[attr-defined]
    (place.aligned("src") / "00001_0.jpg").unlink()
    assert said(faceset_check.debug(place, "src"))[-1].endswith(
        "1 pictures of faces that are no longer there were left"
    )


def test_a_folder_without_faces_of_ours_is_an_error(place: Workspace) -> None:
    for path in list_faces(place.aligned("src")):
        path.write_bytes(b"no image")
    for run in (faceset_check.stats(place, "src"), faceset_check.check(place, "src", CheckConfig())):
        with pytest.raises(FacesetError, match="none of the 6 images"):
            said(run)


def test_names_come_back_from_the_records(place: Workspace) -> None:
    aligned = place.aligned("src")
    before = content(aligned)
    for number, path in enumerate(reversed(list_faces(aligned))):
        path.rename(aligned / f"sorted_{number}.jpg")
    with FacesetIndex(aligned) as index:
        index.sync()
        index.save_order("yaw", index.names())
    said(faceset_choose.restore_names(place, "src"))
    assert content(aligned) == before
    with FacesetIndex(aligned) as index:
        assert index.sync().read == 0
        assert index.load_order("yaw") == sorted(before, reverse=True)


def test_names_asked_for_twice_are_resolved_once_and_for_all() -> None:
    record = drawn_record(number=4)[1]
    second = record.model_copy(update={"number": 1})
    known = [("a.jpg", record), ("b.jpg", record), ("c.jpg", second), ("d.png", record), ("e.JPEG", record)]
    first = faceset_choose.names_of(known, {"00005_2.jpg"})
    assert first == {
        "a.jpg": "00005_0.jpg",
        "b.jpg": "00005_3.jpg",
        "c.jpg": "00005_1.jpg",
        "d.png": "00005_0.png",
        "e.JPEG": "00005_4.jpg",
    }
    again = faceset_choose.names_of([(first[name], one) for name, one in known], {"00005_2.jpg"})
    assert all(old == new for old, new in again.items())


def test_pack_and_unpack(place: Workspace) -> None:
    aligned = place.aligned("src")
    before = content(aligned)
    said(faceset_files.pack(place, "src"))
    assert content(aligned) == before
    with pytest.raises(FacesetError, match="is not empty"):
        said(faceset_files.unpack_faces(place, "src"))
    for path in list_faces(aligned):
        path.unlink()
    next(unpacking := faceset_files.unpack_faces(place, "src"))
    del unpacking  # killed
    assert not names(aligned)
    said(faceset_files.unpack_faces(place, "src"))
    assert content(aligned) == before


def test_export_and_import(place: Workspace, tmp_path: Path) -> None:
    src, dst = place.aligned("src"), place.aligned("dst")
    own = content(dst)
    pack, folder = tmp_path / "out.faces", tmp_path / "out"
    said(faceset_files.export_faces(place, "src", pack))
    said(faceset_files.export_faces(place, "src", folder))
    assert content(folder) == content(src)
    assert said(faceset_files.export_faces(place, "src", folder))[-1].endswith("(6 were there already)")
    said(faceset_files.export_faces(place, "dst", folder))
    assert len(names(folder)) == 12
    lines = said(faceset_files.import_faces(place, "dst", pack))
    assert "of the same numbers: 6 of drawn.mp4" in lines[0]
    assert lines[-1].startswith("added 6 of 6 faces")
    assert lines[-1].endswith("(6 got another name)")
    found = content(dst)
    assert {name: found[name] for name in own} == own
    assert sorted(found.values()) == sorted([*own.values(), *content(src).values()])
    assert said(faceset_files.import_faces(place, "dst", folder))[-1].endswith("(12 were there already)")
    assert content(dst) == found


def test_import_checks_every_file(place: Workspace, tmp_path: Path) -> None:
    folder = write_faceset(tmp_path / "theirs", DST, 2)
    crop, record = drawn_record(DST, 9)
    save_face(folder / "aside.png", crop, record.model_copy(update={"reason": "another person"}))
    save_face(folder / "cut.png", crop[:32], record)
    (folder / "empty.jpg").touch()
    Image.new("RGB", (64, 64)).save(folder / "foreign.png")
    lines = said(faceset_files.import_faces(place, "src", folder))
    assert lines[-1].startswith("added 3 of 6 faces")
    assert [line.split(" ")[2] for line in lines[:-1]] == ["cut.png", "empty.jpg", "foreign.png"]
    assert load_record(place.aligned("src") / "aside.png").reason is None
    assert not [path for path in place.aligned("src").iterdir() if path.name.startswith(".")]


def test_import_needs_something_to_import(place: Workspace, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no pack")
    for origin, match in (
        (tmp_path / "gone", "does not exist"),
        (tmp_path, "no JPEG"),
        (tmp_path / "notes.txt", "no pack"),
    ):
        with pytest.raises(LookalikeError, match=match):
            said(faceset_files.import_faces(place, "src", origin))


def test_a_side_without_faces_can_take_some(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "ws")
    said(faceset_files.import_faces(workspace, "src", write_faceset(tmp_path / "theirs", SRC, 2)))
    assert len(names(workspace.aligned("src"))) == 2
