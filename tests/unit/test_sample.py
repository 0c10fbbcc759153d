"""The demo sample: motion curves, animation and sound."""

from dataclasses import asdict, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.sample import (
    MotionFrame,
    Portrait,
    animate,
    load_portraits,
    plan_motion,
    render,
    rest_motion,
    speech_like,
)
from lookalike.sample.features import _BROWS, _CHIN, _EYES, _LIP_LOWER, _LIP_UPPER
from lookalike.sample.head import FaceAxes, still_coordinates

SIDE = 240


def make_mesh(gap: float = 0.0) -> NDArray[np.float32]:
    """A face of 60 px between the outer eye corners at (120, 100); only the points that the demo reads are placed.

    Args:
        gap: distance between the inner lips, in pixels.
    """
    mesh = np.full((478, 2), 120, np.float32)
    for (upper, lower), center in zip(_EYES, (98.0, 142.0), strict=True):
        for line, sign in ((upper, -1), (lower, 1)):
            t = np.linspace(-1, 1, len(line))
            mesh[list(line)] = np.stack([center + 8 * t, 100 + sign * 4 * (1 - t**2)], -1)
    for lips, bow in ((_LIP_UPPER, 0.0), (_LIP_LOWER, gap)):
        t = np.linspace(-1, 1, len(lips))
        mesh[list(lips)] = np.stack([120 + 18 * t, 145 + bow * (1 - t**2)], -1)
    mesh[list(_BROWS)] = np.stack([np.linspace(88, 152, 10), np.full(10, 88.0)], -1)
    mesh[_CHIN] = (120, 176)
    return mesh


def make_portrait(**settings: object) -> Portrait:
    """Two colours that tell above from below (red falls, green rises), and some blue grain."""
    ramp = np.linspace(40, 215, SIDE).astype(np.uint8)
    image = np.zeros((SIDE, SIDE, 3), np.uint8)
    image[..., 0], image[..., 1] = ramp[::-1, None], ramp[:, None]
    image[..., 2] = np.random.default_rng(0).integers(90, 160, (SIDE, SIDE))
    return Portrait("test", image, **settings)  # type: ignore[arg-type]


def flat(frame: MotionFrame) -> NDArray[np.float64]:
    return np.hstack([np.ravel(v) for v in asdict(frame).values()])


def test_motion_is_deterministic_and_seeded() -> None:
    assert plan_motion("src", 3, 60) == plan_motion("src", 3, 60)
    assert plan_motion("src", 3, 60) != plan_motion("src", 4, 60)
    assert plan_motion("src", 3, 60) != plan_motion("dst", 3, 60)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_src_covers_dst(seed: int) -> None:
    src = np.stack([flat(f) for f in plan_motion("src", seed, 300)])
    dst = np.stack([flat(f) for f in plan_motion("dst", seed, 200)])
    assert (src.min(0) <= dst.min(0)).all()
    assert (src.max(0) >= dst.max(0)).all()


@pytest.mark.parametrize(("role", "frames"), [("src", 300), ("dst", 200), ("dst", 2), ("src", 24)])
def test_curves_stay_in_range(role: str, frames: int) -> None:
    motions = plan_motion(role, 0, frames)  # type: ignore[arg-type]
    assert len(motions) == frames
    for m in motions:
        assert abs(m.yaw) <= 15
        assert 0 <= m.mouth_open <= 1
        assert 0 <= m.blink <= 1


def test_clip_blinks_talks_and_turns() -> None:
    motions = plan_motion("dst", 0, 200)
    blink = np.array([m.blink for m in motions])
    assert 2 <= np.count_nonzero((blink[1:] > 0.9) & (blink[:-1] <= 0.9)) <= 8
    assert np.ptp([m.yaw for m in motions]) > 20
    assert np.abs(np.diff([m.yaw for m in motions])).max() < 2.5
    opened = np.array([m.mouth_open for m in motions])
    assert 0.1 < (opened < 0.02).mean() < 0.8


def test_motion_needs_two_frames() -> None:
    with pytest.raises(ValueError, match="2 or more, got 1"):
        plan_motion("src", 0, 1)


@pytest.mark.parametrize(("gap", "teeth"), [(0.0, False), (5.0, True)])
def test_rest_gives_the_portrait_back(gap: float, teeth: bool) -> None:
    portrait, mesh = make_portrait(teeth=teeth), make_mesh(gap)
    same = render(portrait, mesh, rest_motion(mesh)).astype(int)
    assert np.abs(same - portrait.image).max() <= 1


def test_render_is_deterministic_and_takes_any_motion() -> None:
    portrait, mesh = make_portrait(lid_from_below=True), make_mesh()
    motions = plan_motion("src", 0, 40)[::8]
    first, second = list(animate(portrait, mesh, motions)), list(animate(portrait, mesh, motions))
    for a, b in zip(first, second, strict=True):
        assert a.shape == portrait.image.shape
        assert a.dtype == np.uint8
        np.testing.assert_array_equal(a, b)
    assert any((a != first[0]).any() for a in first[1:])


def test_open_mouth_is_dark_inside_and_nowhere_else() -> None:
    portrait, mesh = make_portrait(), make_mesh()
    image = render(portrait, mesh, MotionFrame(mouth_open=1.0))
    assert image[153, 120].max() < 170
    assert image[153, 120, 2] < 65 < portrait.image[..., 2].min()
    dark = np.argwhere(image[..., 2] < 65)
    assert (np.abs(dark[:, 1] - 120) < 19).all()
    assert (np.abs(dark[:, 0] - 150) < 12).all()


def test_lips_close_over_teeth() -> None:
    portrait, mesh = make_portrait(teeth=True), make_mesh(gap=6.0)
    portrait.image[146:150, 116:125] = 255
    assert render(portrait, mesh, rest_motion(mesh))[147:149, 120].min() == 255
    assert render(portrait, mesh, replace(rest_motion(mesh), mouth_open=0.0))[147:149, 120].max() < 240


@pytest.mark.parametrize("from_below", [False, True])
def test_blink_covers_the_eye_with_skin(from_below: bool) -> None:
    portrait, mesh = make_portrait(lid_from_below=from_below), make_mesh()
    portrait.image[98:103, 96:101] = (0, 0, 255)
    image = render(portrait, mesh, replace(rest_motion(mesh), blink=1.0))
    assert image[99:102, 97:100, 2].max() < 200
    assert render(portrait, mesh, rest_motion(mesh))[99:102, 97:100, 2].min() == 255


@pytest.mark.parametrize("from_below", [False, True])
def test_blink_leaves_the_rest_of_a_tilted_face_alone(from_below: bool) -> None:
    portrait, mesh = make_portrait(lid_from_below=from_below), make_mesh()
    tilted = MotionFrame(roll=5.0, mouth_open=0.8)
    before, after = (render(portrait, mesh, replace(tilted, blink=b)).astype(int) for b in (0.0, 1.0))
    rows = np.flatnonzero(np.abs(after - before).max((1, 2)))
    assert rows.min() > 80
    assert rows.max() < 122


def test_light_scales_colours() -> None:
    portrait, mesh = make_portrait(), make_mesh()
    image = render(portrait, mesh, replace(rest_motion(mesh), light=(-1.0, 0.1)))
    want = portrait.image * 0.5 * np.array([1.1, 1.0, 0.9])
    assert np.abs(image - want).max() <= 1


def test_turn_moves_the_nose_and_leaves_the_corners() -> None:
    axes = FaceAxes.of(make_mesh())
    grid = still_coordinates((SIDE, SIDE), axes, MotionFrame())
    turned = still_coordinates((SIDE, SIDE), axes, MotionFrame(yaw=15.0))
    move = grid - turned
    assert move[124, 128, 0] > 10
    assert np.abs(move[0, 0]).max() < 0.1
    assert np.abs(move[-1, -1]).max() < 0.1
    # Nothing folds over itself.
    assert np.diff(turned[..., 0], axis=1).min() > 0
    nod = still_coordinates((SIDE, SIDE), axes, MotionFrame(pitch=8.0, roll=5.0))
    assert np.diff(nod[..., 1], axis=0).min() > 0


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"mesh must be \(478, 2\)"):
        render(make_portrait(), np.zeros((68, 2)), MotionFrame())
    with pytest.raises(ValueError, match="even sides"):
        Portrait("odd", np.zeros((3, 4, 3), np.uint8))


def test_portraits_ship_with_the_dependencies() -> None:
    one, two = load_portraits()
    assert one.image.shape == two.image.shape == (448, 448, 3)
    assert one.name != two.name


def test_sound_follows_the_mouth() -> None:
    mouth = np.repeat([0.0, 0.8, 0.0, 0.8], 10)
    sound = speech_like(list(mouth), rate=44100)
    assert sound.dtype == np.float32
    assert len(sound) == round(40 / 25 * 44100)
    assert 0.05 < np.abs(sound).max() <= 0.13
    quarter = len(sound) // 4
    loud, quiet = sound[quarter + 4000 : 2 * quarter - 4000], sound[4000 : quarter - 4000]
    assert np.sqrt((loud**2).mean()) > 0.01
    assert np.abs(quiet).max() == 0
    np.testing.assert_array_equal(sound, speech_like(list(mouth), rate=44100))


def test_sound_of_a_shut_mouth_is_silence() -> None:
    assert not speech_like([0.0] * 5).any()
