"""Units are in the names, and any quantity of the right dimension is converted."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pytest
import quantities as pq
from hypothesis import given
from hypothesis import strategies as st

from myoloop.errors import MyoloopError, ParameterError
from myoloop.parameters import Parameters, number
from myoloop.units import SUFFIXES, to_float, unit_of


@dataclass(frozen=True, kw_only=True)
class Grid(Parameters):
    spacing_mm: float = number(8.0, above=0)
    depths_mm: float | np.ndarray = number(1.0, per_unit=True)
    velocity_m_per_s: float = number(4.0)
    gain: float = number(1.0)


@pytest.mark.parametrize(
    "given", ["0.8 cm", "0.8cm", 0.8 * pq.cm, 8, 8.0, "8", "8e0 mm", "8000 µm", Decimal(8)]
)
def test_eight_millimetres_may_be_said_in_many_ways(given):
    assert Grid(spacing_mm=given).spacing_mm == pytest.approx(8.0, rel=1e-15)


def test_a_list_keeps_the_unit_of_each_of_its_members():
    depths = Grid(depths_mm=[1 * pq.mm, 2 * pq.cm, "30 um", 4]).depths_mm
    np.testing.assert_allclose(depths, [1.0, 20.0, 0.03, 4.0], rtol=1e-14)


def test_an_array_quantity_is_converted():
    np.testing.assert_allclose(Grid(depths_mm=[1, 2] * pq.cm).depths_mm, [10.0, 20.0])


@pytest.mark.parametrize("given", [8 * pq.ms, "8 ms", "8 mm/s", "8 mm**2", 3 * pq.dimensionless, "5 %"])
def test_a_quantity_of_another_dimension_is_refused_and_the_field_is_named(given):
    with pytest.raises(ParameterError, match=r"^Grid\.spacing_mm: wrong dimension: .*; give a number in mm"):
        Grid(spacing_mm=given)


@pytest.mark.parametrize(
    "given",
    [
        *("", "eight", "8 furlongs_", "8 mm**9**9**9", "8 (9**9**9)", "8 __import__('os')", "1 2", "8 mm;"),
        *(None, True, np.True_, b"8", 1j, np.array([1j]), np.datetime64("2020-01-01"), object(), {}, set()),
        *([], [[1.0], [2.0, 3.0]], 10**400, float("nan"), float("inf"), "nan", "1e999", np.ma.masked),
    ],
)
def test_what_is_no_finite_number_is_refused(given):
    with pytest.raises(ParameterError, match=r"^Grid\.spacing_mm: "):
        Grid(spacing_mm=given)


def test_rates_and_products_of_units_are_understood():
    assert to_float("4 mm/ms", "m_per_s", "x") == pytest.approx(4.0)
    assert to_float("2 /s", "per_ms", "x") == pytest.approx(2e-3)
    assert to_float("20 Hz", "pps", "x") == 20.0
    assert to_float("8 %", None, "x") == pytest.approx(0.08)


def test_the_ending_of_a_name_is_its_unit():
    names = {"dt_ms": "ms", "g_na_S_per_cm2": "S_per_cm2", "beta_r_per_ms": "per_ms", "rate_pps": "pps"}
    assert {name: unit_of(name) for name in names} == names
    assert unit_of("gain") is None
    assert unit_of("ms") is None


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_suffix_is_a_unit_that_quantities_knows(suffix):
    assert to_float(pq.Quantity(2.0, SUFFIXES[suffix]), suffix, "x") == pytest.approx(2.0)


@given(st.floats(-1e6, 1e6), st.sampled_from(["um", "mm", "cm", "m"]))
def test_text_and_quantity_agree(value, unit):
    said, written = to_float(pq.Quantity(value, unit), "mm", "x"), to_float(f"{value!r} {unit}", "mm", "x")
    assert written == pytest.approx(said, rel=1e-12)


@given(st.text(max_size=20))
def test_any_text_is_a_number_or_refused(text):
    with suppress(MyoloopError):
        assert isinstance(to_float(text, "mm", "x"), float)
