"""Data that every format is tried with."""

from __future__ import annotations

import numpy as np
import pytest

from myoloop.data import Result, Signal, SpikeTrains


def make_pool(n_units: int, n_active: int, seed: int = 0, **about) -> SpikeTrains:
    rng = np.random.default_rng(seed)
    trains = [np.sort(rng.uniform(0.0, 15.0, 20 if u < n_active else 0)) for u in range(n_units)]
    return SpikeTrains.from_trains(trains, 15.0, **about)


@pytest.fixture
def pool() -> SpikeTrains:
    """Eight of ten units fired."""
    return make_pool(10, 8, name="pool", annotations={"threshold": np.linspace(0.01, 1.0, 10) ** 2})


@pytest.fixture
def recording(pool) -> Result:
    rng = np.random.default_rng(3)
    kinds = np.array(["S", "FR"] * 3)
    other = make_pool(6, 6, 1, annotations={"kind": kinds, "synapses": np.arange(6), "big": np.eye(6, 2)})
    signals = {
        "MN.v": Signal(
            rng.normal(size=(300, 2)), 1000.0 / 3, "mV", 0.1, "voltage", (0, 7), {"cells": [0, 7]}
        ),
        "force": Signal(rng.normal(size=200).astype(np.float32), 2048.0, "N", name="force"),
        "a/b: %MVC": Signal(rng.normal(size=20), 100.0, "%MVC"),
    }
    provenance = {"seed": 1, "parameters": {"weights": [0.1, None], "text": "µ"}}
    return Result({"MN": pool, "IN": other}, signals, provenance)


def assert_same_spikes(given: SpikeTrains, back: SpikeTrains) -> None:
    np.testing.assert_array_equal(given.times_s, back.times_s)
    np.testing.assert_array_equal(given.starts, back.starts)
    assert (given.t_start_s, given.t_stop_s, given.name) == (back.t_start_s, back.t_stop_s, back.name)
    assert given.annotations.keys() == back.annotations.keys()
    for key, value in given.annotations.items():
        assert value.dtype == back.annotations[key].dtype
        np.testing.assert_array_equal(value, back.annotations[key])


def assert_same(given: Result, back: Result) -> None:
    assert list(given.spikes) == list(back.spikes)
    for name, trains in given.spikes.items():
        assert_same_spikes(trains, back.spikes[name])
    assert list(given.signals) == list(back.signals)
    for key, signal in given.signals.items():
        found = back.signals[key]
        assert signal.values.dtype == found.values.dtype
        np.testing.assert_array_equal(signal.values, found.values)
        for field in ("rate_hz", "units", "t_start_s", "name", "channels", "about"):
            assert getattr(signal, field) == getattr(found, field), field
    assert dict(given.provenance) == dict(back.provenance)
    assert back.warnings == ()


@pytest.fixture
def same():
    return assert_same


@pytest.fixture
def same_spikes():
    return assert_same_spikes


@pytest.fixture(autouse=True)
def _fork_although_xdist_has_a_thread(monkeypatch):
    """Isolated reading spawns where there are threads, which takes a second each time."""
    monkeypatch.setattr("myoloop.io._isolated.has_threads", lambda: False)
