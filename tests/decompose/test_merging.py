"""The same units in several recordings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_contraction import RATE_HZ, contraction, potentials

from myoloop.data import ActionPotentials, SpikeTrains
from myoloop.decompose import (
    ConvolutiveBSS,
    Decomposition,
    SeparationFilters,
    UnitQuality,
    match_trains,
    score,
)
from myoloop.decompose._editing._correlation import best_lag, correlated, whitened
from myoloop.decompose._editing._tracking import TrackingRule, merge_across, track_units
from myoloop.errors import ParameterError

UNITS, CHANNELS = 12, 32


def with_potentials(shapes, trains=None, ids=None, duration_s=10.0, t_start_s=0.0) -> Decomposition:
    """A decomposition of which only trains and action potentials matter."""
    n = 0 if shapes is None else len(shapes)
    trains = [np.arange(1.0, 9.0, 0.1) + 0.01 * u for u in range(n)] if trains is None else trains
    names = np.array(ids or [f"MU{u}" for u in range(len(trains))], dtype=np.str_)
    spikes = SpikeTrains.from_trains(
        [t_start_s + np.asarray(t) for t in trains],
        t_start_s + duration_s,
        t_start_s,
        annotations={"unit_id": names},
    )
    n, nothing = len(spikes), np.zeros(len(spikes))
    filters = SeparationFilters(
        np.zeros((n, 1, 1), np.float32), RATE_HZ, 0, np.array([0]), np.ones(1), np.zeros((n, 2))
    )
    quality = UnitQuality(nothing, nothing, nothing, nothing, nothing, ("",) * n)
    return Decomposition(spikes, np.zeros((n, 10), np.float32), filters, quality, shapes)


def seen(shapes, units, *, noise=0.0, seed=0, shift=0, t_start_s=None):
    """Some of the units, as another decomposition might estimate them."""
    rng = np.random.default_rng(seed)
    values = np.roll(shapes.values_uV[units], shift, axis=2)
    values = values + noise * rng.standard_normal(values.shape)
    start = shapes.t_start_s if t_start_s is None else t_start_s
    return ActionPotentials(values.astype(np.float32), shapes.rate_hz, start, shapes.channels)


@pytest.fixture(scope="module")
def shapes():
    return potentials(UNITS, CHANNELS, 3)


def test_the_correlation_is_its_definition():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((3, 4, 20)), rng.standard_normal((2, 4, 25))
    values, lags = correlated(a, b, 6)
    for u in range(3):
        for v in range(2):
            plain = {}
            for k in range(-6, 7):
                at = [t for t in range(20) if 0 <= t + k < 25]
                plain[k] = sum(a[u, :, t] @ b[v, :, t + k] for t in at)
            best = max(plain, key=plain.get)
            norm = np.linalg.norm(a[u]) * np.linalg.norm(b[v])
            assert lags[u, v] == best
            assert values[u, v] == pytest.approx(plain[best] / norm)


def test_a_potential_is_itself_at_any_size_and_lag(shapes):
    one = shapes.values_uV.astype(float)
    moved = 0.5 * np.roll(one, 5, axis=2)
    values, lags = correlated(one, moved, 10)
    np.testing.assert_allclose(np.diag(values), 1, atol=1e-3)
    assert set(np.diag(lags)) == {5}
    pairs = np.stack([np.arange(UNITS)] * 2, axis=1)
    values, lags = whitened(one, moved, pairs, 10)
    np.testing.assert_allclose(values, 1, atol=1e-3)
    assert set(lags) == {5}
    assert best_lag(one[2], moved[2], 10) == 5 and best_lag(moved[2], one[2], 10) == -5
    assert np.all(correlated(one, 0 * moved, 10)[0] == 0)


def test_whitening_is_its_definition(shapes):
    a, b = shapes.values_uV[:5].astype(float), shapes.values_uV[5:9].astype(float)
    values, _ = whitened(a, b, np.array([[1, 2]]), 0)
    others = np.concatenate([np.delete(a, 1, axis=0), np.delete(b, 2, axis=0)])
    c = 5 / CHANNELS * np.eye(CHANNELS)
    for one in others:
        c += one @ one.T / np.sum(one**2)
    inverse = np.linalg.inv(c)
    inner = [np.einsum("ct,cd,dt->", x, inverse, y) for x, y in ((a[1], b[2]), (a[1], a[1]), (b[2], b[2]))]
    assert values[0] == pytest.approx(inner[0] / np.sqrt(inner[1] * inner[2]))


def test_whitening_parts_what_a_common_field_makes_alike(shapes):
    """Under a far field that all units share, other units look the same without it."""
    rng = np.random.default_rng(1)
    field = np.linspace(0.5, 1.5, CHANNELS)[:, None] * np.hanning(61)
    far = shapes.values_uV + 120.0 * field
    a, b = (far + rng.standard_normal(far.shape) for _ in range(2))
    first = ActionPotentials(a[:8].astype(np.float32), RATE_HZ, 0.0)
    second = ActionPotentials(b[4:].astype(np.float32), RATE_HZ, 0.0)
    rule = {"size_ratio": 0.0}
    found = track_units(with_potentials(first), with_potentials(second), **rule)
    right = [(f"MU{u}", f"MU{u - 4}") for u in range(4, 8)]
    assert [pair[:2] for pair in found.pairs()] == right
    plain = track_units(with_potentials(first), with_potentials(second), channels="plain", **rule)
    assert len(plain.pairs()) > len(right)


def test_units_are_matched_whatever_their_order(shapes):
    order = np.random.default_rng(2).permutation(UNITS)
    a = with_potentials(seen(shapes, np.arange(UNITS), noise=1.0, seed=1))
    b = with_potentials(seen(shapes, order, noise=1.0, seed=2, shift=4))
    found = track_units(a, b)
    assert len(found) == len(found.common) == UNITS
    np.testing.assert_array_equal(order[found.index[:, 1]], found.index[:, 0])
    assert np.all(found.xcc[:, 1] >= 0.8) and np.all(np.isnan(found.xcc[:, 0]))
    np.testing.assert_allclose(found.lag_s[:, 1], 4 / RATE_HZ)
    back = track_units(b, a)
    assert {(y, x) for x, y, _ in back.pairs()} == {(x, y) for x, y, _ in found.pairs()}


def test_other_units_are_not_matched(shapes):
    """Half of the units in each recording, four in both."""
    a = with_potentials(seen(shapes, np.arange(0, 8), noise=1.0, seed=1))
    b = with_potentials(seen(shapes, np.arange(4, 12), noise=1.0, seed=2))
    found = track_units(a, b)
    assert [pair[:2] for pair in found.pairs()] == [(f"MU{u}", f"MU{u - 4}") for u in range(4, 8)]
    assert len(found) == UNITS
    np.testing.assert_array_equal(found.index[8:, 0], -1)
    elsewhere = np.random.default_rng(3).permutation(CHANNELS)  # another muscle lies otherwise
    other = replace(potentials(UNITS, CHANNELS, 77).select(elsewhere), channels=shapes.channels)
    none = track_units(a, with_potentials(other))
    assert len(none.common) == 0 and none.pairs() == ()


def test_a_unit_of_another_size_is_another(shapes):
    small = replace(shapes, values_uV=0.5 * shapes.values_uV)
    a, b = with_potentials(shapes), with_potentials(small)
    assert len(track_units(a, b).common) == 0
    assert len(track_units(a, b, size_ratio=0.4).common) == UNITS


def test_windows_may_begin_elsewhere(shapes):
    later = replace(shapes, values_uV=shapes.values_uV[:, :, 3:], t_start_s=shapes.t_start_s + 3 / RATE_HZ)
    found = track_units(with_potentials(shapes), with_potentials(later))
    assert len(found.common) == UNITS
    np.testing.assert_allclose(found.lag_s[:, 1], 0, atol=1e-9)


def test_channels_are_matched_by_name(shapes):
    keep = np.array([31, *range(5, 25), 1])
    a, b = with_potentials(shapes), with_potentials(shapes.select(keep))
    found = track_units(a, b)
    np.testing.assert_array_equal(found.index[found.common, 0], found.index[found.common, 1])
    assert len(found.common) == UNITS
    renamed = replace(shapes, channels=tuple(f"X{i}" for i in range(CHANNELS)))
    with pytest.raises(ParameterError, match="0 channels in common"):
        track_units(a, with_potentials(renamed))
    with pytest.raises(ParameterError, match="22 channels in common"):
        track_units(a, b, least_channels=23)


def test_three_recordings(shapes):
    """A unit that is missing in the second is known again in the third."""
    parts = [np.arange(0, 6), np.arange(3, 8), np.array([9, 0, 4, 7])]
    found = merge_across(
        [with_potentials(seen(shapes, p, noise=1.0, seed=i, shift=i)) for i, p in enumerate(parts)]
    )
    which = [[p[u] if u >= 0 else -1 for p, u in zip(parts, row, strict=True)] for row in found.index]
    assert which == [
        [0, -1, 0], [1, -1, -1], [2, -1, -1], [3, 3, -1], [4, 4, 4], [5, 5, -1], [-1, 6, -1], [-1, 7, 7],
        [-1, -1, 9],
    ]  # fmt: skip
    np.testing.assert_array_equal(found.recordings, [2, 1, 1, 2, 3, 2, 1, 2, 1])
    np.testing.assert_allclose(found.lag_s[4], np.array([0, 1, 2]) / RATE_HZ)
    np.testing.assert_allclose(found.lag_s[7, 1:], np.array([0, 1]) / RATE_HZ)
    assert found.pairs(1, 2) == (("MU1", "MU2", found.xcc[4, 2]), ("MU4", "MU3", found.xcc[7, 2]))


def test_joined_trains(shapes):
    a = with_potentials(seen(shapes, [0, 1]), [[1.0, 2.0], [3.0]], duration_s=5.0, t_start_s=2.0)
    b = with_potentials(
        seen(shapes, [1, 2], shift=2), [[0.5], [0.25, 4.0]], duration_s=4.0, t_start_s=7.5, ids=["x", "y"]
    )
    found = track_units(a, b)
    late = 2 / RATE_HZ
    both = found.joined([a, b])
    np.testing.assert_allclose(both[0], [1.0, 2.0])
    np.testing.assert_allclose(both[1], [3.0, 5.5 + late])
    np.testing.assert_allclose(both[2], [5.25, 9.0])
    assert (both.t_start_s, both.t_stop_s) == (0.0, 9.0)
    assert both.annotations["recordings"].tolist() == [1, 2, 1]
    assert both.annotations["unit_id"].tolist() == ["MU01", "MU02", "MU03"]
    apart = found.joined([a, b], start_s=[2.0, 7.5])
    np.testing.assert_allclose(apart[1], [5.0, 8.0 + late])
    assert (apart.t_start_s, apart.t_stop_s) == (2.0, 11.5)
    for wrong in ([0.0], [0.0, 4.0], [0.0, np.nan], [5.0, 0.0]):
        with pytest.raises(ParameterError, match=r"joined.start_s"):
            found.joined([a, b], start_s=wrong)
    with pytest.raises(ParameterError, match="other units than the map has"):
        found.joined([b, a])


def test_a_unit_is_whole_again_over_two_recordings():
    """One simulation, cut in two and decomposed twice."""
    whole = contraction(8, channels=32, noise_uV=8.0, duration_s=20.0, seed=3)
    method = ConvolutiveBSS(starts=24, rounds=2)
    halves = [
        method.fit(part).decomposition_ for part in (whole.between(0.0, 10.0), whole.between(10.0, 20.0))
    ]
    truth = [whole.truth.spikes.between(*span) for span in ((0.0, 10.0), (10.0, 20.0))]
    true = [
        dict(match_trains(half.spikes, part).pairs.tolist()) for half, part in zip(halves, truth, strict=True)
    ]
    shared = set(true[0].values()) & set(true[1].values())
    assert len(shared) >= 5
    found = track_units(*halves)
    assert {true[0][u] for u in found.index[found.common, 0]} == shared
    assert all(true[0][u] == true[1][v] for u, v in found.index[found.common])
    joined = found.joined(halves).select(found.common)
    result = score(joined, whole.truth.spikes)
    assert result.good == len(shared) and result.f1_mean > 0.99
    other = contraction(8, channels=32, noise_uV=8.0, duration_s=10.0, seed=6)  # of another muscle
    assert len(track_units(halves[0], method.fit(other).decomposition_).common) == 0


def test_nothing_in_common_with_nothing(shapes):
    a, none = with_potentials(shapes), with_potentials(None)
    for order in ((a, none), (none, a)):
        found = track_units(*order)
        assert len(found) == UNITS and len(found.common) == 0
        assert len(found.joined(order)) == UNITS
    assert len(track_units(none, none)) == 0


def test_what_cannot_be_compared(shapes):
    a = with_potentials(shapes)
    with pytest.raises(ParameterError, match="number 1 has no action potentials"):
        track_units(a, replace(a, action_potentials=None))
    with pytest.raises(ParameterError, match="2048 and 1000 Hz"):
        track_units(a, with_potentials(replace(shapes, rate_hz=1000.0)))
    with pytest.raises(ParameterError, match="two or more"):
        merge_across([a])
    with pytest.raises(ParameterError, match=r"TrackingRule.minimum"):
        track_units(a, a, minimum=2)
    with pytest.raises(ParameterError, match=r"UnitMap.pairs"):
        track_units(a, a).pairs(1, 1)
    assert TrackingRule().minimum == 0.8
