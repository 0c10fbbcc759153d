"""Smoothing over time: noise goes, motion stays, nothing lags, nothing smears."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from drawn_faces import DST, draw_person
from lookalike.faceset import FaceRecord, encode_array, face_name, make_face, save_face
from lookalike.geometry import transform
from lookalike.merging.paint import Painted
from lookalike.merging.steady import REACH, noise_of, pose_and_shape, steadied, steady_points
from lookalike.merging.steady_paint import along_motion, steady_painted
from lookalike.merging.track import Tracks, spot_of

NOISE = 0.4


def smoothed(track: NDArray[np.float64], noise: float = NOISE) -> NDArray[np.float64]:
    """(N, D) values, each steadied by its neighbours."""
    out = []
    for here in range(len(track)):
        near = np.arange(max(0, here - REACH), min(len(track), here + REACH + 1))
        out.append(steadied(near - here, track[near], noise))
    return np.array(out)


def noisy(track: NDArray[np.float64], seed: int = 0) -> NDArray[np.float64]:
    return track + np.random.default_rng(seed).normal(0, NOISE, track.shape)


def test_noise_is_less_than_half() -> None:
    still = noisy(np.zeros((300, 4)))
    assert smoothed(still).std() < 0.5 * still.std()


def test_a_steady_motion_is_kept_exactly() -> None:
    line = np.linspace(0, 90, 60)[:, None] * [1, -2]
    np.testing.assert_allclose(smoothed(line), line, atol=1e-9)


@pytest.mark.parametrize("period", [30, 60])
def test_a_swing_is_neither_late_nor_small(period: int) -> None:
    swing = 20 * np.sin(np.arange(240) * 2 * np.pi / period)[:, None]
    out = smoothed(noisy(swing))[:, 0]
    lags = [float(np.corrcoef(np.roll(out, lag)[10:-10], swing[10:-10, 0])[0, 1]) for lag in range(-3, 4)]
    assert int(np.argmax(lags)) == 3
    assert np.ptp(out) > 0.93 * np.ptp(swing)


def test_a_jerk_is_not_smeared() -> None:
    step = np.repeat([0.0, 40.0], 40)[:, None]
    out = smoothed(noisy(step))[:, 0]
    assert np.abs(out[:40]).max() < 1.2
    assert np.abs(out[40:] - 40).max() < 1.2


def test_a_blink_keeps_its_depth() -> None:
    blink = np.zeros((60, 1))
    blink[30:33] = -12
    assert smoothed(noisy(blink))[30:33].max() < -9  # thirty times the noise deep; at least three quarters stay


def test_the_noise_is_measured() -> None:
    values = noisy(np.linspace(0, 50, 400)[:, None] * np.ones(6))
    np.testing.assert_allclose(noise_of(values), NOISE, rtol=0.25)
    np.testing.assert_allclose(noise_of(values, pooled=True), NOISE, rtol=0.1)
    assert not noise_of(values[:2]).any()


def test_points_of_a_moving_turning_face() -> None:
    """The face moves, turns and grows; its points tremble. What is found is nearer to the truth than what was given."""
    _, face = draw_person(DST, 0)
    rng = np.random.default_rng(0)
    true, given = [], []
    for number in range(2 * REACH + 1):
        angle, scale = 0.02 * number, 1 + 0.01 * number
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = np.column_stack([turn, [3 * number, -number]])
        points = transform(matrix, np.concatenate([face.landmarks, face.mesh]))
        true.append(points)
        given.append(points + rng.normal(0, 0.5, points.shape))
    offsets = np.arange(len(true)) - REACH
    poses, shapes = zip(*map(pose_and_shape, given), strict=True)
    found = steady_points(offsets, np.stack(poses), np.stack(shapes))
    before, after = (np.sqrt(((points - true[REACH]) ** 2).mean()) for points in (given[REACH], found))
    assert after < 0.6 * before


def record_at(frame: int, move: tuple[float, float], track: int = 0) -> FaceRecord:
    rgb, face = draw_person(DST, 0)
    step = np.array(move, np.float32)
    face = type(face)(face.box_xyxy + np.tile(step, 2), face.score, face.landmarks + step, face.mesh + step)
    return make_face(
        rgb, face, source="x", frame=frame, time_seconds=frame / 25, number=0, size=64, face_type="full", track=track
    )[1]


def written(folder: Path, records: list[FaceRecord]) -> dict[int, list[Path]]:
    faces: dict[int, list[Path]] = {}
    for record in records:
        path = folder / face_name(record)
        save_face(path, np.zeros((64, 64, 3), np.uint8), record)
        faces.setdefault(record.frame, []).append(path)
    return faces


def centres(tracks: Tracks, count: int) -> NDArray[np.float64]:
    return np.array([tracks.spots(frame)[0].landmarks.mean(0) for frame in range(count)])


@pytest.mark.parametrize("kind", ["track", "jump", "gap"])
def test_nothing_smears_across_a_cut(tmp_path: Path, kind: str) -> None:
    """Before the cut the face trembles about one place, after it about another: the ends are averages of their own."""
    rng, records = np.random.default_rng(0), []
    for frame in range(24):
        after = frame >= 12
        place = np.array([30.0 if kind != "jump" else 160.0, 0.0]) * after + rng.normal(0, 1, 2)
        number = frame + (1 if after and kind == "gap" else 0)
        records.append(record_at(number, (place[0], place[1]), track=int(after and kind == "track")))
    tracks = Tracks(written(tmp_path, records), steady=True)
    raw = np.array([record.landmarks_array().mean(0) for record in records])
    out = np.array([tracks.spots(record.frame)[0].landmarks.mean(0) for record in records])
    assert out[:12].std(0).max() < raw[:12].std(0).max()
    middle = raw[:12].mean(0), raw[12:].mean(0)
    assert np.abs(out[:12] - middle[0]).max() < 3
    assert np.abs(out[12:] - middle[1]).max() < 3


def test_without_smoothing_points_are_those_of_the_record(tmp_path: Path) -> None:
    records = [record_at(frame, (frame * 2.0, -frame)) for frame in range(5)]
    tracks = Tracks(written(tmp_path, records), steady=False)
    for record in records:
        (spot,) = tracks.spots(record.frame)
        np.testing.assert_array_equal(spot.landmarks, spot_of(record).landmarks)
        np.testing.assert_allclose(spot.move, (2, -1), atol=1e-3)
    assert tracks.spots(99) == []


def test_a_damaged_mesh_does_not_reach_the_next_frame(tmp_path: Path) -> None:
    records = [record_at(frame, (0, 0)) for frame in range(9)]
    wild = records[4].mesh_array() + np.float32(60)
    records[4] = records[4].model_copy(update={"mesh": encode_array(wild, np.float32)})
    tracks = Tracks(written(tmp_path, records), steady=True)
    for frame in (3, 5):
        assert np.abs(tracks.spots(frame)[0].mesh - records[frame].mesh_array()).max() < 2


CROP = np.zeros((16, 16, 3), np.uint8)


def painted(gain: float, region: float) -> Painted:
    rng = np.random.default_rng(0)
    drawn = rng.uniform(0.2, 0.6, (16, 16, 3)).astype(np.float32)
    change = np.eye(4, 3) * gain
    return Painted((drawn * np.float32(gain)), drawn, np.full((16, 16), region, np.float32), change)


def test_colours_and_masks_are_steadied() -> None:
    rng = np.random.default_rng(2)
    gains, regions = 1.2 + rng.normal(0, 0.03, 9), 0.8 + rng.normal(0, 0.02, 9)
    faces = [painted(float(g), float(r)) for g, r in zip(gains, regions, strict=True)]
    out = steady_painted(range(-4, 5), faces, [CROP] * 9)
    assert abs(out.change[0, 0] - 1.2) < abs(gains[4] - 1.2)
    np.testing.assert_allclose(out.face, faces[4].drawn * out.change[0, 0], atol=1e-4)
    assert out.region is not None
    assert abs(out.region.mean() - 0.8) < abs(regions[4] - 0.8)


def test_a_flash_of_light_is_kept() -> None:
    faces = [painted(1.2 + 0.002 * (-1) ** k, 0.8) for k in range(9)]
    faces[4] = painted(1.9, 0.8)
    assert steady_painted(range(-4, 5), faces, [CROP] * 9).change[0, 0] == pytest.approx(1.9, abs=0.01)


def texture(shift: float, side: int = 64) -> NDArray[np.uint8]:
    """A picture of soft spots, moved to the right by some pixels."""
    rng = np.random.default_rng(3)
    large = cv2.GaussianBlur(rng.uniform(0, 255, (side, side + 40, 3)), (0, 0), 3)
    large = (large - large.mean()) * 4 + 128
    matrix = np.array([[1, 0, shift - 20], [0, 1, 0]], np.float64)
    return np.asarray(cv2.warpAffine(large, matrix, (side, side)).clip(0, 255), np.uint8)


def test_flicker_goes_along_the_motion_of_dst() -> None:
    """dst moves two pixels a frame; what is drawn moves with it and flickers."""
    rng = np.random.default_rng(0)
    crops = [texture(2.0 * k) for k in range(-2, 3)]
    true = [c.astype(np.float32) / np.float32(255) for c in crops]
    drawn = [(t + rng.normal(0, 0.03, t.shape)).astype(np.float32) for t in true]
    out = along_motion(crops[2], drawn[2], [(crops[k], drawn[k]) for k in (0, 1, 3, 4)])
    inside = np.s_[10:-10, 10:-10]
    before, after = (np.abs(face - true[2])[inside].mean() for face in (drawn[2], out))
    assert after < 0.65 * before


def test_what_dst_does_in_one_frame_only_is_not_smeared() -> None:
    """As at a blink: a dark bar in dst and in the drawing of one frame."""
    crops = [texture(0.0) for _ in range(5)]
    drawn = [c.astype(np.float32) / np.float32(255) for c in crops]
    crops[2][28:34, 20:44] = 5
    drawn[2] = crops[2].astype(np.float32) / np.float32(255)
    out = along_motion(crops[2], drawn[2], [(crops[k], drawn[k]) for k in (0, 1, 3, 4)])
    assert np.abs(out - drawn[2])[29:33, 22:42].mean() < 0.02
    beside = along_motion(crops[1], drawn[1], [(crops[k], drawn[k]) for k in (0, 2, 3)])
    assert np.abs(beside - drawn[1])[29:33, 22:42].mean() < 0.02
