"""The report as one static page: no script, no font or file from elsewhere but its own pictures. Imports no numpy."""

from collections.abc import Sequence
from html import escape

from lookalike.reporting.figures import Report, WorstFrame
from lookalike.reporting.table import Row, Section, sections

_STYLE = """
:root { color-scheme: light dark; --back: #fff; --panel: #f5f6f8; --text: #1b1f24; --soft: #5b6470; --rule: #dfe3e8;
  --good: #14713a; --good-back: #def5e6; --bad: #a3261b; --bad-back: #fde5e2; --line0: #1f66c9; --line1: #d9620b;
  --line2: #5b9a2f; --line3: #a04bb8; }
@media (prefers-color-scheme: dark) { :root { --back: #14171b; --panel: #1d2127; --text: #e6e9ed; --soft: #9aa4b0;
  --rule: #333a43; --good: #74d798; --good-back: #17392a; --bad: #ff9d92; --bad-back: #4a211d; --line0: #6ea8ff;
  --line1: #ffa25c; --line2: #93d16a; --line3: #d58eea; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 60rem; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.5rem 0 .75rem; } h2 small { font-weight: 400; }
p { margin: .25rem 0; }
.soft, small { color: var(--soft); }
a { color: var(--line0); }
.verdict { display: inline-block; padding: .05rem .55rem; border-radius: 1rem; font-size: .85rem; white-space: nowrap; }
.good { color: var(--good); background: var(--good-back); }
.bad { color: var(--bad); background: var(--bad-back); }
.sum { margin: 1rem 0; padding: .75rem 1rem; border-radius: .5rem; background: var(--panel); }
.sum ul { margin: .25rem 0 0; padding-left: 1.25rem; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-weight: 600; }
tbody th { padding-top: 1.1rem; border-bottom: 1px solid var(--rule); }
thead th { color: var(--soft); font-size: .85rem; font-weight: 500; }
td, thead th { padding: .4rem .75rem .4rem 0; vertical-align: top; border-bottom: 1px solid var(--rule); }
td:nth-child(1) { min-width: 9rem; } td:nth-child(2) { white-space: nowrap; font-variant-numeric: tabular-nums; }
td:nth-child(4) { min-width: 8.5rem; }
td:nth-child(4) small { display: block; }
@media (max-width: 40rem) { thead { display: none; } tbody, tr, td, tbody th { display: block; border: 0; padding: 0; }
  tbody th { margin: 1.25rem 0 .25rem; } tr:has(td) { padding: .5rem 0; border-top: 1px solid var(--rule); }
  td:nth-child(1), td:nth-child(2) { display: inline-block; }
  td:nth-child(1) { font-weight: 500; margin-right: .75rem; } }
@media (max-width: 40rem) { .beside thead { display: table-header-group; } .beside tbody { display: table-row-group; }
  .beside tr { display: table-row; } .beside td { display: table-cell; padding: .4rem .75rem .4rem 0;
  border-bottom: 1px solid var(--rule); white-space: nowrap; } }
figure { margin: 0; }
img { display: block; max-width: 100%; height: auto; border-radius: .35rem; }
.strip img { width: 100%; }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 24rem), 1fr)); gap: 1rem; }
.pairs figcaption { font-size: .85rem; margin-top: .3rem; font-variant-numeric: tabular-nums; }
.plots { overflow-x: auto; } .plots svg { display: block; width: 100%; min-width: 40rem; height: auto; }
.plots text { font-family: system-ui, sans-serif; }
.reasons { list-style: none; margin: .3rem 0 0; padding: 0; font-size: .85rem; }
.reasons li { display: inline-block; margin: 0 .35rem .35rem 0; }
"""


def render_page(report: Report, plots: str) -> str:
    """The whole HTML document; `plots` is the SVG of `plots.draw_plots`, or empty."""
    parts = sections(report)
    title = f"{report.src} on {report.dst}"
    by = " and ".join(i.recogniser for i in report.identities())
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p class='soft'>Report on {escape(report.result)}, by Lookalike {escape(report.version)}; "
        f"faces recognised by {escape(by)}.</p>",
        _summary(parts, report.notes),
        _strip(report),
        "<h2>Figures</h2>",
        _table(parts),
        *(["<h2>Over time</h2>", f"<div class='plots'>{plots}</div>"] if plots else []),
        _worst(report.worst),
    ]
    return html_page(title, body)


def html_page(title: str, body: Sequence[str]) -> str:
    """A document in the style of the report."""
    return (
        "<!doctype html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n<body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _summary(parts: Sequence[Section], notes: Sequence[str]) -> str:
    checked = [(part, row) for part in parts for row in part.rows if row.good is not None]
    failed = [(part, row) for part, row in checked if not row.good]
    text = f"<p><strong>{len(checked) - len(failed)} of {len(checked)} checks are good.</strong></p>"
    lines = [
        f"<strong>{escape(part.title)}, {escape(row.name)}</strong>: {escape(row.value)}; wanted: {escape(row.wanted)}"
        for part, row in failed
    ] + [escape(note) for note in notes]
    items = "".join(f"<li>{line}</li>" for line in lines)
    return f"<div class='sum'>{text}{f'<ul>{items}</ul>' if items else ''}</div>"


def _strip(report: Report) -> str:
    if report.strip is None:
        return ""
    numbers = ", ".join(str(n) for n in report.strip_frames)
    name = escape(report.strip, quote=True)
    return (
        f"<figure class='strip'><img src='{name}' alt='Faces of dst above those of the result'>"
        f"<figcaption><small>dst above, the result below; frames {numbers}</small></figcaption></figure>"
    )


def _table(parts: Sequence[Section]) -> str:
    body = "".join(
        f"<tbody><tr><th colspan='4' scope='colgroup'>{escape(part.title)}</th></tr>"
        f"{''.join(_row(row) for row in part.rows)}</tbody>"
        for part in parts
    )
    head = "".join(f"<th scope='col'>{name}</th>" for name in ("Figure", "Value", "What it means", "Good?"))
    return f"<div class='wide'><table><thead><tr>{head}</tr></thead>{body}</table></div>"


def _row(row: Row) -> str:
    verdict = ""
    if row.good is not None:
        kind, word = ("good", "good") if row.good else ("bad", "not good")
        verdict = f"<span class='verdict {kind}'>{word}</span><small>wanted: {escape(row.wanted)}</small>"
    elif row.wanted:
        verdict = f"<small>wanted: {escape(row.wanted)}</small>"
    cells = (escape(row.name), escape(row.value), escape(row.meaning), verdict)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _worst(frames: Sequence[WorstFrame]) -> str:
    if not frames:
        return ""
    bad = sum(frame.score >= 1 for frame in frames)
    said = f"{bad} of {len(frames)} are past a limit" if bad else "none is past a limit"
    figures = "".join(
        f"<figure><img src='{escape(f.file, quote=True)}' alt='dst and the result, frame {f.frame}' loading='lazy'>"
        f"<figcaption>frame {f.frame}, {f.seconds:.2f} s<ul class='reasons'>{_reasons(f)}</ul></figcaption></figure>"
        for f in frames
    )
    return f"<h2>Worst frames <small>dst left, result right; {said}</small></h2><div class='pairs'>{figures}</div>"


def _reasons(frame: WorstFrame) -> str:
    return "".join(
        f"<li class='verdict{' bad' if r.severity >= 1 else ''}'>{escape(r.text)}</li>" for r in frame.reasons
    )
