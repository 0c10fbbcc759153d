"""Which faces make a batch: every face once before any again, yaw as dst has it, and nothing but place and seed."""

from collections import Counter

import pytest
import torch
from torch import Tensor

from lookalike.training.data import hold_out
from lookalike.training.sampling import Order, pick, plain_order, yaw_order


def indices(order: Order, start: int, count: int) -> list[int]:
    found: list[int] = pick(order, start, count).index.tolist()
    return found


def yaw_of_bin(number: int) -> float:
    """The middle of one of the 64 equal parts of -1..1."""
    return (number + 0.5) / 32 - 1


def yaws(*bins: int) -> Tensor:
    return torch.tensor([yaw_of_bin(number) for number in bins])


def test_every_face_comes_once_before_any_comes_again() -> None:
    order = plain_order(7, "0 src")
    drawn = indices(order, 0, 21)
    for epoch in range(3):
        assert sorted(drawn[7 * epoch : 7 * epoch + 7]) == list(range(7))
    assert drawn[:7] != drawn[7:14]


def test_a_place_alone_decides() -> None:
    order = plain_order(5, "3 dst")
    assert indices(order, 0, 20)[6:14] == indices(order, 6, 8)
    assert indices(order, 0, 20) == indices(plain_order(5, "3 dst"), 0, 20)
    assert indices(order, 0, 20) != indices(plain_order(5, "4 dst"), 0, 20)


def test_directions_that_dst_has_come_alike() -> None:
    src = yaws(*[10] * 30, *[40] * 3, *[60] * 5)  # bin 60 does not occur in dst
    order = yaw_order(src, yaws(10, 40, 40, 40), "0")
    assert len(order.bins) == 2
    counts = Counter(int(src[i] > 0) for i in indices(order, 0, 60))
    assert counts == {0: 30, 1: 30}
    assert not pick(order, 0, 60).mirrored.any()
    assert max(indices(order, 0, 60)) < 33  # none of bin 60


def test_a_side_that_src_lacks_is_mirrored() -> None:
    order = yaw_order(yaws(12, 13), yaws(51), "0")  # 63 - 51 = 12
    picks = pick(order, 0, 4)
    assert picks.index.tolist() == [0] * 4
    assert picks.mirrored.all()


@pytest.mark.parametrize(
    ("wish", "own", "taken", "mirrored"),
    [
        (20, [20, 43], 20, False),  # the direction itself first
        (20, [18, 43], 43, True),  # then its mirror image
        (20, [19, 21], 19, False),  # then the neighbours, the smaller first
        (20, [21, 42], 42, True),  # the smaller neighbour of the mirror image before the larger one of the direction
        (20, [63], 63, True),
        (31, [33], 33, True),  # 63 - 31 = 32: its larger neighbour looks the other way
        (0, [31], 31, False),
    ],
)
def test_the_nearest_bin(wish: int, own: list[int], taken: int, mirrored: bool) -> None:
    order = yaw_order(yaws(*own), yaws(wish), "0")
    assert [own[int(number)] for number in order.bins[0]] == [taken]
    assert order.mirrored == (mirrored,)


def test_beyond_the_ends_is_at_the_ends() -> None:
    order = yaw_order(torch.tensor([-1.0, 1.0, -3.0, 2.0]), torch.tensor([-1.5, 1.0]), "0")
    assert [bin.tolist() for bin in order.bins] == [[0, 2], [1, 3]]


def test_within_a_direction_every_face_comes_once_before_any_comes_again() -> None:
    order = yaw_order(yaws(10, 10, 10, 50), yaws(10, 50), "0")
    drawn = [face for face in indices(order, 0, 12) if face != 3]
    assert sorted(drawn[:3]) == sorted(drawn[3:]) == [0, 1, 2]


@pytest.mark.parametrize(("count", "share", "held"), [(39, 0.1, 0), (40, 0.1, 4), (100, 0.04, 4), (448, 0.04, 16)])
def test_faces_held_out_stand_in_rows_of_four(count: int, share: float, held: int) -> None:
    trained, out = hold_out(count, share)
    assert len(out) == held
    assert sorted([*trained.tolist(), *out.tolist()]) == list(range(count))
    for row in out.view(-1, 4):
        assert row.tolist() == list(range(int(row[0]), int(row[0]) + 4))


def test_at_most_64_faces_are_held_out() -> None:
    assert len(hold_out(20_000, 0.5)[1]) == 64
    assert len(hold_out(1000, 0)[1]) == 0
