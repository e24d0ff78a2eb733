"""Puts the figures that an example describes as data into the gallery."""

from sphinx_gallery.scrapers import figure_rst

import myoloop
from myoloop.data import Figure

_shown: set[tuple[str, str]] = set()


def scrape(block, block_vars, gallery_conf):
    """Draw each figure among the names of an example once, in the block that makes it."""
    paths = []
    for value in list(block_vars["example_globals"].values()):
        key = (block_vars["src_file"], getattr(value, "name", ""))
        if isinstance(value, Figure) and key not in _shown:
            _shown.add(key)
            path = next(block_vars["image_path_iterator"])
            myoloop.viz.draw(value).savefig(path, dpi=150)
            paths.append(path)
    return figure_rst(paths, gallery_conf["src_dir"])
