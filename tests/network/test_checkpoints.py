"""A run that is interrupted goes on bit for bit as if it had not been."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from toy_loop import DURATION_S, OPTIONS, build

from myoloop.data import SpikeTrains
from myoloop.errors import MyoloopError, ParameterError
from myoloop.io import HDF5Stream, read_stream
from myoloop.network import (
    Exponential,
    Network,
    PoissonSource,
    Population,
    Probe,
    Projection,
    ReplaySource,
    from_matrix,
    one_to_one,
    simulate,
)
from myoloop.neurons import LIF

BATCH = {key: value for key, value in OPTIONS.items() if key != "checkpoint_every_s"}


def steps(sim, n):
    """Everything that n windows show."""
    seen = []
    for _ in range(n):
        tick = sim.step()
        seen += [np.concatenate([e.units, e.times_s]) for e in tick.spikes.values()]
        seen += [np.atleast_1d(tick.signals[key]) for key in sorted(tick.signals)]
        seen += list(sim.samples().values())
    return seen


def start():
    return build().start(**BATCH)


def same(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_fresh_simulation_goes_on_from_a_state_with_a_rule_and_a_plant_bit_for_bit():
    first, second = start(), start()
    steps(first, 150)
    state = first.state()
    expected = steps(first, 150)
    second.restore(state)
    assert second.time_s == pytest.approx(0.15)
    same(expected, steps(second, 150))
    for key, array in first.state().items():
        np.testing.assert_array_equal(array, second.state()[key], err_msg=key)


def test_the_same_simulation_goes_back_to_a_state_bit_for_bit():
    sim = start()
    steps(sim, 60)
    state = sim.state()
    expected = steps(sim, 60)
    sim.restore(state)
    same(expected, steps(sim, 60))


def test_a_state_is_a_copy_that_the_run_does_not_change():
    sim = start()
    steps(sim, 20)
    state = sim.state()
    kept = {key: array.copy() for key, array in state.items()}
    steps(sim, 20)
    for key, array in state.items():
        np.testing.assert_array_equal(array, kept[key], err_msg=key)


def test_a_state_survives_a_file(tmp_path):
    first, second = start(), start()
    steps(first, 30)
    np.savez(tmp_path / "state.npz", **first.state())
    with np.load(tmp_path / "state.npz") as state:
        second.restore(dict(state))
    same(steps(first, 30), steps(second, 30))


def pool(n=5, matrix=None, trains=((0.1,),), **cell):
    spikes = SpikeTrains.from_trains(trains, 1.0)
    nodes = [
        PoissonSource("IN", n, rate_pps=9.0),
        ReplaySource("RE", spikes=spikes),
        Population("MN", LIF(n=n, **cell)),
    ]
    wiring = one_to_one() if matrix is None else from_matrix(matrix)
    return Network(nodes, [Projection("IN", "MN", wiring, weight_uS=0.1, synapse=Exponential())])


@pytest.mark.parametrize(
    ("network", "options"),
    [
        (pool(n=6), {}),
        (pool(threshold_mV=-49.0), {}),
        (pool(matrix=2 * np.eye(5)), {}),
        (pool(matrix=np.eye(5)[::-1]), {}),
        (pool(trains=[[0.2]]), {}),
        (pool(), {"seed": 1}),
        (pool(), {"dt_ms": 0.2}),
        (pool(), {"precision": "double"}),
        (pool(), {"window_ms": 0.5}),
    ],
    ids=["size", "parameter", "no matrix", "other matrix", "replayed", "seed", "dt", "precision", "window"],
)
def test_a_state_of_another_simulation_is_refused(network, options):
    matrix = np.eye(5) if "matrix" in str(network.to_dict()["projections"][0]["connectivity"]) else None
    sim = pool(matrix=matrix).start(dt_ms=0.1)
    sim.step()
    with pytest.raises(
        ParameterError, match=r"^Simulation\.restore: the state belongs to another network, seed"
    ):
        network.start(**{"dt_ms": 0.1, **options}).restore(sim.state())


@pytest.mark.parametrize("state", [{}, None, {"about": np.zeros(3)}, {"about": "x", "step": 3}])
def test_what_is_no_state_is_refused(state):
    with pytest.raises(MyoloopError, match=r"^Simulation\.restore: "):
        pool().start(dt_ms=0.1).restore(state)


def test_a_batch_run_that_is_resumed_in_memory_tells_from_when_on_it_was_observed():
    whole = simulate(build(), 0.6, **BATCH)
    sim = start()
    steps(sim, 205)
    rest = simulate(build(), 0.6, **BATCH, resume=sim.state())
    assert rest.spikes["MN"].t_start_s == pytest.approx(0.205)
    late = whole.spikes["MN"].times_s > 0.205
    np.testing.assert_array_equal(rest.spikes["MN"].times_s, whole.spikes["MN"].times_s[late])
    signal_ = rest.signals["MN.v_soma"]
    np.testing.assert_array_equal(signal_.values, whole.signals["MN.v_soma"].values[-len(signal_) :])
    assert signal_.times_s[-1] == pytest.approx(whole.signals["MN.v_soma"].times_s[-1])


def test_a_run_that_was_killed_is_resumed_from_its_stream_bit_for_bit(tmp_path):
    path = tmp_path / "broken.h5"
    program = Path(__file__).with_name("toy_loop.py")
    child = subprocess.Popen([sys.executable, str(program), str(path)])
    checkpoint = path.with_name(path.name + ".checkpoint.npz")
    deadline = time.monotonic() + 120
    while not checkpoint.exists() and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(0.1)
    os.kill(child.pid, signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "the run was over before it could be killed"

    left = read_stream(path)
    assert left.status == "interrupted"
    assert 0.0 < left.spikes["MN"].t_stop_s < DURATION_S

    stream, state, _ = HDF5Stream.resume(path)
    simulate(build(), DURATION_S, **OPTIONS, sink=stream, resume=state)
    resumed, whole = read_stream(path), simulate(build(), DURATION_S, **OPTIONS)
    assert resumed.status == "complete"
    assert len(whole.spikes["MN"].times_s) > 1000
    for name, trains in whole.spikes.items():
        np.testing.assert_array_equal(resumed.spikes[name].times_s, trains.times_s)
        np.testing.assert_array_equal(resumed.spikes[name].starts, trains.starts)
    np.testing.assert_array_equal(resumed.signals["MN.v_soma"].values, whole.signals["MN.v_soma"].values)


def test_an_exception_in_the_progress_callback_leaves_a_readable_file(tmp_path):
    def stop(stage, done, total, unit="s"):
        if done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(build(), 30.0, **OPTIONS, sink=HDF5Stream(tmp_path / "x.h5"), progress=stop)
    left = read_stream(tmp_path / "x.h5")
    assert left.status == "interrupted"
    assert len(left.spikes["MN"].times_s) > 0


def test_a_stream_holds_what_memory_holds_with_annotations_and_provenance(tmp_path):
    thresholds = np.linspace(0.1, 1.0, 5)
    network = pool()
    nodes = [*network.nodes[:2], Population("MN", LIF(n=5), {"threshold": thresholds})]
    options = {"dt_ms": 0.1, "record": [Probe("MN", "v_soma", [4, 0], 0.4)]}
    memory = simulate(network.replace(nodes=nodes), 0.5, **options)
    simulate(network.replace(nodes=nodes), 0.5, **options, sink=HDF5Stream(tmp_path / "x.h5"))
    stream = read_stream(tmp_path / "x.h5")
    for name, trains in memory.spikes.items():
        np.testing.assert_array_equal(trains.times_s, stream.spikes[name].times_s)
    np.testing.assert_array_equal(memory.signals["MN.v_soma"].values, stream.signals["MN.v_soma"].values)
    assert memory.signals["MN.v_soma"].channels == tuple(stream.signals["MN.v_soma"].channels) == (4, 0)
    for result in (memory, stream):
        np.testing.assert_array_equal(result.spikes["MN"].annotations["threshold"], thresholds)
        assert result.provenance["seed"] == 0
        assert result.provenance["dt_ms"] == 0.1


class Drain:
    """Forgets what it is given."""

    def open(self, layout):
        self.chunks = 0

    def write(self, spikes, signals, time_s):
        self.chunks += 1

    def checkpoint(self, state, time_s):
        pass

    def close(self, status):
        self.status = status


def test_streaming_takes_the_same_memory_however_long_the_run():
    def peak(duration_s):
        sink = Drain()
        tracemalloc.start()
        simulate(build(), duration_s, dt_ms=0.1, record=OPTIONS["record"], sink=sink, checkpoint_every_s=0.2)
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert sink.chunks >= duration_s / 0.25
        return found

    peak(0.5)
    short, long = peak(0.5), peak(2.0)
    assert long < short + 100_000


def test_progress_is_told_from_0_to_the_end_in_simulated_seconds():
    told = []
    simulate(
        build(),
        6.0,
        dt_ms=0.1,
        progress=lambda stage, done, total, unit="s": told.append((stage, done, total)),
    )
    assert told[0] == ("simulate", 0.0, 6.0)
    assert told[-1] == ("simulate", 6.0, 6.0)
    done = [d for _, d, _ in told]
    assert done == sorted(done)
    assert len(done) > 3
