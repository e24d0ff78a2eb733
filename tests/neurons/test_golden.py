"""The motor neuron against NEURON: golden data of benchmarks/neuron/golden.py."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp

from myoloop.data import SpikeTrains
from myoloop.muscle import recruitment_thresholds
from myoloop.network import (
    CurrentInjection,
    Network,
    Population,
    Probe,
    Projection,
    ReplaySource,
    Step,
    from_matrix,
    simulate,
)
from myoloop.neurons import TwoCompartmentMotorNeuron

ROOT = Path(__file__).resolve().parents[2]
THRESHOLDS = recruitment_thresholds(800, 100)


@pytest.fixture(scope="module")
def golden():
    with np.load(ROOT / "tests" / "data" / "neuron_golden.npz") as data:
        return {key: data[key] for key in data.files}


def on_steps(golden, cells, amplitudes, stop_ms, **options):
    """Run cells of the pool, one current step each, all at once."""
    n = len(cells)
    onset, duration = (
        np.broadcast_to(golden[k], len(golden["step_cell"]))[0] for k in ("step_onset_ms", "step_dur_ms")
    )
    currents = [
        CurrentInjection(
            "MN", Step(amplitude_nA=float(a), start_s=onset * 1e-3, stop_s=(onset + duration) * 1e-3), [i]
        )
        for i, a in enumerate(amplitudes)
    ]
    pool = TwoCompartmentMotorNeuron.pool(THRESHOLDS[cells], largest=1.0)
    network = Network([Population("MN", pool)], currents=currents)
    probe = Probe("MN", "v_soma", list(range(n)), 0.025)
    return simulate(network, stop_ms * 1e-3, record=[probe], **options)


@pytest.fixture(scope="module")
def steps(golden):
    return on_steps(
        golden, golden["step_cell"], golden["step_amp_na"], float(golden["step_stop_ms"]), precision="double"
    )


def test_the_golden_cells_are_the_first_and_the_middle_one(golden):
    assert sorted(set(golden["step_cell"].tolist())) == [0, 400]


def test_spike_times_on_current_steps_are_neurons_within_a_microsecond(golden, steps):
    for run, (first, last) in enumerate(
        zip(golden["spikes_indptr"], golden["spikes_indptr"][1:], strict=False)
    ):
        expected = golden["spike_times_ms"][first:last]
        found = steps.spikes["MN"][run] * 1e3
        assert len(found) == len(expected) > 20
        assert np.abs(found - expected).max() < 1e-3


def test_spike_times_are_those_of_a_reference_with_the_same_gates_within_a_ten_thousandth(golden, steps):
    assert np.abs(steps.spikes["MN"].times_s * 1e3 - golden["pade_times_ms"]).max() < 1e-4 * 1e-3


def test_the_soma_follows_neurons_within_a_microvolt(golden, steps):
    expected = golden["trace_soma_mv"]
    found = steps.signals["MN.v_soma"].values[: len(expected), int(golden["trace_run"])]
    assert expected.max() > 50
    assert np.abs(found - expected).max() < 1e-3


def test_the_last_cell_fires_as_often_as_neurons(golden):
    cell, amplitude, count = int(golden["last_cell"]), float(golden["last_amp_na"]), int(golden["last_count"])
    run = on_steps(golden, [cell], [amplitude], float(golden["step_stop_ms"]), precision="double")
    assert count > 20
    assert run.spikes["MN"].counts[0] == pytest.approx(count, abs=0.01 * count)


@pytest.fixture(scope="module")
def network(golden):
    spec = importlib.util.spec_from_file_location("neuron_input", ROOT / "benchmarks" / "neuron" / "input.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclass looks itself up there
    spec.loader.exec_module(module)
    given = module.watanabe_input(int(golden["net_seed"]), float(golden["net_duration_ms"]))
    data = given.spike_steps.astype("<i8").tobytes() + given.targets.astype("<i8").tobytes()
    assert hashlib.sha256(data).hexdigest() == str(golden["net_input_sha256"]), "another input than NEURON's"
    times_s = given.spike_steps * given.dt_ms * 1e-3
    source = ReplaySource(
        "IN", spikes=SpikeTrains(times_s, given.spike_indptr, given.n_steps * given.dt_ms * 1e-3)
    )
    ones = np.ones(len(given.targets))
    matrix = sp.csr_array((ones, given.targets, given.target_indptr), shape=(given.n_sources, given.n_cells))
    delay_ms = given.delay_steps * given.dt_ms
    projection = Projection("IN", "MN", from_matrix(matrix), weight_uS=given.weight_us, delay_ms=delay_ms)
    return Network([source, Population("MN", TwoCompartmentMotorNeuron.pool(THRESHOLDS))], [projection])


@pytest.mark.parametrize("precision", ["single", "double"])
def test_the_pool_fires_as_neurons_does_cell_by_cell(golden, network, precision):
    spikes = simulate(network, float(golden["net_duration_ms"]) * 1e-3, precision=precision).spikes["MN"]
    expected = golden["net_counts"]
    assert spikes.counts.sum() == pytest.approx(expected.sum(), rel=0.01)
    # One spike more or less is what rounding may do to a cell near its threshold.
    differing = np.abs(spikes.counts - expected)
    assert differing.max() <= (0 if precision == "double" else 1)
    assert np.mean(differing > 0) <= 0.01
    # NEURON reports the grid point after the crossing.
    order = np.argsort(spikes.times_s)[: len(golden["net_first_ms"])]
    shift = golden["net_first_ms"] - spikes.times_s[order] * 1e3
    if precision == "double":
        assert np.all((shift >= -1e-6) & (shift <= 0.025 + 1e-6))
    assert np.median(np.abs(shift)) < 0.025
