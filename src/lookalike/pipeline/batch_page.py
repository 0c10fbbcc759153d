"""The table of a batch as a static page, whose rows can be ordered by a click. Imports no numpy."""

from html import escape
from urllib.parse import quote

from lookalike.pipeline.batch_table import COLUMNS, BatchTable, Column, JobRow, counted
from lookalike.reporting.page import html_page

_STYLE = """<style>
body { max-width: 84rem; }
.jobs td { white-space: nowrap; } .jobs td:nth-child(1) { min-width: 0; } .jobs td:nth-child(4) { min-width: 0; }
.jobs td.error { white-space: normal; min-width: 14rem; color: var(--bad); font-size: .85rem; }
.jobs td.number, .jobs th.number { text-align: right; font-variant-numeric: tabular-nums; }
.jobs th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer;
  white-space: nowrap; }
.jobs th button:hover { text-decoration: underline; }
.jobs th[aria-sort=ascending] button::after { content: " \\2191"; }
.jobs th[aria-sort=descending] button::after { content: " \\2193"; }
.jobs .faded { color: var(--soft); }
</style>"""

_SCRIPT = """<script>
for (const head of document.querySelectorAll(".jobs thead th")) {
  head.querySelector("button").addEventListener("click", () => {
    const table = head.closest("table"), body = table.tBodies[0], place = head.cellIndex;
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = row => row.cells[place].dataset.sort;
    const rows = [...body.rows].sort((one, other) => {
      const a = key(one), b = key(other);
      if (a === "" || b === "") return (a === "") - (b === "");
      const order = head.classList.contains("number") ? a - b : a.localeCompare(b, undefined, { numeric: true });
      return down ? -order : order;
    });
    body.append(...rows);
  });
}
</script>"""


def render_batch(table: BatchTable) -> str:
    """The whole HTML document; its links are relative to the folder of the batch."""
    body = [
        _STYLE,
        f"<h1>Batch {escape(table.file)}</h1>",
        f"<p class='soft'>{len(table.jobs)} jobs, by Lookalike {escape(table.version)}. Click a title to order. "
        "What the figures mean, and how they are measured, is said in each job's report.</p>",
        f"<div class='sum'><p><strong>{escape(counted(table.jobs))}</strong></p></div>",
        _rows(table),
        _SCRIPT,
    ]
    return html_page(f"Batch {table.file}", body)


def _rows(table: BatchTable) -> str:
    titles = [("Job", ""), ("State", ""), *((column.title, " class='number'") for column in COLUMNS), ("Error", "")]
    head = "".join(f"<th scope='col'{kind}><button type='button'>{title}</button></th>" for title, kind in titles)
    body = "".join(_row(row) for row in table.jobs)
    rows = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    return f"<div class='wide'><table class='jobs beside'>{rows}</table></div>"


def _row(row: JobRow) -> str:
    name = escape(row.name)
    if row.report:
        name = f"<a href='{_link(row.report)}'>{name}</a>"
    kind = {"done": " good", "failed": " bad"}.get(row.state, "")
    again = f" <small>{row.attempts} attempts</small>" if row.attempts > 1 else ""
    cells = [
        f"<td data-sort='{escape(row.name, quote=True)}'>{name}<br>"
        f"<small>{escape(row.src_identity)} on {escape(row.dst_identity)}</small></td>",
        f"<td data-sort='{row.state}'><span class='verdict{kind}'>{row.state}</span>{again}</td>",
        *(_cell(column, row) for column in COLUMNS),
        f"<td class='error' data-sort='{escape(row.error, quote=True)}'>{escape(row.error)} "
        f"<small><a href='{_link(row.log)}'>log</a></small></td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _cell(column: Column, row: JobRow) -> str:
    value, text, good = getattr(row, column.key), escape(column.text(row)), column.good(row)
    shown = text if good is None else f"<span class='verdict {'good' if good else 'bad'}'>{text}</span>"
    return f"<td class='number' data-sort='{'' if value is None else value}'>{shown}</td>"


def _link(path: str) -> str:
    return escape(quote(path), quote=True)
