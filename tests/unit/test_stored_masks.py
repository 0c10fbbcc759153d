"""Masks in face records: kept small, read with care, moved with the crop."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from drawn_faces import SRC, drawn_record
from lookalike.curation.recrop import narrowed, resized
from lookalike.errors import RecordError
from lookalike.faceset import load_record, replace_record, save_face
from lookalike.faceset.masks import known_mask, placed_mask, read_mask, stored_mask
from lookalike.faceset.record import Polygon, StoredMask
from lookalike.geometry import rescale


def disc(side: int, radius: float = 0.3) -> np.ndarray:
    y, x = np.mgrid[0:side, 0:side] / side - 0.5
    return np.asarray(np.clip((radius - np.hypot(x, y)) * 12 + 0.5, 0, 1), np.float32)


def encoded(picture: Image.Image) -> StoredMask:
    file = io.BytesIO()
    picture.save(file, "png")
    return StoredMask(source="x", png=base64.b64encode(file.getvalue()).decode())


class TestKept:
    def test_comes_back_in_sixteen_steps(self) -> None:
        mask = disc(128)
        back = read_mask(stored_mask(mask, "net"), 128)
        assert np.abs(back - mask).max() <= 0.5 / 15 + 1e-6
        assert back.min() == 0
        assert back.max() == 1

    def test_is_small_enough_for_a_record(self) -> None:
        kept = stored_mask(disc(512), "net")
        assert len(kept.png) < 6000
        assert read_mask(kept, 512).shape == (512, 512)
        assert np.abs(read_mask(kept, 512) - disc(512)).mean() < 0.01

    def test_survives_in_jpeg_and_png(self, tmp_path: Path) -> None:
        image, record = drawn_record(SRC, 0)
        for suffix in (".jpg", ".png"):
            path = tmp_path / f"face{suffix}"
            save_face(path, image, record)
            replace_record(path, record.model_copy(update={"mask": stored_mask(disc(64), "net 1")}))
            again = load_record(path)
            assert again.mask is not None
            assert again.mask.source == "net 1"
            assert np.abs(read_mask(again.mask, 64) - disc(64)).max() < 0.04

    @pytest.mark.parametrize(
        "stored",
        [
            encoded(Image.new("RGB", (8, 8))),
            encoded(Image.new("L", (8, 9))),
            encoded(Image.new("L", (2000, 2000))),
            StoredMask(source="x", png="no base64!"),
            StoredMask(source="x", png=base64.b64encode(b"no png").decode()),
        ],
        ids=["color", "oblong", "large", "letters", "bytes"],
    )
    def test_anything_else_is_refused_in_one_line(self, stored: StoredMask) -> None:
        with pytest.raises(RecordError, match="mask apply again") as caught:
            read_mask(stored, 16, "00001_0.jpg")
        assert str(caught.value).startswith("00001_0.jpg: its mask")
        assert "\n" not in str(caught.value)

    def test_a_jpeg_in_its_place_is_refused(self) -> None:
        file = io.BytesIO()
        Image.new("L", (8, 8)).save(file, "jpeg")
        with pytest.raises(RecordError):
            read_mask(StoredMask(source="x", png=base64.b64encode(file.getvalue()).decode()), 8)


class TestPlaced:
    def test_lies_in_any_crop_of_the_frame(self) -> None:
        record = drawn_record(SRC, 0)[1].model_copy(update={"mask": stored_mask(disc(64), "net")})
        placed = placed_mask(record)
        assert placed is not None
        twice = placed.in_crop(rescale(record.matrix_array(), 2), 128)
        assert np.abs(twice - disc(128)).max() < 0.12
        assert np.abs(twice - disc(128)).mean() < 0.01

    def test_moves_along_when_the_face_is_cropped_anew(self) -> None:
        image, record = drawn_record(SRC, 0)
        record = record.model_copy(update={"mask": stored_mask(disc(64), "net")})
        placed = placed_mask(record)
        assert placed is not None
        _, narrow = narrowed(image, record, 64, "half", "2019")
        assert narrow.mask is not None
        expected = placed.in_crop(narrow.matrix_array(), 64)
        assert expected.mean() > 1.5 * disc(64).mean()
        assert np.abs(read_mask(narrow.mask, 64) - expected).max() < 0.04
        _, large = resized(image, record, 96)
        assert large.mask is not None
        assert np.abs(read_mask(large.mask, 64) - disc(64)).mean() < 0.02


class TestKnown:
    def test_needs_a_mask_or_something_included(self) -> None:
        record = drawn_record(SRC, 0)[1]
        corners = [(float(x), float(y)) for x, y in record.landmarks_array()[[0, 16, 8]]]
        without = Polygon(kind="exclude", points=corners)
        assert known_mask(record, 64) is None
        assert known_mask(record.model_copy(update={"polygons": [without]}), 64) is None
        include = record.model_copy(update={"polygons": [Polygon(kind="include", points=corners)]})
        mask = known_mask(include, 64)
        assert mask is not None
        assert mask.max() == 1
        both = record.model_copy(
            update={"polygons": [without], "mask": stored_mask(np.ones((64, 64), np.float32), "n")}
        )
        left = known_mask(both, 64)
        assert left is not None
        assert np.abs(left + mask - 1).mean() < 0.01
