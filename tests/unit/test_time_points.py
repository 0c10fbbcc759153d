"""Times and frames as users write them."""

from fractions import Fraction

import pytest

from lookalike.errors import ConfigError
from lookalike.pipeline.config import CutOptions, FramesOptions
from lookalike.pipeline.frames import chosen_frames
from lookalike.pipeline.time_points import TimePoint, parse_point


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("0", TimePoint()),
        ("90", TimePoint(Fraction(90))),
        ("12.5", TimePoint(Fraction(25, 2))),
        (".25", TimePoint(Fraction(1, 4))),
        ("2:03.5", TimePoint(Fraction(247, 2))),
        ("01:02:03.250", TimePoint(Fraction(372325, 100))),
        ("120f", TimePoint(frame=120)),
    ],
)
def test_read(text: str, point: TimePoint) -> None:
    assert parse_point(text) == point


@pytest.mark.parametrize("text", ["", "abc", "-1", "1:75", "1:99:00", "0f", "12 f", "1e3", "1:2:3:4", "nan"])
def test_refused_in_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match="is no time; write 1:02:03") as caught:
        parse_point(text)
    assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match="is no time"):
        CutOptions(begin=text)


@pytest.mark.parametrize(
    ("times", "fps", "chosen"),
    [
        ([0, 100, 200, 300, 400, 500, 600], 5, [0, 2, 4, 6]),
        ([0, 100, 200, 300], 0, [0, 1, 2, 3]),
        ([0, 100, 200, 300], 25, [0, 1, 2, 3]),
        ([50, 150, 250, 350], 5, [0, 2]),
        ([0, 33, 40, 120, 121, 400, 1000, 1033], 4, [0, 4, 5, 6]),
        ([0, 100, 200, 300, 400, 500, 600, 700], 4, [0, 2, 5]),  # 250 lies between two: the earlier one
        ([7], 10, [0]),
        ([], 10, []),
    ],
)
def test_frames_nearest_to_even_moments(times: list[int], fps: float, chosen: list[int]) -> None:
    assert chosen_frames(times, Fraction(1, 1000), fps) == chosen


@pytest.mark.parametrize("fps", [-1, 1001, float("inf"), float("nan")])
def test_absurd_rates_are_refused(fps: float) -> None:
    with pytest.raises(ValueError, match="fps"):
        FramesOptions(fps=fps)
