"""When to stop: known curves and what is said of them."""

import math
from typing import Any

import pytest

from lookalike.training.advice import advice

HOUR = 3600.0


def rows(
    losses: list[float],
    src: list[float] | None = None,
    dst: list[float] | None = None,
    gap: float = HOUR / 4,
) -> list[dict[str, Any]]:
    """A measurement every 1000 iterations and `gap` seconds."""
    found: list[dict[str, Any]] = []
    for number, loss in enumerate(losses):
        row = {
            "iteration": 1000 * (number + 1),
            "time": 1e9 + gap * number,
            "loss_src": loss + 0.1,
            "loss_dst": loss - 0.1,
        }
        if src is not None and dst is not None:
            row |= {"identity_src": src[number], "identity_dst": dst[number]}
        found.append(row)
    return found


FALLING = [2.0 * 0.9**n for n in range(16)]
FLAT = [2.0, 1.5, 1.2, 1.0, *[1.01, 1.02] * 6]
RISING = [2.0, 1.5, 1.2, 1.0, *[1.0 + 0.03 * n for n in range(1, 13)]]
NEAR, FAR = [0.45] * 16, [0.70] * 16


@pytest.mark.parametrize("count", [1, 7])
def test_too_few_measurements(count: int) -> None:
    assert advice(rows(FALLING[:count])) == (
        f"Train on: too early to say more, with {count} of 8 measurements on held-out faces."
    )


def test_nothing_measured() -> None:
    assert advice([]) == "Judge by the preview: nothing has been measured yet on held-out faces."


def test_a_falling_loss_says_how_fast() -> None:
    # Each quarter of an hour leaves 0.9: an hour leaves 0.9**4 = 0.6561.
    assert advice(rows(FALLING)) == "Train on: the loss on held-out faces still falls, by 34 % an hour."


def test_a_short_time_says_nothing_of_an_hour() -> None:
    assert "still falls, by 34 % in 4 min." in advice(rows(FALLING, gap=60))
    assert "still falls, by 34 % in 1 min." in advice(rows(FALLING, gap=0))


def test_a_slow_fall_has_a_decimal() -> None:
    slow = [1.0 - 0.002 * n for n in range(16)]  # from 0.978 at the twelfth to 0.970: 0.818 % in an hour
    assert "still falls, by 0.8 % an hour" in advice(rows(slow))


def test_a_flat_loss_says_since_when() -> None:
    assert advice(rows(FLAT)) == "You can stop: the loss on held-out faces has been flat since iteration 4000."


def test_a_rising_loss_asks_for_a_backup() -> None:
    # Best 1.0 at the fourth; the best of the last four is 1.27.
    assert advice(rows(RISING)) == (
        "Stop, and go back to a backup from about iteration 4000: the loss on held-out faces has risen by 27 % "
        "since then (over-trained)."
    )


def test_noise_is_no_trend() -> None:
    noisy = [1.0 + 0.05 * ((-1) ** n) for n in range(12)] + [0.93, 1.05, 0.95, 1.05]
    assert advice(rows(noisy)).startswith("You can stop: ")


@pytest.mark.parametrize("losses", [FALLING, FLAT, RISING])
def test_whom_the_swap_is_nearer_to(losses: list[float]) -> None:
    assert advice(rows(losses, NEAR, FAR)).endswith(
        ", and the swap is nearer to src (0.45, the same person) than to dst (0.70)."
    )


def test_nearer_to_src_but_not_the_same_person() -> None:
    assert "nearer to src (0.65, not the same person yet) than to dst (0.70)" in advice(rows(FALLING, [0.65] * 16, FAR))


def test_a_flat_loss_with_a_swap_like_dst_asks_for_other_means() -> None:
    said = advice(rows(FLAT, FAR, NEAR))
    assert said.startswith("More of the same will change little: the loss on held-out faces has been flat since")
    assert "the swap is not nearer to src (0.70, not the same person yet) than to dst (0.45)" in said


def test_a_flat_loss_while_the_swap_still_nears_src() -> None:
    nearing = [0.8 - 0.02 * n for n in range(16)]
    said = advice(rows(FLAT, nearing, FAR))
    assert said.startswith(
        "Train on: the loss on held-out faces has been flat since iteration 4000, but the swap still"
    )


def test_one_sentence_only() -> None:
    for losses in (FALLING, FLAT, RISING, FALLING[:3]):
        said = advice(rows(losses, NEAR, FAR))
        assert said.endswith(".")
        assert ". " not in said


def test_a_pause_is_no_training() -> None:
    paused = rows(FALLING)
    for row in paused[14:]:
        row["time"] += 100 * HOUR
    assert advice(paused) == advice(rows(FALLING))


def test_figures_may_be_missing() -> None:
    some = rows(FALLING, NEAR, FAR)
    some[3] = {"iteration": 4000, "time": None, "loss_src": None}
    some[5].update(identity_src=None, identity_dst=math.nan)
    for row in some[12:15]:
        row["identity_src"] = None
    del some[8]["time"]
    assert "the swap is nearer to src (0.45" in advice(some)
    assert advice([{}] * 20).startswith("Judge by the preview: ")
    assert "still falls" in advice([{"loss_src": loss, "loss_dst": loss} for loss in FALLING])


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_losses_of_nothing(value: float) -> None:
    assert advice(rows([value] * 16)).startswith("You can stop: ")
