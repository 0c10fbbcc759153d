"""Facesets made anew: what the new faces are, that the old ones stay, and that a kill loses nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from drawn_faces import SRC, draw_person, drawn_record, write_faceset
from drawn_workspace import COUNT, content, names, said
from lookalike.curation.faceset_config import ResizeConfig, RetypeConfig
from lookalike.curation.recrop import fits_inside, narrowed, new_matrix, recropped, resized
from lookalike.errors import ConfigError, FacesetError
from lookalike.faceset import encode_array, load_face, load_record, load_records, save_face
from lookalike.faceset.rewrite import Rewrite, finish_swap
from lookalike.geometry import transform
from lookalike.pipeline import faceset_edit
from lookalike.pipeline.workspace import Workspace
from lookalike.types import Event


def test_png_to_jpeg_keeps_every_field_and_the_pngs(place: Workspace) -> None:
    aligned = place.aligned("src")
    crop, record = drawn_record(SRC, 1)
    record = record.model_copy(update={"person": 3, "edited": True, "identity": encode_array(np.ones(128), np.float16)})
    save_face(aligned / "00002_0.png", crop, record)  # beside a JPEG of that name
    lines = said(faceset_edit.png2jpg(place, "src"))
    assert lines == ["made JPEGs of 1 PNG faces; the old faceset is kept in aligned-2"]
    assert names(aligned) == sorted([*(f"0000{n}_0.jpg" for n in range(1, 7)), "00002_0-2.jpg"])
    assert load_record(aligned / "00002_0-2.jpg") == record
    assert (aligned.parent / "aligned-2" / "00002_0.png").exists()
    assert said(faceset_edit.png2jpg(place, "src")) == ["none of the 7 faces is a PNG; nothing to do"]


def test_resize(place: Workspace) -> None:
    aligned = place.aligned("src")
    (aligned / "foreign.jpg").write_bytes(b"no image")
    before = content(aligned)
    lines = said(faceset_edit.resize(place, "src", ResizeConfig(size=96)))
    assert lines[-1].startswith("no face is larger than 96 pixels; nothing to do; smaller ones")
    assert content(aligned) == before
    lines = said(faceset_edit.resize(place, "src", ResizeConfig(size=96, enlarge=True)))
    assert lines[-1] == "brought 6 of 7 faces to 96 pixels; the old faceset is kept in aligned-2"
    assert content(aligned.parent / "aligned-2") == before
    assert (aligned / "foreign.jpg").read_bytes() == b"no image"
    image, record = load_face(aligned / "00001_0.jpg")
    assert image.shape == (96, 96, 3)
    old = load_record(aligned.parent / "aligned-2" / "00001_0.jpg")
    np.testing.assert_allclose(record.crop_landmarks() + 0.5, (old.crop_landmarks() + 0.5) * 1.5, atol=1e-6)
    assert not list(aligned.parent.glob(".*"))


def test_a_face_made_anew_is_the_one_cut_from_the_frame() -> None:
    frame, _ = draw_person(SRC, 2)
    crop, record = drawn_record(SRC, 2, 160)
    half, half_record = narrowed(crop, record, 96, "half", "2019")
    whole, whole_record = recropped(frame, record, 96, "half", "2019")
    assert half_record.matrix == whole_record.matrix
    assert half_record.face_type == "half"
    assert np.abs(half.astype(int) - whole).mean() < 3
    small, small_record = resized(crop, record, 80)
    np.testing.assert_allclose(
        transform(small_record.matrix_array(), record.landmarks_array()), small_record.crop_landmarks()
    )
    assert small.shape == (80, 80, 3)
    assert fits_inside(record, new_matrix(record, 96, "half", "2019"), 96)
    assert fits_inside(record, new_matrix(record, 96, "full", "2019"), 96)
    assert not fits_inside(record, new_matrix(record, 96, "whole", "dfl2"), 96)


def test_retype_narrower_from_the_crops_and_wider_from_the_video(place: Workspace) -> None:
    aligned = place.aligned("src")
    with pytest.raises(
        FacesetError, match=r"6 of 6 faces .*: 00001_0.jpg does not show all of a whole crop; add --from"
    ):
        said(faceset_edit.retype(place, "src", RetypeConfig(face_type="whole")))
    with pytest.raises(ConfigError, match="geometry 2019 has no face type whole"):
        said(faceset_edit.retype(place, "src", RetypeConfig(face_type="whole", geometry="2019")))
    lines = said(faceset_edit.retype(place, "src", RetypeConfig(face_type="whole", size=80, from_video=True)))
    assert lines == ["cropped 6 faces anew from the video, as whole (dfl2); the old faceset is kept in aligned-2"]
    image, record = load_face(aligned / "00003_0.jpg")
    assert (record.face_type, record.geometry, record.size) == ("whole", "dfl2", 80)
    expected, _ = recropped(draw_person(SRC, 2)[0], record, 80, "whole", "dfl2")
    assert np.abs(image.astype(int) - expected).mean() < 2
    said(faceset_edit.retype(place, "src", RetypeConfig(face_type="half")))
    assert {(record.face_type, record.geometry) for record in load_records(aligned)} == {("half", "2019")}


def test_faces_of_another_video_are_not_cut_from_this_one(place: Workspace) -> None:
    path = place.aligned("src") / "00004_0.jpg"
    crop, record = load_face(path)
    save_face(path, crop, record.model_copy(update={"source": "other.mp4"}))
    with pytest.raises(FacesetError, match=r"00004_0.jpg is from other.mp4, not from drawn.mp4"):
        said(faceset_edit.retype(place, "src", RetypeConfig(face_type="half", from_video=True)))
    save_face(path, crop, record.model_copy(update={"frame": 70}))
    with pytest.raises(FacesetError, match=r"frame 71 of drawn.mp4 cannot be read"):
        said(faceset_edit.retype(place, "src", RetypeConfig(face_type="half", from_video=True)))
    assert len(names(place.aligned("src"))) == COUNT


class Killed(BaseException):
    """Stands for SIGKILL."""


@pytest.mark.parametrize(
    "run",
    [
        lambda place: faceset_edit.resize(place, "src", ResizeConfig(size=96, enlarge=True)),
        lambda place: faceset_edit.retype(place, "src", RetypeConfig(face_type="half", size=96, from_video=True)),
        lambda place: faceset_edit.retype(place, "src", RetypeConfig(face_type="half", size=96)),
    ],
)
def test_killed_at_any_rename_the_faceset_is_whole(
    place: Workspace, run: Callable[[Workspace], Iterator[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    aligned = place.aligned("src")
    before = content(aligned)
    kills = 0
    for step in range(40):
        left = [step]

        def renamed(
            self: Path, target: Path, *, left: list[int] = left, old: Callable[..., Path] = Path.rename
        ) -> Path:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return old(self, target)

        def replaced(
            self: Path, target: Path, *, left: list[int] = left, old: Callable[..., Path] = Path.replace
        ) -> Path:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return old(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "rename", renamed)
            patch.setattr(Path, "replace", replaced)
            try:
                said(run(place))
            except Killed:
                kills += 1
        finish_swap(aligned)
        found = content(aligned)
        assert len(found) == COUNT
        sizes = {record.size for record in load_records(aligned)}
        assert found == before or sizes == {96}
        if sizes == {96}:
            break
    assert kills >= 3
    assert sizes == {96}
    assert content(aligned.parent / "aligned-2") == before


def test_work_of_other_options_is_not_taken_over(tmp_path: Path) -> None:
    folder = write_faceset(tmp_path / "aligned", SRC, 1)
    first = Rewrite.begin(folder, "a")
    (first.work / "x.jpg").write_bytes(b"half done")
    assert (Rewrite.begin(folder, "a").work / "x.jpg").exists()
    second = Rewrite.begin(folder, "b")
    assert not (second.work / "x.jpg").exists()
    second.keep(folder / "00001_0.jpg")
    aside = second.put_in_place()
    assert aside == tmp_path / "aligned-2"
    assert content(folder) == content(aside)


def test_a_finished_faceset_takes_its_place_after_a_kill(tmp_path: Path) -> None:
    folder = write_faceset(tmp_path / "aligned", SRC, 2)
    before = content(folder)
    rewrite = Rewrite.begin(folder, "a")
    rewrite.keep(folder / "00001_0.jpg")
    (rewrite.work / ".key").unlink()
    rewrite.work.rename(tmp_path / ".aligned.complete")  # and killed there
    assert finish_swap(folder)
    assert names(folder) == ["00001_0.jpg"]
    assert content(tmp_path / "aligned-2") == before
    assert not finish_swap(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["aligned", "aligned-2"]
