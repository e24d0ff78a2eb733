"""The report: one page that stands alone."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from myoloop.data import Figure, Line, Panel, provenance
from myoloop.errors import OutputError
from myoloop.studies import Outcome, StudyResult, Table
from myoloop.viz import Heading, number_text, report_html, write_report

HOSTILE = """<script>alert("x")</script> & 'quoted' "double" <img src=x onerror=y>"""
VOID = {"meta", "img", "br", "hr"}


class Checker(HTMLParser):
    """Keeps the tags that are open, and what was seen."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def checked(html: str) -> Checker:
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    return checker


def result(text: str = "text", holds: bool = True, **more) -> StudyResult:
    x = np.arange(5.0)
    panel = Panel((Line(x, x, text),), text, text, text)
    about = {
        "metrics": {"force_mean": {"constant": 1.25}, "active_units": 671, text: None},
        "figures": (Figure("one", (panel,), text),),
        "tables": (Table(text, (text, "value"), ((text, 1.0), (text, float("nan")))),),
        "notes": (text,),
        "claims": (Outcome(text, text, 1.0, 2.0, text, holds),),
        "provenance": provenance({"duration_s": 15.0, "name": text, "nested": {"a_ms": 1}}, 7, quick=True),
    }
    return StudyResult(**(about | more))


def test_the_page_is_well_formed_and_says_everything(tmp_path):
    found = result()
    report, png, svg = write_report(tmp_path, Heading("toy", "A toy", "Me (2026)"), found, warnings=["mind"])
    assert (report.name, png.name, svg.name) == ("report.html", "one.png", "one.svg")
    html = report.read_text()
    page = checked(html)
    text = " ".join(page.text)
    for words in ("A toy", "Me (2026)", "seed 7", "quick", "mind", "1 of 1 claims hold", "✓ holds", "671"):
        assert words in text
    assert html.index("Claims</h2>") < html.index("Key numbers</h2>") < html.index("Figures</h2>")
    assert page.seen.count("table") >= 3
    assert "th" in page.seen and "caption" in page.seen
    assert ("lang", "en") in page.attributes
    assert all(value for name, value in page.attributes if name == "alt")


def test_the_page_needs_nothing_from_outside(tmp_path):
    write_report(tmp_path, Heading("toy", "A toy"), result())
    page = checked((tmp_path / "report.html").read_text())
    addresses = [value for name, value in page.attributes if name in {"src", "href"}]
    assert addresses
    assert all(value.startswith("data:image/") for value in addresses)
    assert not {"script", "link", "iframe"} & set(page.seen)


def test_hostile_text_is_shown_and_not_obeyed(tmp_path):
    write_report(tmp_path, Heading(HOSTILE, HOSTILE, HOSTILE), result(HOSTILE), warnings=[HOSTILE])
    html = (tmp_path / "report.html").read_text()
    page = checked(html)
    assert "script" not in page.seen
    assert page.seen.count("img") == 1
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert "".join(page.text).count(HOSTILE) >= 10


def test_a_claim_that_fails_says_so_in_words():
    page = checked(report_html(Heading("toy", "A toy"), result(holds=False)))
    text = " ".join(page.text)
    assert "✗ does not hold" in text
    assert "0 of 1 claims hold" in text


def test_a_bare_result_has_no_empty_sections():
    html = report_html(Heading("toy", "A toy"), StudyResult({}))
    assert "<h2" not in html
    assert checked(html).seen.count("table") == 0


def test_a_figure_without_file_is_mentioned():
    assert "one was not drawn" in report_html(Heading("toy", "A toy"), result())


def test_the_same_result_gives_the_same_page(tmp_path):
    for name in ("a", "b"):
        write_report(tmp_path / name, Heading("toy", "A toy"), result())
    assert (tmp_path / "a/report.html").read_bytes() == (tmp_path / "b/report.html").read_bytes()


def test_a_large_figure_goes_in_as_png(tmp_path):
    noise = np.random.default_rng(0).normal(size=15_000)
    panel = Panel(tuple(Line(np.arange(15_000), noise * k, color=k) for k in range(4)))
    found = result(figures=(Figure("big", (panel,)),))
    write_report(tmp_path, Heading("toy", "A toy"), found)
    assert "data:image/png" in (tmp_path / "report.html").read_text()


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write the figures"):
        write_report(tmp_path / "file", Heading("toy", "A toy"), result())


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "not available"),
        (float("nan"), "not available"),
        (True, "yes"),
        (671, "671"),
        (0.123456789, "0.12346"),
        (-1.5, "−1.5"),
        (1e-9, "1e-09"),
        ([1, 2.5], "1, 2.5"),
        (list(range(800)), "0, 1, 2, 3, 4, 5, 6, 7, ... (800 values)"),
        ("text", "text"),
    ],
)
def test_numbers_as_text(value, text):
    assert number_text(value) == text


def test_colours_of_good_and_bad_differ_from_each_other_in_light_and_dark():
    html = report_html(Heading("toy", "A toy"), result())
    assert len(set(re.findall(r"--(?:good|bad): (#\w+)", html))) == 4


def test_many_numbers_follow_the_figures():
    few = report_html(Heading("name", "Title", "Reference"), replace(result(), metrics={"a": 1.0}))
    many = report_html(
        Heading("name", "Title", "Reference"), replace(result(), metrics={f"a{i}": 1.0 for i in range(100)})
    )
    assert few.index("Key numbers</h2>") < few.index("Figures</h2>")
    assert many.index("Key numbers</h2>") > many.index("Figures</h2>")
