"""The comparison as a static page, and as lines. Imports no numpy."""

from collections.abc import Iterator
from html import escape

from lookalike.reporting.comparison import ComparedFigure, ComparedResult, Comparison, wins
from lookalike.reporting.page import html_page


def comparison_lines(comparison: Comparison) -> Iterator[str]:
    """A table, line by line, and a line that sums up."""
    names = [result.name for result in comparison.results]
    rows = [
        ("", names, ""),
        *((figure.name, figure.texts, _verdict(figure, names)) for figure in comparison.figures),
    ]
    widths = [max(len(texts[place]) for _, texts, _ in rows) for place in range(len(names))]
    first = max(len(name) for name, _, _ in rows)
    for name, texts, verdict in rows:
        columns = "  ".join(text.rjust(width) for text, width in zip(texts, widths, strict=True))
        yield f"{name.ljust(first)}  {columns}  {verdict}".rstrip()
    yield _sum(comparison)


def render_comparison(comparison: Comparison) -> str:
    """The whole HTML document."""
    names = [result.name for result in comparison.results]
    title = " beside ".join(names)
    notes = f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in comparison.notes)}</ul>" if comparison.notes else ""
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p class='soft'>Compared by Lookalike {escape(comparison.version)}.</p>",
        f"<div class='sum'><p><strong>{escape(_sum(comparison))}</strong></p>{notes}</div>",
        *(_strip(result) for result in comparison.results),
        "<h2>Figures</h2>",
        _table(comparison, names),
    ]
    return html_page(title, body)


def _sum(comparison: Comparison) -> str:
    counts = wins(comparison.figures, len(comparison.results))
    said = ", ".join(f"{result.name} in {n}" for result, n in zip(comparison.results, counts, strict=True))
    return f"Better of {len(comparison.figures)} figures: {said}"


def _verdict(figure: ComparedFigure, names: list[str]) -> str:
    if figure.best is not None:
        return f"{names[figure.best]} is better"
    return "the same" if sum(value is not None for value in figure.values) > 1 else "not compared"


def _strip(result: ComparedResult) -> str:
    link = escape(f"{result.report}/index.html", quote=True)
    picture = ""
    if result.strip is not None:
        name = escape(result.strip, quote=True)
        picture = f"<img src='{name}' alt='Faces of dst above those of {escape(result.name, quote=True)}'>"
    return (
        f"<figure class='strip'><h2>{escape(result.name)} <small>{escape(result.src)} on {escape(result.dst)}; "
        f"<a href='{link}'>its report</a></small></h2>{picture}</figure>"
    )


def _table(comparison: Comparison, names: list[str]) -> str:
    titles = ["Figure", *names, *(f"{name} minus {names[0]}" for name in names[1:]), "Better"]
    head = "".join(f"<th scope='col'>{escape(title)}</th>" for title in titles)
    body = "".join(_row(figure, names) for figure in comparison.figures)
    return f"<div class='wide'><table class='beside'><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _row(figure: ComparedFigure, names: list[str]) -> str:
    values = "".join(
        f"<td><span class='verdict good'>{escape(text)}</span></td>"
        if place == figure.best
        else f"<td>{escape(text)}</td>"
        for place, text in enumerate(figure.texts)
    )
    apart = "".join(f"<td>{'' if d is None else f'{d:+.4g}'}</td>" for d in figure.differences[1:])
    return (
        f"<tr><td>{escape(figure.name)} <small>{figure.better}</small></td>{values}{apart}"
        f"<td>{escape(_verdict(figure, names))}</td></tr>"
    )
