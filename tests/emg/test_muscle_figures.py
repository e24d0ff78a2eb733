"""Pictures of the anatomy."""

import numpy as np
import pytest

from myoloop.data import Band, Line
from myoloop.emg._anatomy._fibres import MuscleFibres
from myoloop.emg._anatomy._figures import draw_diameters, draw_endplates, draw_territories
from myoloop.emg._anatomy._muscle import Muscle
from myoloop.emg._anatomy._sections import Circle, Mask
from myoloop.errors import ParameterError
from myoloop.muscle import recruitment_thresholds
from myoloop.viz import draw, save

DRAW = (draw_territories, draw_diameters, draw_endplates)


@pytest.fixture(scope="module")
def fibres():
    return Muscle(Circle(2.0, x_mm=4.0)).fibres(recruitment_thresholds(30, 20), seed=1)


@pytest.fixture(scope="module")
def bare(fibres):
    """The same without a word on where they come from."""
    names = ("x_mm", "y_mm", "diameter_um", "unit", "endplate_mm", "tendon_mm", "velocity_m_per_s", "n_units")
    return MuscleFibres(**{name: getattr(fibres, name) for name in names})


@pytest.mark.parametrize("make", DRAW)
def test_figures_are_drawn_of_all_of_some_and_of_bare_fibres(make, fibres, bare, tmp_path):
    for each in (fibres.select([7]), bare):
        figure = make(each)
        assert len(draw(figure).axes) == len(figure.panels)
        assert figure.caption.endswith(".")
    png, svg = save(make(fibres), tmp_path)
    assert png.read_bytes().startswith(b"\x89PNG")
    assert svg.stat().st_size < 400_000


def test_territories_show_the_fibres_of_the_units_asked_for(fibres, bare):
    _, own = draw_territories(fibres, units=[2, 28]).panels
    dots = {layer.label: layer for layer in own.layers if isinstance(layer, Line) and layer.label}
    for u in (2, 28):
        members = fibres.unit == u
        layer = dots[f"unit {u}: {members.sum()} fibres"]
        assert np.array_equal(layer.x, fibres.x_mm[members])
    assert len(dots) == 2
    assert len(draw_territories(bare, units=[2]).panels) == 1
    assert all(panel.same_scale for panel in draw_territories(fibres).panels)


def test_circles_end_at_the_outline(fibres):
    territories, _ = draw_territories(fibres).panels
    x_low, x_high = draw(draw_territories(fibres)).axes[0].get_xlim()
    assert x_low == pytest.approx(2.0, abs=0.3)
    assert x_high == pytest.approx(6.0, abs=0.3)
    circles = [layer for layer in territories.layers if not layer.label and not layer.marker]
    assert len(circles) == 30 + 1


def test_holes_of_a_section_are_no_part_of_a_territory():
    holed = np.ones((8, 8), dtype=bool)
    holed[3:5, 3:5] = False
    fibres = Muscle(Mask(holed, pixel_mm=0.4)).fibres([1.0, 1.5, 2.0], seed=2)
    circles = [layer for layer in draw_territories(fibres).panels[0].layers[:3] if isinstance(layer, Line)]
    x, y = np.concatenate([[layer.x, layer.y] for layer in circles], axis=1)
    assert not np.any((np.abs(x) < 0.4) & (np.abs(y) < 0.4))


def test_territories_of_selected_units_are_their_own(fibres):
    chosen = fibres.select([29, 4])
    centres = draw_territories(chosen).panels[0].layers[-1]
    assert np.array_equal(
        np.column_stack([centres.x, centres.y]), fibres.about["territory_centre_mm"][[29, 4]]
    )


def test_a_histogram_holds_every_fibre(fibres):
    for figure, panel in ((draw_diameters(fibres), 0), (draw_endplates(fibres), 2)):
        (band,) = [layer for layer in figure.panels[panel].layers if isinstance(layer, Band)]
        assert np.trapezoid(band.high, band.x) == pytest.approx(len(fibres))
    assert np.trapezoid(*[getattr(draw_diameters(fibres).panels[0].layers[-1], a) for a in "yx"]) == (
        pytest.approx(len(fibres), rel=1e-3)
    )


@pytest.mark.parametrize("units", [[30], [-1], [0.5], ["a"]])
def test_units_that_do_not_exist_are_refused(fibres, units):
    with pytest.raises(ParameterError, match=r"draw_territories\.units"):
        draw_territories(fibres, units)
