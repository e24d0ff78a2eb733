"""What is recorded is what was asked for, when it was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from myoloop.data import Signal
from myoloop.errors import MyoloopError
from myoloop.network import (
    CurrentInjection,
    Network,
    PoissonSource,
    Population,
    Probe,
    Ramp,
    Sawtooth,
    Sine,
    Step,
    Trapezoid,
    simulate,
)
from myoloop.neurons import LIF

DT = 0.1


def record(*probes, n=70, duration_s=0.02, current=0.1, **options):
    network = Network([Population("MN", LIF(n=n))], currents=[CurrentInjection("MN", current)])
    return simulate(network, duration_s, dt_ms=DT, precision="double", record=probes, **options)


def injected(current, duration_s=0.02, n=1, cells=None):
    network = Network([Population("MN", LIF(n=n))], currents=[CurrentInjection("MN", current, cells)])
    probe = Probe("MN", "i_soma", list(range(n)), DT)
    return (
        simulate(network, duration_s, dt_ms=DT, precision="double", record=[probe])
        .signals["MN.i_soma"]
        .values
    )


def test_cells_of_any_block_come_in_the_asked_for_order():
    cells = [69, 0, 33, 32, 31]
    currents = np.linspace(0.0, 0.05, 70)
    values = record(Probe("MN", "i_soma", cells, DT), current=currents).signals["MN.i_soma"]
    np.testing.assert_array_equal(values.values, np.tile(currents[cells], (200, 1)))
    assert values.channels == tuple(cells)
    assert (values.units, values.rate_hz, values.t_start_s) == ("nA", pytest.approx(1e4), 0.0)


@pytest.mark.parametrize("every_ms", [0.1, 0.3, 0.7, 1.0, 3.0, 7.0])
@pytest.mark.parametrize("window_ms", [0.2, 1.0])
def test_a_decimated_trace_is_every_kth_sample_of_the_full_one(every_ms, window_ms):
    full = record(Probe("MN", "v_soma", [3], DT)).signals["MN.v_soma"]
    thin = record(Probe("MN", "v_soma", [3], every_ms), window_ms=window_ms).signals["MN.v_soma"]
    np.testing.assert_array_equal(thin.values, full.values[:: round(every_ms / DT)])
    np.testing.assert_allclose(thin.times_s, full.times_s[:: round(every_ms / DT)], atol=1e-12)
    assert thin.rate_hz == pytest.approx(1e3 / every_ms)


def test_probes_of_different_periods_do_not_disturb_one_another():
    probes = [
        Probe("MN", "v_soma", [1, 68], 0.3),
        Probe("MN", "refractory", [5], 0.4),
        Probe("MN", "i_soma", [2], 5),
    ]
    together = record(*probes, current=1.0).signals
    for probe in probes:
        np.testing.assert_array_equal(
            together[probe.key].values, record(probe, current=1.0).signals[probe.key].values
        )
    assert together["MN.refractory"].values.max() == pytest.approx(2.0)
    assert together["MN.refractory"].units == ""


def test_the_first_sample_is_the_initial_state():
    trace = record(Probe("MN", "v_soma", [0], DT)).signals["MN.v_soma"].values[:, 0]
    assert trace[0] == -60.0
    assert trace[1] > -60.0


def test_recording_does_not_change_the_run():
    with_it, without = record(Probe("MN", "v_soma", [0, 40], 0.3), current=0.5), record(current=0.5)
    np.testing.assert_array_equal(with_it.spikes["MN"].times_s, without.spikes["MN"].times_s)
    assert len(without.spikes["MN"].times_s) > 0


def test_only_the_asked_for_spikes_are_kept():
    network = Network([PoissonSource("IN", 3, rate_pps=50.0), Population("MN", LIF())])
    assert list(simulate(network, 0.01, dt_ms=DT, spikes=["MN"]).spikes) == ["MN"]
    assert list(simulate(network, 0.01, dt_ms=DT).spikes) == ["IN", "MN"]
    assert simulate(network, 0.01, dt_ms=DT, spikes=[]).spikes == {}


def test_a_result_knows_its_parameters_seed_versions_and_status():
    result = record(current=0.3, seed=11)
    assert result.status == "complete"
    assert result.provenance["seed"] == 11
    assert result.provenance["parameters"]["nodes"][0]["cells"]["model"] == "LIF"
    assert {"python", "numpy", "numba"} <= set(result.provenance["versions"])
    assert result.provenance["duration_s"] == pytest.approx(0.02)
    assert result.provenance["wall_s"] > 0


T = (np.arange(200) + 0.5) * 1e-4
WAVEFORMS = [
    (Step(amplitude_nA=0.3, start_s=0.005, stop_s=0.01), np.where((T >= 0.005) & (T < 0.01), 0.3, 0.0)),
    (Ramp(from_nA=0.1, to_nA=0.3, start_s=0.005, stop_s=0.015),
     np.where(T < 0.005, 0.0, np.minimum(0.1 + 0.2 * (T - 0.005) / 0.01, 0.3))),
    (Sine(amplitude_nA=0.2, frequency_hz=100.0, offset_nA=0.1, phase_rad=0.3),
     0.1 + 0.2 * np.sin(2 * np.pi * 100 * T + 0.3)),
    (Sawtooth(low_nA=0.1, high_nA=0.3, frequency_hz=200.0), 0.1 + 0.2 * (T * 200 % 1)),
    (Trapezoid(amplitude_nA=0.4, rise_s=0.002, plateau_s=0.006, fall_s=0.01, end_s=0.018),
     np.interp(T, [0.002, 0.006, 0.01, 0.018], [0.0, 0.4, 0.4, 0.0])),
    (Signal(np.linspace(0, 1, 40), 2000.0, "nA"), np.repeat(np.linspace(0, 1, 40), 5)),
    (lambda t_s: 30.0 * t_s, 30.0 * T),
]  # fmt: skip


@pytest.mark.parametrize(("current", "expected"), WAVEFORMS, ids=lambda w: type(w).__name__)
def test_every_waveform_is_what_its_formula_says_in_the_middle_of_each_step(current, expected):
    np.testing.assert_allclose(injected(current)[:, 0], expected, rtol=1e-9, atol=1e-12)


def test_a_current_for_each_cell_goes_to_that_cell():
    np.testing.assert_array_equal(injected([0.1, 0.2, 0.3], n=3), np.tile([0.1, 0.2, 0.3], (200, 1)))
    each = injected(lambda t: np.stack([t, 2 * t], axis=1), n=2)
    np.testing.assert_allclose(each, np.stack([T, 2 * T], axis=1), rtol=1e-9)


def test_a_current_into_some_cells_leaves_the_others_alone():
    np.testing.assert_array_equal(injected([0.5, 0.7], n=4, cells=[3, 1])[0], [0.0, 0.7, 0.0, 0.5])
    np.testing.assert_array_equal(injected("0.5 nA", n=3, cells=[2])[0], [0.0, 0.0, 0.5])


def test_currents_add_up():
    parts = [
        CurrentInjection("MN", 0.1),
        CurrentInjection("MN", [0.0, 0.2]),
        CurrentInjection("MN", 0.4, [0]),
    ]
    network = Network([Population("MN", LIF(n=2))], currents=parts)
    probe = Probe("MN", "i_soma", [0, 1], DT)
    values = simulate(network, 0.01, dt_ms=DT, precision="double", record=[probe]).signals["MN.i_soma"].values
    np.testing.assert_allclose(values, np.tile([0.5, 0.3], (100, 1)))


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        (("NM", "v_soma", [0]), r"^Probe\.population: no 'NM'; did you mean 'MN'\? "),
        (("MN", "v_some", [0]), r"^Probe\(MN\)\.variable: no 'v_some'; did you mean 'v_soma'\? "),
        (("MN", "v_soma", [70]), r"^Probe\(MN\.v_soma\)\.cells: 70 was given; give 0 to 69"),
        (("MN", "v_soma", [-1]), r"^Probe\(MN\.v_soma\)\.cells: -1 was given; give 0 to 69"),
        (("MN", "v_soma", []), r"^Probe\(MN\.v_soma\)\.cells: \[\] was given; "),
        (("MN", "v_soma", [0.5]), r"^Probe\(MN\.v_soma\)\.cells: \[0.5\] was given; "),
        (
            ("MN", "v_soma", [0], 0.15),
            r"^Probe\(MN\.v_soma\)\.every_ms: 0.15 ms is not a whole number of steps",
        ),
        (("MN", "v_soma", [0], 0.0), r"^Probe\.every_ms: 0 was given; "),
    ],
)
def test_a_probe_that_does_not_fit_is_refused(probe, message):
    with pytest.raises(MyoloopError, match=message):
        record(Probe(*probe))
