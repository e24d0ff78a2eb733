"""Figures and reports from data types. Matplotlib is imported when something is drawn."""

from ._draw import draw, save
from ._report import Heading, Titled, report_html, write_report
from ._text import number_text, unit_text

__all__ = ["Heading", "Titled", "draw", "number_text", "report_html", "save", "unit_text", "write_report"]
