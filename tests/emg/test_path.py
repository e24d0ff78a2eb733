"""Action potentials that change over time: movement of electrodes, drift of conduction velocity."""

import numpy as np
import pytest

from myoloop.data import ActionPotentials, Signal, SpikeTrains
from myoloop.data._path import ActionPotentialPath
from myoloop.emg._synthesis._drift import drifting_jitter, velocity_drift
from myoloop.emg._synthesis._jitter import DischargeJitter
from myoloop.emg._synthesis._synthesis import Synthesis, synthesise
from myoloop.errors import ParameterError

RATE = 2048.0
VELOCITY = 4.0  # mm/ms


def moved(shift_mm, units=2, channels=3, samples=60):
    """Potentials that travel along z, on electrodes 8 mm apart, moved by `shift_mm`; they fade with depth."""
    times_ms = np.arange(samples) * 1e3 / RATE
    z = 8.0 * np.arange(channels) + shift_mm
    width_ms = np.array([0.9, 1.2])[:units, None, None]  # spectra peak at 250 and 190 Hz
    x = (times_ms - 10.0 - z[None, :, None] / VELOCITY) / width_ms
    return ActionPotentials(100 * (1 - x**2) * np.exp(-(x**2) / 2), RATE)


def path_of(knots, coordinate, **more):
    return ActionPotentialPath(knots, tuple(moved(k, **more) for k in knots), coordinate)


def still(value, seconds=10.0, columns=None):
    return Signal(np.full((int(seconds * 10), *([columns] if columns else [])), value), 10.0, "mm")


def one_discharge(path, at_s=0.5):
    return synthesise(path, SpikeTrains.from_trains([[at_s], [at_s]], 1.0))


@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_at_a_knot_the_knot_s_potentials_are_taken(n):
    knots = np.linspace(-2, 2, n)
    for k in knots:
        spikes = SpikeTrains.from_trains([[0.5], [0.5]], 1.0)
        path = path_of(knots, still(k))
        assert np.allclose(synthesise(path, spikes), synthesise(moved(k), spikes), atol=1e-3)


@pytest.mark.parametrize(("apart_mm", "worst"), [(0.5, 1e-4), (0.8, 1e-3), (1.6, 1e-2)])
def test_knots_may_be_this_far_apart(apart_mm, worst):
    knots = np.arange(-3, 3 + apart_mm / 2, apart_mm)
    errors = []
    for shift in np.linspace(knots[1], knots[-2], 23):
        seen = one_discharge(path_of(knots, still(shift)))
        wanted = synthesise(moved(shift), SpikeTrains.from_trains([[0.5], [0.5]], 1.0))
        errors.append(np.abs(seen - wanted).max() / np.abs(wanted).max())
    assert worst / 20 < max(errors) < worst


def test_weights_add_up_to_one_and_reproduce_a_cubic():
    knots = np.array([-1.0, 0.0, 0.7, 2.0, 2.5, 4.0])
    path = path_of(knots, still(0.0))
    at = np.linspace(-1, 4, 101)
    first, weights = path.weights(at)
    assert weights.sum(axis=1) == pytest.approx(np.ones(101))
    near = knots[first[:, None] + np.arange(4)]
    assert np.sum(weights * near**3, axis=1) == pytest.approx(at**3, abs=1e-10)


def test_each_discharge_takes_the_potential_of_its_time():
    ramp = Signal(np.linspace(-2, 2, 101), 10.0, "mm")  # over 10 s
    knots = np.arange(-2, 2.1, 0.5)
    times = np.array([1.013, 4.9, 8.7])
    spikes = SpikeTrains.from_trains([times, []], 10.0)
    seen = synthesise(path_of(knots, ramp), spikes)
    wanted = sum(synthesise(moved(-2 + 0.4 * t), SpikeTrains.from_trains([[t], []], 10.0)) for t in times)
    assert np.abs(seen - wanted).max() < 2e-4 * np.abs(wanted).max()
    blocks = Synthesis(path_of(knots, ramp), spikes)
    parts = [blocks.step(n) for n in (2100, 1, 9000, 9379)]
    assert np.array_equal(np.concatenate(parts).T, seen)


def test_units_may_have_coordinates_of_their_own():
    both = Signal(np.column_stack([np.full(20, -1.0), np.full(20, 1.0)]), 10.0, "mm")
    knots = np.arange(-2, 2.1, 1.0)
    seen = one_discharge(path_of(knots, both))
    values = np.stack([moved(-1.0).values_uV[0], moved(1.0).values_uV[1]])
    wanted = synthesise(ActionPotentials(values, RATE), SpikeTrains.from_trains([[0.5], [0.5]], 1.0))
    assert np.allclose(seen, wanted, atol=1e-3)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: path_of(np.array([0.0, 1.0]), still(1.1)),
            "1.1 to 1.1 was given, the knots reach from 0 to 1",
        ),
        (lambda: path_of(np.array([0.0, 1.0]), still(0.5, columns=3)), "3 columns for 2 units"),
        (lambda: path_of(np.array([1.0, 0.0]), still(0.5)), "ascending"),
        (lambda: path_of(np.array([1.0]), still(1.0)), "two or more"),
        (lambda: ActionPotentialPath(np.arange(3.0), (moved(0),), still(1.0)), "1 were given for 3 knots"),
        (
            lambda: ActionPotentialPath(np.arange(2.0), (moved(0), moved(1, samples=50)), still(1.0)),
            "at knot 1",
        ),
        (lambda: velocity_drift(moved(0), still(0.0)), "above 0"),
    ],
)
def test_what_does_not_fit_is_refused(make, said):
    with pytest.raises(ParameterError, match=said):
        make()


@pytest.mark.parametrize("factor", [0.7, 0.893, 1.0, 1.05])
@pytest.mark.parametrize("begin_s", [0.0, -0.004])
def test_a_slower_unit_is_the_same_unit_stretched_in_time(factor, begin_s):
    def at(times_s):  # as if the source were at z = v t
        z = VELOCITY * 1e3 * times_s[None, :] - np.array([30.0, 45.0, 60.0])[:, None]
        x = z / 4.5
        return 100 * (1 - x**2) * np.exp(-(x**2) / 2)

    times = begin_s + np.arange(70) / RATE
    action = ActionPotentials(np.stack([at(times)] * 2), RATE, begin_s)
    course = Signal(np.concatenate([np.linspace(0.7, 1.05, 99), np.full(100, factor)]), 100.0)
    path = velocity_drift(action, course)
    spike = 1.5003
    seen = synthesise(path, SpikeTrains.from_trains([[spike], []], 2.0))
    since = np.arange(seen.shape[1]) / RATE - spike
    wanted = at(since * factor)
    assert np.abs(seen - wanted).max() < 5e-4 * 100
    still_there = velocity_drift(action, Signal(np.ones(5), 1.0))
    assert np.allclose(
        synthesise(still_there, SpikeTrains.from_trains([[spike], []], 2.0)),
        synthesise(action, SpikeTrains.from_trains([[spike], []], 2.0)),
        atol=0.02,
    )


def test_a_drift_that_would_fill_the_memory_is_refused():
    wide = ActionPotentials(np.ones((200, 256, 60), dtype=np.float32), RATE)
    with pytest.raises(ParameterError, match="GiB"):
        velocity_drift(wide, Signal(np.linspace(0.3, 1.0, 5), 1.0))


def test_jitter_drifts_along():
    action = moved(0.0)
    rng = np.random.default_rng(0)
    sketch = rng.standard_normal((2, 3, 3, 1)) * action.values_uV[:, None]
    jitter = DischargeJitter.of_sketch(sketch, RATE, 35.0)
    path = velocity_drift(action, Signal(np.linspace(1.0, 0.8, 11), 10.0))
    drifting = drifting_jitter(jitter, action, path)
    assert len(drifting) == len(path.knots)
    spikes = SpikeTrains.from_trains([np.arange(0.1, 0.9, 0.1)] * 2, 1.0)
    varied = synthesise(path, spikes, drifting, seed=1) - synthesise(path, spikes)
    assert 0.001 < np.std(varied) / np.std(synthesise(path, spikes)) < 0.2
    with pytest.raises(ParameterError, match=r"DischargeJitter\.variations_uV"):
        Synthesis(path, spikes, jitter)
