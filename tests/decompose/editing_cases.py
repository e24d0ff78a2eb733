"""A decomposition to edit, and what must hold of an edited one."""

from __future__ import annotations

from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from small_contraction import contraction

from myoloop.data import Recording, SpikeTrains
from myoloop.decompose import ConvolutiveBSS, Decomposition, score, unit_quality

BEGIN_S = 1.5


@cache
def recorded() -> Recording:
    """A recording that does not begin at 0 s."""
    return contraction(noise_uV=30.0, t_start_s=BEGIN_S)


@cache
def decomposed() -> Decomposition:
    """Its units."""
    return ConvolutiveBSS(starts=32, rounds=2).fit(recorded()).decomposition_


def with_units(found: Decomposition, trains, origins, names) -> Decomposition:
    """A decomposition with other trains (samples), each with the source of one that there is."""
    origins = np.array(origins)
    times = [found.spikes.t_start_s + np.asarray(train) / found.rate_hz for train in trains]
    spikes = SpikeTrains.from_trains(
        times, found.spikes.t_stop_s, found.spikes.t_start_s, annotations={"unit_id": np.array(names)}
    )
    sources = found.sources[origins]
    samples = [np.asarray(train, dtype=np.int64) for train in trains]
    return replace(
        found,
        spikes=spikes,
        sources=sources,
        filters=found.filters.select(origins),
        quality=unit_quality(sources, samples, found.rate_hz),
        action_potentials=None,
    )


def assert_equal(a: Decomposition, b: Decomposition) -> None:
    """To the bit."""
    assert a.unit_ids == b.unit_ids and a.history == b.history
    for x, y in zip(a.spikes, b.spikes, strict=True):
        np.testing.assert_array_equal(x, y)
    np.testing.assert_array_equal(a.sources, b.sources)
    np.testing.assert_array_equal(a.filters.weights, b.filters.weights)
    np.testing.assert_array_equal(a.filters.centroids, b.filters.centroids)
    for field in fields(a.quality):
        np.testing.assert_array_equal(getattr(a.quality, field.name), getattr(b.quality, field.name))
    assert (a.action_potentials is None) == (b.action_potentials is None)
    if a.action_potentials is not None:
        np.testing.assert_array_equal(a.action_potentials.values_uV, b.action_potentials.values_uV)


def assert_consistent(result: Decomposition) -> None:
    """Sources are scaled, and the quality is that of the trains and sources."""
    samples = [result.spike_samples(u) for u in range(len(result))]
    for source, train in zip(result.sources, samples, strict=True):
        assert source[train].mean() == pytest.approx(1, abs=1e-5)
    anew = unit_quality(result.sources, samples, result.rate_hz)
    for name in ("sil", "pnr_db", "cov_isi", "rate_pps", "short_isi"):
        np.testing.assert_allclose(getattr(result.quality, name), getattr(anew, name), rtol=1e-5)
    assert result.quality.flag == anew.flag


def true_unit(found, recording, unit):
    """The true unit that a found one is, and the lag in s by which the found one is later."""
    pair = next(pair for pair in score(found.spikes, recording.truth.spikes).pairs if pair.found == unit)
    return pair.truth, 1e-3 * pair.lag_ms


def false_spikes(session, unit, truth_s):
    """Times of the spikes of a unit that are more than 2 ms off all true ones."""
    times = session.times_s(unit)
    return times[np.abs(times[:, None] - truth_s).min(axis=1) > 2e-3]
