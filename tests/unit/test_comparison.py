"""Results side by side: what is better, the page, and the lines."""

import itertools

import pytest

from lookalike.reporting.comparison import ComparedFigure, ComparedResult, Comparison, compare_figures, wins
from lookalike.reporting.comparison_page import comparison_lines, render_comparison
from lookalike.reporting.figures import Report
from made_figures import make_figures, make_report


def a_report(error: float = 0.02, sharpness: float = 0.8, psnr: float | None = 45.0, lost: int = 0) -> Report:
    made = make_report([make_figures(k, mouth=k / 10, error=error) for k in range(5)])
    return made.model_copy(
        update={
            "inside": made.inside.model_copy(update={"sharpness": sharpness}),
            "outside": made.outside.model_copy(update={"luma_psnr": psnr}),
            "frames": made.frames.model_copy(update={"lost": lost}),
        }
    )


def by_name(*reports: Report) -> dict[str, ComparedFigure]:
    return {figure.name: figure for figure in compare_figures(reports)}


def a_comparison(*reports: Report, name: str = "a.mp4") -> Comparison:
    results = [
        ComparedResult(
            name=n, result=f"/x/{n}", report=f"r{k}", strip=f"comparison-{k + 1}.jpg", src="s.mp4", dst="d.mp4"
        )
        for k, n in enumerate([name, "b.mp4", "c.mp4"][: len(reports)])
    ]
    return Comparison(version="0", results=results, figures=compare_figures(reports), notes=["Mind <this>."])


def test_lower_higher_and_nearer_are_better() -> None:
    figures = by_name(a_report(error=0.02, sharpness=0.9, psnr=45), a_report(error=0.05, sharpness=1.2, psnr=50))
    assert figures["Landmark error"].best == 0
    assert figures["Brightness outside"].best == 1
    assert figures["Sharpness"].best == 0  # 1.2 lies further from 1
    assert figures["Landmark error"].differences == [0, pytest.approx(0.03)]
    assert figures["Brightness outside"].texts == ["45.00 dB", "50.00 dB"]
    assert figures["Landmark error"].better == "lower"


def test_what_hardly_differs_or_was_not_measured_has_no_best() -> None:
    figures = by_name(a_report(error=0.0200, psnr=None), a_report(error=0.0205))
    assert figures["Landmark error"].best is None
    assert figures["Brightness outside"].best is None
    assert figures["Brightness outside"].texts[0] == "not measured"
    assert figures["Brightness outside"].differences == [None, None]
    assert figures["Frames lost"].best is None
    assert by_name(a_report(lost=1), a_report())["Frames lost"].best == 1
    assert by_name(a_report(lost=-1), a_report())["Frames lost"].best == 1  # frames too many are as bad


def test_of_three_the_best_must_beat_both() -> None:
    figures = compare_figures([a_report(error=0.05), a_report(error=0.02), a_report(error=0.03)])
    assert {f.name: f.best for f in figures}["Landmark error"] == 1
    assert wins(figures, 3) == [0, 1, 0]


def test_a_recogniser_that_judged_one_of_them_is_shown_and_not_compared() -> None:
    one = a_report()
    second = one.identity.model_copy(update={"recogniser": "sface", "nearer_to_src": 0.5})
    figures = by_name(one, one.model_copy(update={"second_identity": second}))
    assert figures["Nearer to src (sface)"].texts == ["not measured", "50.0%"]
    assert figures["Nearer to src (sface)"].best is None


def test_lines_are_a_table() -> None:
    lines = list(comparison_lines(a_comparison(a_report(error=0.02), a_report(error=0.05))))
    (landmarks,) = [line for line in lines if line.startswith("Landmark error")]
    assert landmarks.split() == ["Landmark", "error", "0.0200", "0.0500", "a.mp4", "is", "better"]
    starts = [line.index("dB") for line in lines if "dB" in line]
    assert len(set(starts)) == 1
    assert all(len(a.rstrip()) > 0 for a, _ in itertools.pairwise(lines))
    assert lines[-1].endswith("a.mp4 in 1, b.mp4 in 0")


def test_the_page_shows_all_and_escapes_names() -> None:
    comparison = a_comparison(a_report(error=0.02), a_report(error=0.05), name="<b>'.mp4")
    page = render_comparison(comparison)
    assert "<b>'" not in page
    assert "&lt;b&gt;&#x27;.mp4 is better" in page
    assert "Mind &lt;this&gt;." in page
    assert page.index("comparison-1.jpg") < page.index("comparison-2.jpg")
    assert "href='r1/index.html'" in page
    for figure in comparison.figures:
        assert figure.name.replace("'", "&#x27;") in page
        assert all(text in page for text in figure.texts)
    assert page.count("verdict good") == sum(figure.best is not None for figure in comparison.figures)
    assert "http" not in page
    assert Comparison.model_validate_json(comparison.model_dump_json()) == comparison
