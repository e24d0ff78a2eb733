"""Small pieces of a page that stands alone: no script, no font, no address outside the file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, final

from ._text import number_text

STYLE = """
:root { color-scheme: light dark; --ink: #222; --soft: #5b6470; --paper: #fff; --card: #f5f6f8;
  --rule: #d7dbe0; --good: #1c6b2f; --bad: #b3261e; --warn: #7a4d00; --warn-card: #fff4dd; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #a3acb8; --paper: #16191d;
  --card: #20252b; --rule: #3a424c; --good: #7fd496; --bad: #ff9a90; --warn: #ffd58a;
  --warn-card: #3a2f16; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .4rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; padding-bottom: .2rem; border-bottom: 1px solid var(--rule); }
.reference, .run, caption, figcaption { color: var(--soft); }
.reference, .run { margin: .1rem 0; }
.verdict { margin: 1rem 0 0; font-size: 1.05rem; font-weight: 600; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; min-width: 55%; font-size: .92rem; }
caption { text-align: left; padding: .2rem 0 .4rem; }
th, td { text-align: left; vertical-align: top; padding: .38rem .6rem; border-bottom: 1px solid var(--rule); }
thead th { background: var(--card); border-bottom: 2px solid var(--rule); }
tbody th { font-weight: 500; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.good { color: var(--good); font-weight: 600; white-space: nowrap; }
.bad { color: var(--bad); font-weight: 600; white-space: nowrap; }
.verdict.good, .verdict.bad { white-space: normal; }
.warning { background: var(--warn-card); color: var(--warn); border-left: 4px solid currentColor;
  margin: .5rem 0; padding: .5rem .8rem; border-radius: 3px; overflow-wrap: anywhere; }
figure { margin: 1.2rem 0 1.8rem; break-inside: avoid; }
figure img { display: block; width: 100%; height: auto; background: #fff; padding: .6rem;
  border: 1px solid var(--rule); border-radius: 6px; }
figcaption { font-size: .92rem; margin-top: .4rem; }
details { margin-top: 1rem; } summary { cursor: pointer; font-weight: 600; }
footer { margin-top: 3rem; color: var(--soft); font-size: .85rem; }
@media print { main { max-width: none; padding: 0; } body { font-size: 10pt; }
  :root { --ink: #000; --soft: #444; --paper: #fff; --card: #f2f2f2; --rule: #bbb;
    --good: #1c6b2f; --bad: #b3261e; --warn: #7a4d00; --warn-card: #fff; }
  .scroll { overflow: visible; } tr { break-inside: avoid; } h2 { break-after: avoid; } }
"""

_LONGEST_NUMBER = 24  # characters; longer texts among numbers stand at the left and may be broken


@final
class Markup(str):
    """Text that is already HTML; any other text is escaped where it is put into a page."""

    __slots__ = ()


def page(title: str, parts: Iterable[Markup]) -> str:
    """Whole page of these parts."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in parts if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def element(tag: str, content: Any, css: str = "") -> Markup:
    """One element around a text (escaped) or around Markup (as it stands)."""
    inside = content if isinstance(content, Markup) else escape(str(content))
    return Markup(f'<{tag} class="{css}">{inside}</{tag}>' if css else f"<{tag}>{inside}</{tag}>")


def section(title: str, parts: Sequence[Markup]) -> Markup:
    """Heading and parts; nothing where there are no parts."""
    if not parts:
        return Markup("")
    return Markup("\n".join(["<section>", element("h2", title), *parts, "</section>"]))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], caption: str = "") -> Markup:
    """Table whose first column names the rows; a column is set to the right if it holds a number."""
    body = [list(row) for row in rows]
    right = [any(_is_number(row[k]) for row in body if k < len(row)) for k in range(len(columns))]
    head = "".join(
        f'<th scope="col"{" class=number" if right[k] else ""}>{escape(name)}</th>'
        for k, name in enumerate(columns)
    )
    lines = ['<div class="scroll"><table>']
    if caption:
        lines.append(element("caption", caption))
    lines.append(f"<thead><tr>{head}</tr></thead><tbody>")
    lines += [_row(row, right) for row in body]
    lines.append("</tbody></table></div>")
    return Markup("\n".join(lines))


def _row(row: Sequence[Any], right: Sequence[bool]) -> str:
    cells = []
    for k, value in enumerate(row):
        text = value if isinstance(value, Markup) else escape(number_text(value))
        css = " class=number" if k < len(right) and right[k] and len(text) <= _LONGEST_NUMBER else ""
        cells.append(f'<th scope="row"{css}>{text}</th>' if k == 0 else f"<td{css}>{text}</td>")
    return f"<tr>{''.join(cells)}</tr>"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
