"""Masks of a faceset, from the command's function to the record: apply, carry, fetch, remove, and training."""

from pathlib import Path

import numpy as np
import pytest

from drawn_faces import DST, SRC, write_faceset
from lookalike.errors import EmptyFacesetError, FacesetError
from lookalike.faceset import list_faces, load_face, load_record, replace_record
from lookalike.faceset.masks import read_mask, stored_mask
from lookalike.faceset.polygons import polygon_masks
from lookalike.faceset.record import Polygon
from lookalike.geometry import rescale
from lookalike.landmarks import MESH_OVAL
from lookalike.masks.config import MaskApply, MaskTrainConfig
from lookalike.models.xseg import begun_xseg, load_xseg, save_xseg
from lookalike.pipeline.mask_networks import network_of, own_iterations, own_network
from lookalike.pipeline.masks import apply, carry, fetch, remove
from lookalike.pipeline.train_masks import train_masks
from lookalike.pipeline.workspace import Workspace
from lookalike.training.data import load_person
from lookalike.types import Event, Message, Progress
from mask_onnx import write_mask_onnx

OUTLINE = [*range(17), *range(26, 16, -1)]
"""Jaw and brows."""


@pytest.fixture
def place(tmp_path: Path) -> Workspace:
    workspace = Workspace.create(tmp_path / "ws")
    write_faceset(workspace.aligned("src"), SRC, 6)
    write_faceset(workspace.aligned("dst"), DST, 9)
    return workspace


def said(events: list[Event]) -> str:
    return "\n".join(event.text for event in events if isinstance(event, Message))


def draw_oval(path: Path, shrink: float = 1.0) -> None:
    """Draw the face's own oval on it."""
    record = load_record(path)
    oval = record.mesh_array()[list(MESH_OVAL)]
    middle = oval.mean(0)
    points = [(float(x), float(y)) for x, y in middle + (oval - middle) * shrink]
    replace_record(path, record.model_copy(update={"polygons": [Polygon(kind="include", points=points)]}))


def draw_jaw(path: Path, shrink: float = 1.0) -> None:
    """Draw the outline of the landmarks, which move with the face in every way; the drawn meshes do not tilt."""
    record = load_record(path)
    outline = record.landmarks_array()[OUTLINE]
    middle = outline.mean(0)
    points = [(float(x), float(y)) for x, y in middle + (outline - middle) * shrink]
    replace_record(path, record.model_copy(update={"polygons": [Polygon(kind="include", points=points)]}))


class TestApply:
    def test_every_face_gets_a_mask_and_keeps_its_pixels(self, place: Workspace) -> None:
        before = [load_face(path)[0] for path in list_faces(place.aligned("dst"))]
        events = list(apply(place, "dst", MaskApply(device="cpu")))
        assert "masked 9 of 9 faces with xseg fast" in said(events)
        assert "show less than whole" in said(events)
        for path, pixels in zip(list_faces(place.aligned("dst")), before, strict=True):
            image, record = load_face(path)
            assert np.array_equal(image, pixels)
            assert record.mask is not None
            assert read_mask(record.mask, 64).shape == (64, 64)

    def test_a_second_run_masks_nothing_unless_told(self, place: Workspace) -> None:
        list(apply(place, "dst", MaskApply(device="cpu")))
        path = list_faces(place.aligned("dst"))[3]
        replace_record(path, load_record(path).model_copy(update={"mask": None}))
        assert "masked 1 of 9" in said(list(apply(place, "dst", MaskApply(device="cpu"))))
        assert "masked 9 of 9" in said(list(apply(place, "dst", MaskApply(device="cpu"), again=True)))

    def test_other_weights_mask_anew(self, place: Workspace) -> None:
        list(apply(place, "dst", MaskApply(device="cpu")))
        save_xseg(own_network(place), begun_xseg("fast", 1).state_dict(), "fast", {"trained": "own"})
        assert network_of(place, None) == own_network(place)
        assert "masked 9 of 9 faces with xseg fast own" in said(list(apply(place, "dst", MaskApply(device="cpu"))))

    def test_an_onnx_file_does_as_well(self, place: Workspace, tmp_path: Path) -> None:
        write_mask_onnx(tmp_path / "net.onnx")
        events = list(apply(place, "dst", MaskApply(network=tmp_path / "net.onnx")))
        assert "masked 9 of 9 faces with net.onnx" in said(events)


class TestCarry:
    def test_faces_between_get_polygons_and_drawn_ones_keep_theirs(self, place: Workspace) -> None:
        paths = list_faces(place.aligned("dst"))
        for path in (paths[2], paths[6]):
            draw_jaw(path)
        drawn = [load_record(path).polygons for path in (paths[2], paths[6])]
        assert "brought the polygons of 2 faces to 3 others" in said(list(carry(place, "dst")))
        assert [load_record(path).polygons for path in (paths[2], paths[6])] == drawn
        for number in (3, 4, 5):
            record = load_record(paths[number])
            assert all(one.carried for one in record.polygons)
            own = record.landmarks_array()[OUTLINE]
            # every drawn face has another place, tilt and mouth: what is carried must lie on this one's jaw
            assert np.abs(np.array(record.polygons[0].points) - own).mean() < 0.03 * np.ptp(own)
        assert not load_record(paths[0]).polygons
        assert "to 5 others" in said(list(carry(place, "dst", reach=1)))
        assert load_record(paths[1]).polygons
        assert not load_record(paths[0]).polygons

    def test_carried_anew_after_a_change(self, place: Workspace) -> None:
        paths = list_faces(place.aligned("dst"))
        for path in (paths[2], paths[6]):
            draw_jaw(path)
        list(carry(place, "dst"))
        before = load_record(paths[4]).polygons
        draw_jaw(paths[2], 0.5)
        list(carry(place, "dst"))
        assert load_record(paths[4]).polygons != before

    def test_without_polygons_it_says_so(self, place: Workspace) -> None:
        with pytest.raises(FacesetError, match="draw some with mask edit"):
            list(carry(place, "dst"))


class TestFetchAndRemove:
    def test_faces_with_polygons_are_copied_once(self, place: Workspace) -> None:
        paths = list_faces(place.aligned("dst"))
        draw_oval(paths[1])
        draw_oval(paths[5])
        list(carry(place, "dst"))
        assert "copied 2 faces" in said(list(fetch(place, "dst")))
        folder = place.aligned("dst").with_name("aligned_xseg")
        assert [path.name for path in list_faces(folder)] == [paths[1].name, paths[5].name]
        assert "copied 0 faces" in said(list(fetch(place, "dst")))
        draw_oval(paths[1], 0.5)
        assert "copied 1 faces" in said(list(fetch(place, "dst")))
        assert len(list_faces(folder)) == 3

    def test_nothing_drawn_nothing_copied(self, place: Workspace) -> None:
        with pytest.raises(EmptyFacesetError, match="mask edit"):
            list(fetch(place, "src"))

    def test_masks_go_and_polygons_are_kept_in_a_file(self, place: Workspace) -> None:
        paths = list_faces(place.aligned("dst"))
        draw_oval(paths[1])
        list(apply(place, "dst", MaskApply(device="cpu")))
        assert "took masks out of 9 of 9" in said(list(remove(place, "dst")))
        assert load_record(paths[1]).polygons
        assert all(load_record(path).mask is None for path in paths)
        assert "took polygons out of 1 of 9" in said(list(remove(place, "dst", masks=False, polygons=True)))
        kept = place.aligned("dst").with_name("aligned.polygons.json")
        assert paths[1].name in kept.read_text()
        assert not load_record(paths[1]).polygons


class TestTraining:
    def test_learns_what_was_drawn_and_is_used_from_then_on(self, place: Workspace) -> None:
        for path in [*list_faces(place.aligned("src")), *list_faces(place.aligned("dst"))]:
            draw_oval(path, 0.5)  # not what the generic network says, so that there is something to learn
        options = MaskTrainConfig(iterations=12, batch_size=4, learning_rate=2e-3, pool=16, covered=0.0, device="cpu")
        events = list(train_masks(place, options))
        assert "begins with the generic weights, 15 faces, 0 more held out" in said(events)
        assert load_xseg(own_network(place))[1]["step"] == "12"
        assert own_network(place).with_name("preview.jpg").is_file()
        list(apply(place, "dst", MaskApply(device="cpu")))
        record = load_record(list_faces(place.aligned("dst"))[0])
        assert record.mask is not None
        assert record.mask.source.startswith("xseg fast own, 12 iterations")

    def test_goes_on_to_the_limit_and_no_further(self, place: Workspace) -> None:
        for path in list_faces(place.aligned("dst")):
            draw_oval(path)
        options = MaskTrainConfig(iterations=2, batch_size=2, pool=16, device="cpu")
        list(train_masks(place, options))
        first = own_network(place).read_bytes()
        assert "nothing to train" in said(list(train_masks(place, options)))
        assert own_network(place).read_bytes() == first
        events = list(train_masks(place, options.model_copy(update={"iterations": 3})))
        assert "goes on from iteration 2" in said(events)
        assert load_xseg(own_network(place))[1]["step"] == "3"

    def test_a_stop_saves(self, place: Workspace) -> None:
        for path in list_faces(place.aligned("dst")):
            draw_oval(path)
        events = train_masks(place, MaskTrainConfig(iterations=50, batch_size=2, pool=16, device="cpu"))
        steps = (event for event in events if isinstance(event, Progress) and event.unit == "iterations")
        assert next(steps).done == 1
        assert next(steps).done == 2
        events.close()
        assert own_iterations(place) == 2

    def test_without_polygons_it_says_so(self, place: Workspace) -> None:
        with pytest.raises(EmptyFacesetError, match="mask edit"):
            list(train_masks(place, MaskTrainConfig(iterations=1)))

    def test_masks_of_other_facesets_are_learned_from(self, place: Workspace, tmp_path: Path) -> None:
        draw_oval(list_faces(place.aligned("dst"))[0])
        other = write_faceset(tmp_path / "other", SRC, 3)
        mask = stored_mask(np.ones((64, 64), np.float32), "somebody")
        for path in list_faces(other)[:2]:
            replace_record(path, load_record(path).model_copy(update={"mask": mask}))
        options = MaskTrainConfig(iterations=1, batch_size=2, pool=16, device="cpu")
        assert ", 3 faces, 0 more held out" in said(list(train_masks(place, options, mask_faces=[other])))


class TestUsedInTraining:
    def test_a_swap_model_is_taught_what_mask_and_polygons_say(self, place: Workspace) -> None:
        path = list_faces(place.aligned("dst"))[0]
        record = load_record(path)
        half = np.zeros((64, 64), np.float32)
        half[:, :32] = 1
        before = load_person(place.aligned("dst"), 64, "full").faces[0, 3].numpy()
        replace_record(path, record.model_copy(update={"mask": stored_mask(half, "net")}))
        after = load_person(place.aligned("dst"), 64, "full").faces[0, 3].numpy()
        assert before[:, 34:].max() == 255
        assert after[:, 34:].max() == 0
        assert after[:, :30].max() == 255
        corners = [(float(x), float(y)) for x, y in record.landmarks_array()[[36, 45, 54, 48]]]
        polygon = Polygon(kind="exclude", points=corners)
        replace_record(path, load_record(path).model_copy(update={"polygons": [polygon]}))
        cut = load_person(place.aligned("dst"), 64, "full").faces[0, 3].numpy()
        masks = polygon_masks([polygon], rescale(record.matrix_array(), 1), 64)
        assert masks is not None
        assert cut[masks[1] > 0.99].max() == 0
