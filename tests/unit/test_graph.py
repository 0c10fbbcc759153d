"""The loss graph of the specification's section 7.4."""

import numpy as np
import pytest
from numpy.typing import NDArray

from lookalike.training.graph import loss_graph, with_graph

BLUE, YELLOW, RED, GRAY, BACK = (0, 0, 255), (255, 255, 0), (255, 0, 0), (204,) * 3, (25,) * 3
LINES = [0, 19, 39, 59, 79, 99]
"""Rows of the six lines in 100."""


def column(graph: NDArray[np.uint8], x: int) -> list[tuple[int, ...]]:
    """Colours of the right half, where no number is written, from the bottom up."""
    return [tuple(int(v) for v in pixel) for pixel in graph[::-1, x]]


def test_size_lines_and_background() -> None:
    graph = loss_graph(np.empty((0, 2)), 300, iteration=0)
    assert graph.shape == (100, 300, 3)
    assert graph.dtype == np.uint8
    assert [row for row in range(100) if tuple(graph[row, -1]) == GRAY] == LINES
    assert tuple(graph[50, -1]) == BACK


def test_a_constant_loss_lies_in_the_middle() -> None:
    graph = loss_graph(np.full((50, 1), 3.0), 50, iteration=50)
    rows = [row for row, color in enumerate(column(graph, 45)) if color == BLUE]
    assert rows == [49]  # floor of half of 99


def test_src_is_blue_and_dst_yellow() -> None:
    losses = np.tile([1.0, 3.0], (400, 1))  # mean 2, full height 4
    colors = column(loss_graph(losses, 400, iteration=400), 399)
    assert [row for row, color in enumerate(colors) if color == BLUE] == [24]
    assert [row for row, color in enumerate(colors) if color == YELLOW] == [74]


def test_dst_is_drawn_over_src() -> None:
    colors = column(loss_graph(np.ones((9, 2)), 200, iteration=9), 150)
    assert BLUE not in colors
    assert colors[49] == YELLOW


def test_three_losses_have_hues_a_third_apart() -> None:
    colors = column(loss_graph(np.tile([1.0, 2.0, 3.0], (9, 1)), 200, iteration=9), 150)
    assert [c for c in colors if c not in (GRAY, BACK)] == [BLUE, (0, 255, 0), RED]


def test_a_column_reaches_from_lowest_to_highest_of_its_span() -> None:
    losses = np.ones((1000, 1))
    losses[990:] = np.linspace(0.5, 1.5, 10)[:, None]  # all in the last of 100 columns
    full = 2 * losses[200:].mean()
    colors = column(loss_graph(losses, 100, iteration=1000), 99)
    rows = [row for row, color in enumerate(colors) if color == BLUE]
    low, high = int(0.5 / full * 99), int(1.5 / full * 99)
    assert (rows[0], rows[-1]) == (low, high)
    assert set(range(low, high + 1)) - set(rows) <= {99 - line for line in LINES}


def test_few_iterations_fill_the_width() -> None:
    graph = loss_graph(np.array([[1.0], [3.0]]), 200, iteration=2)  # scale: both count, 4 at the top
    assert column(graph, 99)[24] == BLUE
    assert column(graph, 100)[74] == BLUE


def test_the_first_fifth_does_not_set_the_scale_but_is_cut_at_the_top() -> None:
    losses = np.ones((100, 1))
    losses[:20] = 50
    graph = loss_graph(losses, 100, height=101, iteration=100)
    assert column(graph, 99)[50] == BLUE
    assert column(graph, 5)[100] == GRAY  # the uppermost line lies over the bar that ends there
    assert not (graph[10:90, 5] == BLUE).all(1).any()


def test_last_shows_the_newest_only() -> None:
    losses = np.concatenate([np.full((900, 1), 9.0), np.full((100, 1), 1.0)])
    assert np.array_equal(
        loss_graph(losses, 200, last=100, iteration=7), loss_graph(losses[900:], 200, last=None, iteration=7)
    )
    assert np.array_equal(loss_graph(losses, 200, last=5000, iteration=7), loss_graph(losses, 200, iteration=7))


def test_the_number_stands_in_the_lowest_band() -> None:
    one, other = (loss_graph(np.empty((0, 2)), 300, iteration=n) for n in (1234, 9876))
    rows, places = np.nonzero((one != other).any(2))
    assert rows.min() > LINES[-2]
    assert places.max() < 150


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300, -1e300])
def test_values_that_are_no_numbers_leave_gaps(bad: float) -> None:
    losses = np.ones((200, 2), np.float64)
    losses[100:, 0] = bad
    graph = loss_graph(losses, 200, iteration=200)
    assert graph.shape == (100, 200, 3)
    assert loss_graph(np.full((5, 2), bad), 200, iteration=5).shape == (100, 200, 3)
    if not np.isfinite(bad):
        assert BLUE not in column(graph, 150)
        assert column(graph, 150)[49] == YELLOW


def test_zero_losses_lie_at_the_bottom() -> None:
    colors = column(loss_graph(np.zeros((5, 1)), 200, iteration=5), 150)
    assert BLUE not in colors  # the lowest line lies over them


@pytest.mark.parametrize(("shape", "width", "height"), [((5,), 10, 100), ((5, 2), 0, 100), ((5, 2), 10, 5)])
def test_what_cannot_be_drawn_is_refused(shape: tuple[int, ...], width: int, height: int) -> None:
    with pytest.raises(ValueError, match=r"losses must be|at least 1x6"):
        loss_graph(np.ones(shape), width, height, iteration=1)


def test_small_graphs_can_be_drawn() -> None:
    assert loss_graph(np.ones((5, 2)), 1, 6, iteration=1).shape == (6, 1, 3)


def test_the_graph_lies_above_the_preview() -> None:
    preview = np.full((40, 60, 3), 7, np.uint8)
    graph = loss_graph(np.ones((5, 2)), 60, iteration=5)
    both = with_graph(preview, graph)
    assert both.shape == (140, 60, 3)
    assert np.array_equal(both[:100], graph)
    assert np.array_equal(both[100:], preview)
    with pytest.raises(ValueError, match="differ in width"):
        with_graph(preview[:, :50], graph)
