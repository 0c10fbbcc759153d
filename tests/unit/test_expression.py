"""The expression network reacts to what a face does, and to nothing else."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.faces import FaceFinder
from lookalike.faces.expression import EXPRESSIONS, Expression
from lookalike.sample import load_portraits


@pytest.fixture(scope="module")
def network() -> Expression:
    return Expression()


@pytest.fixture(scope="module")
def mesh() -> NDArray[np.float64]:
    """(478, 2): a woman who smiles with open eyes, upright."""
    _, collins = load_portraits()
    found = FaceFinder().find(collins.image)[0].mesh.astype(np.float64)
    return turned(found, -float(np.degrees(np.arctan2(*(found[263] - found[33])[::-1]))))


def turned(mesh: NDArray[np.float64], degrees: float) -> NDArray[np.float64]:
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.asarray((mesh - mesh.mean(0)) @ np.array([[cos, sin], [-sin, cos]]) + mesh.mean(0))


def value(found: NDArray[np.float32], name: str) -> float:
    return float(found[EXPRESSIONS.index(name)])


def test_a_smile_is_a_smile(network: Expression, mesh: NDArray[np.float64]) -> None:
    found = network.of(mesh)
    assert found.shape == (52,)
    assert found.dtype == np.float32
    assert len(set(EXPRESSIONS)) == 52
    assert (found >= 0).all()
    assert (found <= 1).all()
    assert min(value(found, "mouthSmileLeft"), value(found, "mouthSmileRight")) > 0.5
    assert max(value(found, "jawOpen"), value(found, "eyeBlinkLeft"), value(found, "mouthPucker")) < 0.3


def test_closed_eyes_and_an_open_mouth_are_seen(network: Expression, mesh: NDArray[np.float64]) -> None:
    plain = network.of(mesh)
    shut = mesh.copy()
    upper, lower = [160, 159, 158, 157, 161], [144, 145, 153, 154, 163]  # lids of the person's right eye
    shut[upper] = shut[lower]
    assert value(network.of(shut), "eyeBlinkRight") > value(plain, "eyeBlinkRight") + 0.2
    assert value(network.of(shut), "eyeBlinkLeft") < value(network.of(shut), "eyeBlinkRight")
    wide = mesh.copy()
    below = wide[:, 1] > (wide[13, 1] + wide[14, 1]) / 2  # lower lip, jaw and chin
    wide[below, 1] += 0.25 * np.linalg.norm(mesh[263] - mesh[33])
    assert value(network.of(wide), "jawOpen") > value(plain, "jawOpen") + 0.2


def test_place_scale_and_roll_do_not_matter(network: Expression, mesh: NDArray[np.float64]) -> None:
    plain = network.of(mesh)
    np.testing.assert_allclose(network.of(mesh * 3.7 + [900, -40]), plain, atol=1e-3)
    for degrees in (-45, 20, 90, 180):
        np.testing.assert_allclose(network.of(turned(mesh, degrees)), plain, atol=1e-3)


def test_what_is_no_mesh_is_refused(network: Expression) -> None:
    with pytest.raises(ValueError, match=r"mesh must be \(478, 2\), got \(68, 2\)"):
        network.of(np.zeros((68, 2)))


def test_points_that_coincide_show_nothing(network: Expression) -> None:
    np.testing.assert_array_equal(network.of(np.full((478, 2), 5.0)), np.zeros(52))
