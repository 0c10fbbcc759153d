"""The report's page in a browser."""

import json

from playwright.sync_api import expect
from studio_desk import SECONDS, Desk

from lookalike.reporting.figures import Report
from lookalike.reporting.table import sections

LONG = SECONDS * 1000


def stored(studio: Desk) -> Report:
    return Report.model_validate_json((studio.workspace.report / "report.json").read_text())


def test_the_figures_of_the_report_are_shown(studio: Desk) -> None:
    studio.go("report")
    page, report = studio.page, stored(studio)
    for part in sections(report):
        rows = page.locator(f"[data-section='{part.title}'] tbody tr")
        expect(rows).to_have_count(len(part.rows))
        for shown, row in zip(rows.all(), part.rows, strict=True):
            assert shown.get_attribute("data-good") == {True: "true", False: "false", None: "null"}[row.good]
            assert shown.locator(".report-value").inner_text() == row.value
    good = [row.good for part in sections(report) for row in part.rows if row.good is not None]
    expect(page.locator(".report-score")).to_have_text(f"{sum(good)} / {len(good)}")
    assert page.locator(".report-plots path").count() > 10
    assert page.locator(".report-strip").evaluate("image => image.naturalWidth") > 0
    made = page.locator("#made")
    expect(made).to_contain_text("the signer is known on this machine")
    expect(made).to_contain_text("guided, 6 iterations")
    page.locator("#made summary").click()
    expect(made).to_contain_text("color transfer")


def test_a_worst_frame_leads_to_merge(studio: Desk) -> None:
    studio.go("report")
    page, first = studio.page, stored(studio).worst[0]
    page.keyboard.press("w")
    one = page.locator(".worst-one").first
    expect(one).to_be_focused()
    expect(one).to_contain_text(f"Frame {first.frame + 1}")
    expect(one).to_contain_text(first.reasons[0].text)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".worst-one").nth(1)).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    studio.ready("merge")
    assert page.url.endswith(f"/merge/{first.frame + 1}")


def test_it_is_measured_again_and_a_comparison_is_framed(studio: Desk) -> None:
    folder = studio.workspace.report
    (folder / "report.json").write_text(json.dumps({"format": 1}))
    (folder / "comparison.json").write_text(json.dumps({"results": [{"name": "one.mp4"}, {"name": "two.mp4"}]}))
    (folder / "comparison.html").write_text("<!doctype html><style>p { color: red }</style><p>side by side</p>")
    studio.go("report")
    page = studio.page
    expect(page.locator("main")).to_contain_text("made by another version")
    expect(page.frame_locator(".report-frame").locator("p")).to_have_css("color", "rgb(255, 0, 0)")
    page.keyboard.press("r")
    page.reload()
    studio.ready("report")
    expect(page.locator(".report-score")).to_be_visible(timeout=2 * LONG)
    assert stored(studio).frames.dst == 24
    expect(page.get_by_role("button", name="Measure again")).to_be_enabled()
