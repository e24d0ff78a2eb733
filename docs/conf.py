"""How the documentation is built: uv run sphinx-build -W -b html docs docs/_build/html"""

import dataclasses
import inspect
import sys
from pathlib import Path

import myoloop
from myoloop.parameters import Parameters, plain
from myoloop.viz import unit_text

project = "myoloop"
author = "The myoloop developers"
copyright = author
version = release = myoloop.__version__

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "gallery/*.ipynb", "gallery/*.py", "gallery/*.zip", "gallery/*.json"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
default_role = "code"
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True, "exclude-members": "State, Constants, Inputs"}
autosummary_generate = False
napoleon_google_docstring = False
napoleon_use_param = False  # else each word of a type would be looked up, `n` in "shape (n,)" too
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]  # likewise

html_theme = "pydata_sphinx_theme"
html_title = "myoloop"
html_show_copyright = False
html_show_sourcelink = False
_alone = (
    "index",
    "getting-started",
    "engine",
    "contributing",
    "changelog",
)  # pages without others below them
html_sidebars = {page: [] for page in _alone}
html_theme_options = {
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "secondary_sidebar_items": {"api/*": [], "index": []},
    "navbar_persistent": ["search-button"],
    "show_prev_next": False,
}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "image_scrapers": ("figure_scraper.scrape",),
    "reset_modules": (),
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
    "within_subsection_order": "FileNameSortKey",
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "show_memory": False,
}


def add_fields(app, what, name, obj, options, lines):
    """List the fields of a parameter class whose docstring does not."""
    if what != "class" or not (inspect.isclass(obj) and issubclass(obj, Parameters)):
        return
    if any(line.startswith(":Parameters:") for line in lines):
        return
    fields = [field for field in dataclasses.fields(obj) if field.init]
    if not fields:
        return
    # before the references, if there are any
    at = next((k for k, line in enumerate(lines) if line.startswith(".. rubric::")), len(lines))
    added = ["", ".. list-table:: Parameters", "   :header-rows: 1", ""]
    added += [*_row("Name", "Default", "Unit", "Meaning")]
    for field in fields:
        missing = field.default is dataclasses.MISSING
        default = "" if missing else _default(plain(field.default))
        added += _row(f"``{field.name}``", default, unit_text(field.name), field.metadata.get("help", ""))
    lines[at:at] = [*added, ""]


def _default(value):
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _row(*cells):
    return [f"   {'*' if k == 0 else ' '} - {cell}" for k, cell in enumerate(cells)]


def shorten_signature(app, what, name, obj, options, signature, return_annotation):
    """A cell model's signature is its table of parameters."""
    if (
        what == "class"
        and inspect.isclass(obj)
        and issubclass(obj, Parameters)
        and signature
        and len(signature) > 160
    ):
        return "(...)", None
    return None


def setup(app):
    app.connect("autodoc-process-docstring", add_fields, priority=600)  # after napoleon
    app.connect("autodoc-process-signature", shorten_signature)
