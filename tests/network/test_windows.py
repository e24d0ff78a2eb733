"""What a network does depends on neither the window, nor the blocks, nor the threads, nor who steps it."""

from __future__ import annotations

import os

import numpy as np
import pytest

from myoloop.network import (
    CurrentInjection,
    Delta,
    Exponential,
    Network,
    PoissonSource,
    Population,
    Probe,
    Projection,
    Sine,
    Uniform,
    one_to_one,
    random,
    simulate,
)
from myoloop.neurons import LIF

DT = 0.1


def recurrent(n=70, delay_ms=2.0):
    """Noise, excitation, slow inhibition among the cells, and a current that changes."""
    return Network(
        [PoissonSource("IN", n, rate_pps=300.0), Population("MN", LIF(n=n))],
        [
            Projection("IN", "MN", one_to_one(), weight_uS=0.004, synapse=Exponential(reversal_mV=0.0)),
            Projection("MN", "MN", random(0.2), weight_uS=0.002, delay_ms=delay_ms,
                       synapse=Exponential(reversal_mV=-80.0)),
        ],
        currents=[CurrentInjection("MN", Sine(amplitude_nA=0.05, frequency_hz=7.0, offset_nA=0.05))],
    )  # fmt: skip


def steps_of(trains):
    return trains.units, np.ceil(np.round(trains.times_s * 1e3 / DT, 6)).astype(int)


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("delay_ms", [2.0, Uniform(low=1.0, high=9.0)], ids=["one delay", "drawn delays"])
def test_spikes_fall_at_the_same_steps_whatever_the_window(precision, delay_ms):
    runs = [
        simulate(recurrent(delay_ms=delay_ms), 0.6, dt_ms=DT, precision=precision, window_ms=w).spikes["MN"]
        for w in (1.0, 0.5, 0.1)
    ]
    assert len(runs[0].times_s) > 300
    for other in runs[1:]:
        np.testing.assert_array_equal(steps_of(runs[0]), steps_of(other))


@pytest.mark.parametrize("n", [1, 31, 32, 33])
def test_a_cell_does_the_same_in_a_pool_of_any_size(n):
    def run(size):
        network = recurrent(size)
        network = network.replace(projections=network.projections[:1])
        return simulate(network, 0.3, dt_ms=DT, record=[Probe("MN", "v_soma", [0, n - 1][: min(n, 2)], DT)])

    few, many = run(n), run(65)
    np.testing.assert_array_equal(few.signals["MN.v_soma"].values, many.signals["MN.v_soma"].values)
    for unit in range(n):
        np.testing.assert_array_equal(few.spikes["MN"][unit], many.spikes["MN"][unit])
    assert len(few.spikes["MN"].times_s) > 0


def test_cells_beyond_the_pool_that_fill_up_a_block_never_fire():
    run = simulate(
        Network([Population("MN", LIF(n=33))], currents=[CurrentInjection("MN", 1.0)]), 0.1, dt_ms=DT
    )
    assert len(run.spikes["MN"]) == 33
    assert np.all(run.spikes["MN"].counts == run.spikes["MN"].counts[0])


def test_cells_with_parameters_of_their_own_keep_them_in_every_block():
    thresholds = np.linspace(-55.0, -45.0, 65)
    network = Network(
        [Population("MN", LIF(n=65, threshold_mV=thresholds))], currents=[CurrentInjection("MN", 0.3)]
    )
    counts = simulate(network, 0.5, dt_ms=DT).spikes["MN"].counts
    assert np.all(np.diff(counts) <= 0)
    assert counts[0] > counts[64]


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="this machine has one core")
def test_two_threads_give_the_same_bits_as_one():
    probe = Probe("MN", "v_soma", [0, 69], DT)
    one, two = (simulate(recurrent(), 0.3, dt_ms=DT, threads=k, record=[probe]) for k in (1, 2))
    np.testing.assert_array_equal(one.signals["MN.v_soma"].values, two.signals["MN.v_soma"].values)
    np.testing.assert_array_equal(one.spikes["MN"].times_s, two.spikes["MN"].times_s)
    np.testing.assert_array_equal(one.spikes["MN"].starts, two.spikes["MN"].starts)
    assert len(one.spikes["MN"].times_s) > 100


def test_stepping_by_hand_gives_the_same_bits_as_a_batch_run():
    probe = Probe("MN", "v_soma", [3], DT)
    batch = simulate(recurrent(), 0.3, dt_ms=DT, seed=4, record=[probe])
    sim = recurrent().start(dt_ms=DT, seed=4, record=[probe])
    ticks, samples = [], []
    for _ in range(300):
        ticks.append(sim.step())
        samples.append(sim.samples()["MN.v_soma"])
    np.testing.assert_array_equal(np.concatenate(samples), batch.signals["MN.v_soma"].values)
    for name in ("IN", "MN"):
        times = np.concatenate([tick.spikes[name].times_s for tick in ticks])
        units = np.concatenate([tick.spikes[name].units for tick in ticks])
        order = np.lexsort((times, units))
        np.testing.assert_array_equal(times[order], batch.spikes[name].times_s)
        np.testing.assert_array_equal(units[order], batch.spikes[name].units)
    assert [tick.start_s for tick in ticks[1:]] == [tick.stop_s for tick in ticks[:-1]]


def test_a_ticks_spikes_lie_within_its_window():
    sim = recurrent().start(dt_ms=DT)
    for _ in range(200):
        tick = sim.step()
        for events in tick.spikes.values():
            assert np.all((events.times_s > tick.start_s) & (events.times_s <= tick.stop_s))
    assert tick.counts("MN", 70).sum() == len(tick.spikes["MN"].units)


def test_a_driven_current_acts_like_an_injected_one():
    cells = [Population("MN", LIF(n=40))]
    current = np.linspace(0.05, 0.4, 40)
    injected = Network(cells, currents=[CurrentInjection("MN", current)]).start(dt_ms=DT)
    driven = Network(cells).start(dt_ms=DT)
    for _ in range(200):
        one, other = injected.step(), driven.step({"MN": current})
        np.testing.assert_array_equal(one.spikes["MN"].times_s, other.spikes["MN"].times_s)
    assert injected.state()["population/MN/cells"].std() > 0


def test_a_drive_lasts_one_window_and_adds_to_the_cells_own_current():
    own = CurrentInjection("MN", 0.1)
    sim = Network([Population("MN", LIF(n=2))], currents=[own]).start(
        dt_ms=DT, precision="double", record=[Probe("MN", "i_soma", [0, 1], DT)]
    )
    seen = []
    for drive in (None, {"MN": 0.2}, {"MN": [0.0, 1.0]}, None):
        sim.step(drive)
        seen.append(sim.samples()["MN.i_soma"])
    expected = [[0.1, 0.1], [0.3, 0.3], [0.1, 1.1], [0.1, 0.1]]
    np.testing.assert_allclose(np.concatenate(seen), np.repeat(expected, 10, axis=0), rtol=1e-15)


def test_delta_synapses_onto_a_pool_are_the_same_in_every_block():
    network = Network(
        [PoissonSource("IN", 65, rate_pps=500.0), Population("MN", LIF(n=65))],
        [Projection("IN", "MN", one_to_one(), weight_mV=3.0, synapse=Delta())],
    )
    one, half = (simulate(network, 0.3, dt_ms=DT, window_ms=w).spikes["MN"] for w in (1.0, 0.5))
    np.testing.assert_array_equal(steps_of(one), steps_of(half))
    assert one.active.all()
