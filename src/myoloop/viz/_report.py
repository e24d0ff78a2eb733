"""The report of a study: one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, final

from ..data import Figure
from ..errors import OutputError
from ..parameters import plain
from ._draw import save
from ._files import whole
from ._html import Markup, element, page, section, table
from ._text import flat, number_text

if TYPE_CHECKING:  # studies bring the whole engine along
    from ..studies import Outcome, StudyResult

_LARGEST_SVG = 400_000  # bytes; a larger figure is shown as PNG
_MANY = 60  # numbers that are shown after the figures
_MEDIA = {".svg": "image/svg+xml", ".png": "image/png"}


class Titled(Protocol):
    """What a report is about; a `Study` is one."""

    @property
    def name(self) -> str:
        """Short name."""

    @property
    def title(self) -> str:
        """What was done, in a line."""

    @property
    def reference(self) -> str:
        """The paper."""


@final
@dataclass(frozen=True)
class Heading:
    """What a report that belongs to no study is about."""

    name: str
    title: str
    reference: str = ""


def report_html(
    study: Titled,
    result: StudyResult,
    *,
    images: Mapping[str, Path] | None = None,
    warnings: Sequence[str] = (),
) -> str:
    """Page with the claims, numbers, figures and provenance of a result.

    Parameters
    ----------
    study : Study or Heading
        Its name, title and reference head the page.
    result : StudyResult
        What was found.
    images : mapping of str to Path, optional
        File (SVG or PNG) of each figure, by the figure's name; it is put into the page. A figure
        without a file is mentioned with its caption only.
    warnings : sequence of str
        What a careful reader wants to know, shown above everything else.

    Returns
    -------
    str
        HTML; the same arguments give the same text.
    """
    images = images or {}
    about = result.provenance
    numbers = section("Key numbers", [_metrics(result.metrics)] if result.metrics else [])
    many = sum(1 for _ in flat(plain(dict(result.metrics)))) > _MANY
    parts = [
        Markup("<header>"),
        element("h1", study.title),
        element("p", study.reference, "reference"),
        element("p", _run_line(study, about), "run"),
        _verdict(result.claims),
        Markup("</header>"),
        section("Warnings", [element("p", text, "warning") for text in warnings]),
        section("Claims", [_claims(result.claims)] if result.claims else []),
        *([] if many else [numbers]),
        *(section(t.title, [table(t.columns, t.rows)]) for t in result.tables),
        section("Figures", [_figure(f, images.get(f.name)) for f in result.figures]),
        section("Notes", [element("p", text) for text in result.notes]),
        *([numbers] if many else []),  # which would else keep the reader from tables and figures
        section("Where this came from", [_provenance(about)] if about else []),
        element("footer", "Written by myoloop. This file needs no network and no other file."),
    ]
    return page(f"{study.name}: {study.title}", parts)


def write_report(
    folder: str | Path,
    study: Titled,
    result: StudyResult,
    *,
    warnings: Sequence[str] = (),
) -> tuple[Path, ...]:
    """Draw the figures into ``folder/figures`` and write ``folder/report.html``.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    study, result, warnings
        As `report_html` takes them.

    Returns
    -------
    tuple of Path
        The report, then the figures.

    Raises
    ------
    OutputError
        A file cannot be written, e.g. on a full disk.
    """
    folder = Path(folder)
    images: dict[str, Path] = {}
    written: list[Path] = []
    try:
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        for figure in result.figures:
            png, svg = save(figure, folder / "figures")
            images[figure.name] = svg if svg.stat().st_size <= _LARGEST_SVG else png
            written += [png, svg]
        report = folder / "report.html"
        html = report_html(study, result, images=images, warnings=warnings)
        with whole(report) as target:
            target.write_text(html, encoding="utf-8")
    except OSError as problem:
        raise OutputError(
            f"{folder}: cannot write the figures and the report ({problem.strerror or problem}); "
            "make room or give another folder; what was written before is kept"
        ) from problem
    return (report, *written)


def _run_line(study: Titled, about: Mapping[str, Any]) -> str:
    words = [study.name]
    if about.get("seed") is not None:
        words.append(f"seed {about['seed']}")
    if about.get("quick"):
        words.append("scaled-down run (quick): its numbers are not those of the full experiment")
    version = about.get("versions", {}).get("myoloop")
    return " · ".join([*words, f"myoloop {version}"] if version else words)


def _verdict(claims: Sequence[Outcome]) -> Markup:
    if not claims:
        return Markup("")
    holding = sum(claim.holds for claim in claims)
    all_hold = holding == len(claims)
    mark, css = ("✓", "verdict good") if all_hold else ("✗", "verdict bad")
    return element("p", f"{mark} {holding} of {len(claims)} claims hold", css)


def _claims(claims: Iterable[Outcome]) -> Markup:
    rows = [
        (c.name, c.source, float(c.published), c.tolerance, float(c.ours), _holds(c.holds)) for c in claims
    ]
    columns = ("Claim", "Source", "Published", "Tolerance", "Ours", "Holds")
    return table(columns, rows, "What the source says, and what this run found.")


def _holds(holds: bool) -> Markup:
    return element("span", "✓ holds", "good") if holds else element("span", "✗ does not hold", "bad")


def _metrics(metrics: Mapping[str, Any]) -> Markup:
    return _entries("Quantity", flat(plain(dict(metrics))), "As in metrics.json.")


def _entries(first: str, entries: Iterable[tuple[str, Any, str]], caption: str) -> Markup:
    """Table of names and values, with a column of units where there are any."""
    rows = list(entries)
    columns = (first, "Value", "Unit") if any(unit for _, _, unit in rows) else (first, "Value")
    return table(columns, [row[: len(columns)] for row in rows], caption)


def _figure(figure: Figure, image: Path | None) -> Markup:
    caption = element("figcaption", figure.caption) if figure.caption else ""
    if image is None:
        return Markup(f"<figure>{element('p', f'{figure.name} was not drawn')}{caption}</figure>")
    content = base64.b64encode(image.read_bytes()).decode("ascii")
    titles = "; ".join(panel.title or panel.y_label for panel in figure.panels)
    alt = escape(f"Figure {figure.name}: {titles}")
    source = f"data:{_MEDIA[image.suffix]};base64,{content}"
    return Markup(f'<figure><img alt="{alt}" src="{source}">{caption}</figure>')


def _provenance(about: Mapping[str, Any]) -> Markup:
    """Parameters, versions and machine, each a table that folds away."""
    content = plain(dict(about))
    nested = {key: value for key, value in content.items() if isinstance(value, dict)}
    single = {key: value for key, value in content.items() if not isinstance(value, dict)}
    parts = [table(("Entry", "Value"), [(key, _value(value)) for key, value in single.items()])]
    for key, value in nested.items():
        rows = [(name, _value(item), unit) for name, item, unit in flat(value, longest=math.inf)]
        parts.append(_entries("Entry", rows, key.capitalize()))
    inside = "\n".join(parts)
    return Markup(f"<details><summary>Parameters, seed, versions, machine</summary>\n{inside}\n</details>")


def _value(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "none" if value is None else number_text(value)
