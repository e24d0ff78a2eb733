import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from myoloop.errors import ParameterError, UnknownNameError
from myoloop.muscle import recruitment_thresholds

MODES = ("fuglevand", "deluca", "konstantin", "combined")
counts = st.integers(1, 300)
ratios = st.floats(4.0, 1e4)  # above slope / e for the default slope


@given(counts, ratios, st.sampled_from(MODES), st.booleans())
def test_ascending_and_positive(n, ratio, mode, exact):
    rt = recruitment_thresholds(n, ratio, mode, exact=exact)
    assert rt.shape == (n,) and rt.dtype == np.float64
    assert rt[0] > 0 and np.all(np.diff(rt) > 0)


@given(st.integers(2, 300), ratios, st.sampled_from(MODES), st.floats(0.01, 100.0))
def test_exact_form_reaches_ratio_and_maximum(n, ratio, mode, maximum):
    rt = recruitment_thresholds(n, ratio, mode, maximum=maximum, exact=True)
    assert rt[-1] == pytest.approx(maximum) and rt[-1] / rt[0] == pytest.approx(ratio)


@pytest.mark.parametrize("mode", MODES)
def test_one_unit(mode):
    assert recruitment_thresholds(1, 100, mode) == pytest.approx([1.0])


def test_published_formulas():
    n, rr, b = 120, 30.0, 7.0
    i = np.arange(1, n + 1)
    fuglevand = np.exp(i * np.log(rr) / n) / 100
    deluca = b * i / n * np.exp(i * np.log(rr / b) / n) / 100
    konstantin = 0.8 / rr * np.exp((i - 1) * np.log(rr) / (n - 1))
    np.testing.assert_allclose(recruitment_thresholds(n, rr, "fuglevand"), fuglevand)
    np.testing.assert_allclose(recruitment_thresholds(n, rr, "deluca", slope=b), deluca)
    np.testing.assert_allclose(recruitment_thresholds(n, rr, "konstantin", maximum=0.8), konstantin)
    combined = recruitment_thresholds(n, rr, "combined", slope=b, maximum=0.8)
    assert np.ptp(np.diff(combined) / np.diff(deluca)) < 1e-9  # affine
    assert combined[[0, -1]] == pytest.approx([0.8 / rr, 0.8])


def test_published_forms_miss_the_ratio_as_documented():
    rt = recruitment_thresholds(120, 30, "fuglevand")
    assert rt[-1] / rt[0] == pytest.approx(29.2, abs=0.05) and rt[-1] == pytest.approx(0.3)
    rt = recruitment_thresholds(800, 100, "deluca")
    assert rt[-1] / rt[0] == pytest.approx(7977, abs=0.5)


def test_exact_fuglevand_is_konstantin():
    exact = recruitment_thresholds(50, 20, "fuglevand", exact=True)
    np.testing.assert_allclose(exact, recruitment_thresholds(50, 20, "konstantin"))


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"n": 0}, "n"),
        ({"n": -3}, "n"),
        ({"n": 2.5}, "n"),
        ({"n": True}, "n"),
        ({"ratio": 1.0}, "ratio"),
        ({"ratio": float("nan")}, "ratio"),
        ({"ratio": float("inf")}, "ratio"),
        ({"ratio": "3 mm"}, "ratio"),
        ({"slope": 0.0}, "slope"),
        ({"slope": 300.0}, "slope"),
        ({"maximum": 0.0}, "maximum"),
        ({"maximum": float("nan")}, "maximum"),
        ({"maximum": 0.5, "mode": "fuglevand"}, "maximum"),
        ({"maximum": 0.5, "mode": "deluca"}, "maximum"),
    ],
)
def test_bad_input_names_the_field(arguments, field):
    with pytest.raises(ParameterError, match=rf"^recruitment_thresholds\.{field}: "):
        recruitment_thresholds(**({"n": 10, "ratio": 100} | arguments))


def test_unknown_mode_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="did you mean 'combined'"):
        recruitment_thresholds(10, 100, "combine")
