"""Figures that were described as data."""

import threading

import matplotlib
import numpy as np
import pytest

from myoloop.data import Band, Figure, Image, Level, Line, Panel, Raster, SpikeTrains
from myoloop.viz import draw, save

T = np.linspace(0.0, 10.0, 500)


def spikes(n: int = 20, each: int = 30) -> SpikeTrains:
    times = np.random.default_rng(0).random(n * each) * 10.0
    return SpikeTrains.from_events(np.repeat(np.arange(n), each), times, n, 10.0)


LAYERS = {
    "line": Line(T, np.sin(T), "sine"),
    "dashed": Line(T, np.sin(T), "sine", 3, "--", "o"),
    "markers": Line(T, np.sin(T), style="", marker="s"),
    "small markers": Line(T, np.sin(T), style="", marker="o", marker_pt=1.0),
    "gaps": Line(T, np.where(T > 5, np.nan, T)),
    "no points": Line(np.empty(0), np.empty(0)),
    "band": Band(T, np.sin(T) - 1, np.sin(T) + 1, "sd", 1),
    "raster": Raster(spikes()),
    "raster of a silent pool": Raster(SpikeTrains.from_trains([[], []], 1.0)),
    "raster of no unit": Raster(SpikeTrains.from_trains([], 1.0)),
    "level": Level(0.5, "limit"),
    "upright level": Level(0.5, vertical=True),
    "image": Image(np.arange(12.0).reshape(3, 4), (0, 4, 0, 3), "amplitude (uV)"),
}


@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS.keys())
def test_each_kind_of_layer_is_drawn(layer, tmp_path):
    figure = Figure("one", (Panel((layer,), "time (s)", "force (N)", "Title"),))
    axes = draw(figure).axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("time (s)", "force (N)")
    assert axes.get_title(loc="left") == "Title"
    png, svg = save(figure, tmp_path)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "<svg" in svg.read_text()


def test_a_legend_is_shown_only_for_labels():
    named = Panel((Line(T, T, "a"), Line(T, T, "a"), Line(T, -T, "b")))
    with_legend, without = draw(Figure("f", (named, Panel((Line(T, T),))))).axes
    assert [text.get_text() for text in with_legend.get_legend().get_texts()] == ["a", "b"]
    assert without.get_legend() is None


def test_ranges_scales_and_shared_axes():
    panels = (
        Panel((Line(T + 1, T + 1),), "f (Hz)", "P", log_x=True, log_y=True, x_range=(1, 10), y_range=(1, 5)),
        Panel((Line(T + 1, T),), "f (Hz)", log_x=True),
    )
    upper, lower = draw(Figure("f", panels, share_x=True)).axes
    assert (upper.get_xscale(), upper.get_yscale(), lower.get_yscale()) == ("log", "log", "linear")
    assert upper.get_ylim() == (1, 5)
    assert upper.get_xlim() == lower.get_xlim()
    assert (upper.get_xlabel(), lower.get_xlabel()) == ("", "f (Hz)")


def test_ten_thousand_markers_make_a_small_file(tmp_path):
    x, y = np.random.default_rng(0).standard_normal((2, 10_000))
    cloud = Line(x, y, style="", marker="o", marker_pt=1.5)
    assert draw(Figure("f", (Panel((cloud,)),))).axes[0].lines[0].get_markersize() == 1.5
    assert save(Figure("f", (Panel((cloud,)),)), tmp_path)[1].stat().st_size < 300_000


def test_a_map_has_one_scale_for_both_axes():
    circle = Line(np.cos(T), np.sin(T))
    drawing = draw(Figure("f", (Panel((circle,), same_scale=True), Panel((circle,))), columns=2))
    drawing.draw_without_rendering()
    box, other = (axes.get_window_extent() for axes in drawing.axes)
    assert box.width / box.height == pytest.approx(1.0, rel=0.1)  # x has no margin, y has one
    assert other.width / other.height > 1.2


@pytest.mark.parametrize(("columns", "shape"), [(1, (5, 1)), (2, (3, 2)), (3, (2, 3)), (9, (1, 5))])
def test_panels_are_laid_out_row_by_row(columns, shape):
    drawing = draw(Figure("f", tuple(Panel((), title=str(k)) for k in range(5)), columns=columns))
    assert drawing.axes[0].get_gridspec().get_geometry() == shape


def test_a_figure_without_panels_is_a_blank_sheet(tmp_path):
    assert save(Figure("blank", ()), tmp_path)[0].stat().st_size > 0


def test_text_is_not_read_as_a_formula(tmp_path):
    title = r"$\frac{ costs $5"
    save(Figure("f", (Panel((Line(T, T, title),), title, title, title),)), tmp_path)


def test_a_long_title_is_broken_into_lines():
    drawing = draw(Figure("f", (Panel((Line(T, T, "label"),), title="many words " * 20),)))
    assert "\n" in drawing.axes[0].get_title(loc="left")


def test_the_same_figure_gives_the_same_bytes_whatever_the_user_has_set(tmp_path):
    def write(name):
        (tmp_path / name).mkdir()
        layers = [LAYERS[kind] for kind in ("dashed", "band", "raster", "level", "image")]
        panels = tuple(Panel((layer,), "x", "y", "title") for layer in layers)
        return [path.read_bytes() for path in save(Figure("all", panels, columns=3), tmp_path / name)]

    first = write("first")
    with matplotlib.rc_context({"font.size": 20, "lines.linewidth": 9, "svg.hashsalt": "other"}):
        assert write("second") == first


def test_nothing_global_is_left_changed(tmp_path):
    before = dict(matplotlib.rcParams)
    save(Figure("f", (Panel((LAYERS["line"],)),)), tmp_path)
    assert dict(matplotlib.rcParams) == before


def test_threads_may_draw_at_once(tmp_path):
    figure = Figure("f", (Panel((LAYERS["line"],), "x", "y", "title"),))
    folders = [tmp_path / str(k) for k in range(4)]
    for folder in folders:
        folder.mkdir()
    threads = [threading.Thread(target=save, args=(figure, folder)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(folder / "f.svg").read_bytes() for folder in folders}) == 1


def test_a_hundred_thousand_spikes_make_a_small_file(tmp_path):
    figure = Figure("big", (Panel((Raster(spikes(800, 125)),)),))
    png, svg = save(figure, tmp_path)
    assert svg.stat().st_size < 800_000
    assert png.stat().st_size < 400_000
