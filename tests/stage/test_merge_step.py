"""The merge of a whole clip: exact outside the mask, the same after a stop, by shots, by people, as layers."""

import json
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from drawn_clips import UNEVEN_MS, draw, sound_of
from numpy.typing import NDArray

from drawn_faces import FRAME_WH
from lookalike.errors import CheckpointError, ConfigError, EncoderError, WeightsError
from lookalike.faceset import list_faces, load_record, replace_record
from lookalike.faceset.masks import stored_mask
from lookalike.faceset.record import Polygon
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.pipeline import segments
from lookalike.pipeline.merge import merge
from lookalike.pipeline.merge_settings import MergeFile, Shot, write_merge_file
from lookalike.pipeline.workspace import Workspace
from lookalike.types import ColorTags, Event, Frame, Message, Progress
from lookalike.video import EncodeOptions, probe, read_frames
from merge_workspace import Kind, merge_workspace

FFV1 = EncodeOptions(codec="ffv1")


def run(
    workspace: Workspace, output: Path, config: MergeConfig | None = None, extra: MergeRun | None = None, **more: Any
) -> list[Event]:
    return list(merge(workspace, config or MergeConfig(), FFV1, run=extra, output=output, **more))


def pictures(path: Path) -> list[Frame]:
    return list(read_frames(path))


def masks(workspace: Workspace) -> list[NDArray[np.uint8]]:
    return [
        np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), np.uint8)
        for path in sorted((workspace.data("dst") / "merged_mask").glob("*.png"))
    ]


@pytest.mark.parametrize(
    "kind",
    [
        Kind(),
        Kind(shift_y=0),
        Kind(shift_x=0, shift_y=0),
        Kind(bits=10),
        Kind(bits=10, shift_y=0, full_range=True),
        Kind(full_range=True),
        Kind(rotation=90),
        Kind(rotation=270, shift_y=0),
        Kind(rotation=180, aspect=Fraction(4, 3)),
        Kind(bits=10, tags=ColorTags(9, 16, 9, 1)),
    ],
    ids=str,
)
def test_what_the_mask_leaves_out_is_bit_exact(tmp_path: Path, kind: Kind) -> None:
    """ffv1 in, ffv1 out: outside the mask every sample is what was decoded; and the rest of the file is as it was."""
    workspace = merge_workspace(tmp_path, 4, kind, frozenset({2}))
    output = tmp_path / "out.mkv"
    run(workspace, output, MergeConfig(mask="hull"), MergeRun(masks=True))
    before, after = pictures(workspace.video("dst")), pictures(output)
    assert [f.index for f in after] == [0, 1, 2, 3]
    covers = [
        np.asarray(cv2.imread(str(workspace.data("dst") / "merged_mask" / f"{n:05d}.png"), -1)) for n in (1, 2, 3, 4)
    ]
    for one, other, cover in zip(before, after, covers, strict=True):
        assert other.pts * other.time_base == one.pts * one.time_base
        for plane, old in zip(other.picture.planes, one.picture.planes, strict=True):
            assert plane.dtype == old.dtype
            across, down = cover.shape[1] // plane.shape[1], cover.shape[0] // plane.shape[0]
            blocks = cover.reshape(plane.shape[0], down, plane.shape[1], across).max((1, 3))
            np.testing.assert_array_equal(plane[blocks == 0], old[blocks == 0])
            assert (plane != old).any() == (one.index != 2)
    first, second = probe(workspace.video("dst")), probe(output)
    assert (second.rotation, second.tags, second.color) == (first.rotation, first.tags, first.color)
    assert second.pixel_format == first.pixel_format


def test_frames_without_a_face_are_counted_and_left_alone(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, 6, without_face=frozenset({0, 3}))
    events = run(workspace, tmp_path / "out.mkv")
    (last,) = [e.text for e in events if isinstance(e, Message)][-1:]
    assert "6 frames: 4 faces replaced in 4, 2 without a face left as they are" in last
    for number in (0, 3):
        one, other = (pictures(p)[number].picture for p in (workspace.video("dst"), tmp_path / "out.mkv"))
        assert all((a == b).all() for a, b in zip(one.planes, other.planes, strict=True))


class StoppedError(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize(
    ("after", "marks"), [(11, MergeRun()), (25, MergeRun(label="AI-generated", halo=True)), (41, MergeRun())]
)
def test_a_stopped_merge_ends_as_one_that_was_not(
    tmp_path: Path, after: int, marks: MergeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Smoothing looks at frames on both sides of the place where it was stopped."""
    monkeypatch.setattr(segments, "SEGMENT_FRAMES", 10)
    workspace = merge_workspace(tmp_path, 48)
    run(workspace, tmp_path / "whole.mkv", extra=marks)

    def stopping() -> Iterator[Event]:
        count = 0
        for event in merge(workspace, MergeConfig(), FFV1, run=marks, output=tmp_path / "parts.mkv"):
            count += isinstance(event, Progress) and event.step == "merge"
            yield event
            if count == after:
                raise StoppedError

    with pytest.raises(StoppedError):
        list(stopping())
    said = [e.text for e in run(workspace, tmp_path / "parts.mkv", extra=marks) if isinstance(e, Message)]
    assert any(text.startswith("reused") for text in said)
    for one, other in zip(pictures(tmp_path / "whole.mkv"), pictures(tmp_path / "parts.mkv"), strict=True):
        assert all((a == b).all() for a, b in zip(one.picture.planes, other.picture.planes, strict=True))


def test_smoothing_can_be_turned_off(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, 8)
    run(workspace, tmp_path / "steady.mkv")
    run(workspace, tmp_path / "raw.mkv", extra=MergeRun(stabilize=False))
    one, other = (pictures(tmp_path / name) for name in ("steady.mkv", "raw.mkv"))
    assert any((a.picture.planes[0] != b.picture.planes[0]).any() for a, b in zip(one, other, strict=True))


def test_shots_have_their_own_options(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, 6)
    shot = Shot(first=3, last=4, options={"mode": "raw-predict"})
    write_merge_file(workspace.folder / "merge.toml", MergeFile(defaults={"erode": 40}, shots=[shot]))
    run(workspace, tmp_path / "out.mkv")
    corners = [frame.picture.planes[0][:8, :8].mean() for frame in pictures(tmp_path / "out.mkv")]
    assert [bool(c < 20) for c in corners] == [False, False, True, True, False, False]
    assert workspace.done("merge")["options"]["erode"] == 40
    write_merge_file(workspace.folder / "merge.toml", MergeFile(defaults={"erode": 41}))
    assert not any("reused" in e.text for e in run(workspace, tmp_path / "out.mkv") if isinstance(e, Message))
    corners = [frame.picture.planes[0][:8, :8].mean() for frame in pictures(tmp_path / "out.mkv")]
    assert min(corners) > 20


def test_people_have_models_of_their_own(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, 6, models=("alice", "bob"))
    for path in list_faces(workspace.aligned("dst")):
        record = load_record(path)
        replace_record(path, record.model_copy(update={"person": record.frame % 3}))
    looks = {}
    for name in ("alice", "bob"):
        run(workspace, tmp_path / f"{name}.mkv", name=name, extra=MergeRun(stabilize=False))
        looks[name] = pictures(tmp_path / f"{name}.mkv")
    both = MergeRun(stabilize=False, people="0=alice, 1=bob")
    run(workspace, tmp_path / "both.mkv", extra=both)
    original = pictures(workspace.video("dst"))
    for number, frame in enumerate(pictures(tmp_path / "both.mkv")):
        wanted = (looks["alice"], looks["bob"], original)[number % 3][number]
        difference = np.abs(frame.picture.planes[0].astype(int) - wanted.picture.planes[0])
        assert difference.max() <= 1, number
    with pytest.raises(ConfigError, match="0=alice"):
        run(workspace, tmp_path / "x.mkv", extra=MergeRun(people="alice"))
    with pytest.raises(CheckpointError, match="no model carol"):
        run(workspace, tmp_path / "x.mkv", extra=MergeRun(people="0=carol"))
    with pytest.raises(ConfigError, match="one of them"):
        run(workspace, tmp_path / "x.mkv", extra=both, name="bob")


@pytest.mark.parametrize("bits", [8, 10])
def test_layers_for_compositing(tmp_path: Path, bits: int) -> None:
    workspace = merge_workspace(tmp_path, 3, Kind(bits=bits), frozenset({1}))
    layers = MergeRun(alpha=True, masks=True, patches=True)
    list(merge(workspace, MergeConfig(mask="hull"), FFV1, run=layers, sequence=True))
    data = workspace.data("dst")
    assert sorted(p.name for p in (data / "merged").glob("*.png")) == ["00001.png", "00002.png", "00003.png"]
    top = 255 if bits == 8 else 65535
    for number in (1, 2, 3):
        picture = cv2.imread(str(data / "merged" / f"{number:05d}.png"), cv2.IMREAD_UNCHANGED)
        mask = cv2.imread(str(data / "merged_mask" / f"{number:05d}.png"), cv2.IMREAD_UNCHANGED)
        assert picture is not None
        assert mask is not None
        assert picture.shape == (180, 200, 4)
        assert picture.dtype == mask.dtype == (np.uint8 if bits == 8 else np.uint16)
        step = top / ((1 << bits) - 1)
        assert np.abs(picture[..., 3].astype(float) - mask).max() <= step
        assert (mask.max() == top) == (number != 2)
    assert sorted(p.name for p in (data / "merged_patches").glob("*.png")) == ["00001_0.png", "00003_0.png"]
    about = json.loads((data / "merged_patches" / "00003_0.json").read_text())
    patch = cv2.imread(str(data / "merged_patches" / "00003_0.png"), cv2.IMREAD_UNCHANGED)
    assert patch is not None
    assert patch.shape == (about["size"], about["size"], 4)
    nose = load_record(list_faces(workspace.aligned("dst"))[1]).landmarks_array()[30]
    x, y = np.round(np.array(about["frame_to_patch"]) @ [*nose, 1]).astype(int)
    assert patch[y, x, 3] == top


def test_alpha_in_a_video(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, 3)
    layers = MergeRun(alpha=True, masks=True)
    for codec, name in (("ffv1", "out.mkv"), ("prores", "out.mov")):
        encoding = EncodeOptions.model_validate({"codec": codec})
        list(merge(workspace, MergeConfig(), encoding, run=layers, output=tmp_path / name))
        with av.open(str(tmp_path / name)) as container:
            for frame, mask in zip(container.decode(video=0), masks(workspace), strict=True):
                assert isinstance(frame, av.VideoFrame)
                bits = frame.format.components[3].bits
                plane = frame.planes[3]
                lines = np.frombuffer(bytes(plane), np.uint8 if bits == 8 else np.uint16).reshape(plane.height, -1)
                alpha = lines[:, : frame.width].astype(float) * (255 / ((1 << bits) - 1))
                assert np.abs(alpha - mask).max() < (0.5 if codec == "ffv1" else 3)
    with pytest.raises(EncoderError, match="alpha"):
        list(merge(workspace, MergeConfig(), EncodeOptions(), run=layers, output=tmp_path / "out.mp4"))


@pytest.mark.parametrize("name", ["none.safetensors", "none.onnx"])
def test_a_mask_network_that_is_missing_is_refused_before_work_begins(tmp_path: Path, name: str) -> None:
    workspace = merge_workspace(tmp_path, 2)
    with pytest.raises(WeightsError, match=name):
        run(workspace, tmp_path / "out.mkv", MergeConfig(), MergeRun(mask_network=tmp_path / name))
    assert not (tmp_path / "out.mkv").exists()
    assert not (workspace.folder / ".merge").exists()


def test_what_mask_apply_wrote_counts_before_the_network(tmp_path: Path) -> None:
    """A face of which nothing is seen stays as it is; polygons count above that."""
    workspace = merge_workspace(tmp_path, 2)
    paths = list_faces(workspace.aligned("dst"))
    for path in paths:
        record = load_record(path)
        nothing = stored_mask(np.zeros((record.size, record.size), np.float32), "somebody")
        replace_record(path, record.model_copy(update={"mask": nothing}))
    run(workspace, tmp_path / "out.mkv", MergeConfig())
    for before, after in zip(pictures(workspace.video("dst")), pictures(tmp_path / "out.mkv"), strict=True):
        for plane, other in zip(before.picture.planes, after.picture.planes, strict=True):
            assert np.array_equal(plane, other)
    record = load_record(paths[0])
    nose = [(float(x), float(y)) for x, y in record.landmarks_array()[[36, 45, 54, 48]]]
    drawn = record.model_copy(update={"polygons": [Polygon(kind="include", points=nose)]})
    replace_record(paths[0], drawn)
    run(workspace, tmp_path / "out.mkv", MergeConfig())
    first, second = (
        not np.array_equal(a.picture.planes[0], b.picture.planes[0])
        for a, b in zip(pictures(workspace.video("dst")), pictures(tmp_path / "out.mkv"), strict=True)
    )
    assert first
    assert not second


def test_hdr_is_merged_in_its_own_codes(tmp_path: Path) -> None:
    """PQ keeps its tags; the face comes out as bright in codes as that it replaces; a missing transfer is noted."""
    kind = Kind(bits=10, tags=ColorTags(9, 16, 9, 1))
    workspace = merge_workspace(tmp_path, 3, kind)
    said = run(workspace, tmp_path / "out.mkv", MergeConfig(color_transfer="none"))
    assert any("HDR" in e.text for e in said if isinstance(e, Message))
    assert not any("HDR" in e.text for e in run(workspace, tmp_path / "out.mkv") if isinstance(e, Message))
    assert probe(tmp_path / "out.mkv").tags == ColorTags(9, 16, 9, 1)
    before, after = (pictures(p)[1].picture.planes[0] for p in (workspace.video("dst"), tmp_path / "out.mkv"))
    inside = before != after
    assert after[inside].mean() == pytest.approx(before[inside].mean(), rel=0.05)


def test_the_parts_of_a_merge_are_timed(tmp_path: Path) -> None:
    workspace = merge_workspace(tmp_path, 2)
    run(workspace, tmp_path / "out.mkv")
    assert set(workspace.done("merge")["seconds_by_part"]) == {"decode", "cut out", "draw", "blend", "encode"}


@pytest.mark.parametrize("suffix", ["mp4", "mov"])
def test_sound_and_uneven_times_stay(tmp_path: Path, suffix: str) -> None:
    """Packets of two sound tracks, and the times of frames that come unevenly."""
    video = draw(tmp_path / f"dst.{suffix}", pts=UNEVEN_MS, time_base=Fraction(1, 1000), size_wh=FRAME_WH, sounds=2)
    workspace = merge_workspace(tmp_path / "faces", len(UNEVEN_MS))
    uneven = Workspace.create(tmp_path / "uneven")
    uneven.set_video("dst", video)
    (uneven.folder / "data_dst").mkdir()
    workspace.aligned("dst").rename(uneven.aligned("dst"))
    (workspace.folder / "model").rename(uneven.folder / "model")
    output = tmp_path / f"out.{suffix}"
    list(merge(uneven, MergeConfig(mask="hull"), EncodeOptions(), output=output))
    assert sound_of(output) == sound_of(video)
    before, after = pictures(video), pictures(output)
    assert [f.pts * f.time_base for f in after] == [f.pts * f.time_base for f in before]
    assert all((a.picture.planes[0] != b.picture.planes[0]).any() for a, b in zip(before, after, strict=True))
