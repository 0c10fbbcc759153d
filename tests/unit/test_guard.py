"""A collapse is noticed, a hard training is not taken for one."""

import math

import pytest

from lookalike.training.guard import Guard


def rows(loss: float, count: int, contrast: float = 0.9) -> list[dict[str, float]]:
    return [{"loss_src": loss / 2, "loss_dst": loss / 2, "mask_src": 0.1, "contrast": contrast}] * count


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["loss_src", "mask_src", "contrast"])
def test_what_is_no_number_is_seen_at_once(name: str, value: float) -> None:
    row = rows(1, 1)[0] | {name: value}
    assert Guard().look([row]) == "a loss is not a number"


def test_a_jump_that_stays_is_seen() -> None:
    guard = Guard()
    assert guard.look(rows(1, 200)) is None
    assert guard.look(rows(3.5, 9)) is None
    assert guard.look(rows(3.5, 1)) == "the loss jumped from 1.00 to 3.50"


def test_single_hard_batches_are_no_jump() -> None:
    guard = Guard()
    guard.look(rows(1, 200))
    for _ in range(20):
        assert guard.look([*rows(9, 5), *rows(1, 3)]) is None


def test_a_slow_rise_is_no_jump() -> None:
    guard = Guard()
    guard.look(rows(1, 200))
    for percent in range(100, 250):
        assert guard.look(rows(percent / 100, 10)) is None


def test_a_jump_is_not_believed_early() -> None:
    guard = Guard()
    assert guard.look([*rows(1, 50), *rows(9, 40)]) is None


def test_drawings_that_go_blank_are_seen_and_those_that_begin_so_are_not() -> None:
    guard = Guard()
    assert guard.look(rows(1, 30, contrast=0.01)) is None
    assert guard.look(rows(1, 99, contrast=0.5)) is None
    assert guard.look(rows(1, 10, contrast=0.01)) is None
    assert guard.look(rows(1, 10, contrast=0.5)) is None
    assert guard.look(rows(1, 9, contrast=0.01)) is None
    assert guard.look(rows(1, 1, contrast=0.01)) == "the drawings have gone blank"
