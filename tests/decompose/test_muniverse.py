"""Our scores beside those of MUniverse (``pip install muniverse-emg``, GPL: never a dependency)."""

import importlib.util

import numpy as np
import pytest

from myoloop.data import SpikeTrains
from myoloop.decompose._metrics import (
    contest_score,
    duplicates,
    pulse_to_noise_ratio_of_squares,
    score,
    silhouette,
)

if importlib.util.find_spec("muniverse") is None:
    pytest.skip("muniverse-emg is not installed: pip install muniverse-emg", allow_module_level=True)

pandas = pytest.importorskip("pandas", reason="muniverse-emg takes pandas tables")
evaluate = pytest.importorskip("muniverse.evaluation.evaluate", reason="this muniverse has no evaluation")

STOP_S = 30.0
RATE_HZ = 2048.0


def table(trains):
    """Spikes as MUniverse takes them; its units have to be numbered from 0 without gaps."""
    return pandas.DataFrame({"unit_id": trains.units, "onset": trains.times_s})


def pool(n, seed):
    rng = np.random.default_rng(seed)
    trains = []
    for k in range(n):
        times = np.cumsum(np.maximum(rng.normal(1, 0.15, 1000), 0.3) / (7 + k)) + 0.3
        trains.append(times[times < STOP_S - 0.3])
    return trains


def decomposed(truth, seed, lag_samples=0):
    """What a decomposition finds: lags of whole samples, missed and false spikes, a false unit, an order."""
    rng = np.random.default_rng(seed)
    found = []
    for times in truth:
        kept = times[rng.random(len(times)) > 0.06]
        false = rng.uniform(1, STOP_S - 1, round(0.05 * len(times)))
        at = np.rint(np.concatenate([kept, false]) * RATE_HZ) + lag_samples
        found.append(np.unique(at) / RATE_HZ)
    found.append(np.sort(rng.uniform(1, STOP_S - 1, 250)))
    return [found[k] for k in rng.permutation(len(found))]


@pytest.mark.parametrize("lag_samples", [0, 30, -120])
@pytest.mark.parametrize("seed", [0, 1])
def test_matches_and_counts_agree(seed, lag_samples):
    # Times on the grid of the sampling: MUniverse looks for the lag on that grid.
    on_grid = [np.unique(np.rint(t * RATE_HZ)) / RATE_HZ for t in pool(8, seed)]
    truth = SpikeTrains.from_trains(on_grid, STOP_S)
    found = SpikeTrains.from_trains(decomposed(on_grid, seed + 10, lag_samples), STOP_S)
    theirs = evaluate.evaluate_spike_matches(table(found), table(truth), t_end=STOP_S, fsamp=RATE_HZ)
    theirs = theirs[theirs["unit_id_ref"].notna()]
    ours = score(found, truth)
    assert [(p.found, p.truth) for p in ours.pairs] == [
        (int(i), int(j)) for i, j in zip(theirs["unit_id"], theirs["unit_id_ref"], strict=True)
    ]
    # The refined lag may pair a chance coincidence more.
    np.testing.assert_allclose([p.tp for p in ours.pairs], theirs["TP"], atol=1)
    f1 = 2 * theirs["TP"] / (2 * theirs["TP"] + theirs["FP"] + theirs["FN"])
    np.testing.assert_allclose([p.f1 for p in ours.pairs], f1, atol=0.005)
    # Their delay is what has to be added to the reference.
    np.testing.assert_allclose([p.lag_ms for p in ours.pairs], 1e3 * theirs["delay_seconds"], atol=0.5)


def test_duplicates_agree():
    first = pool(4, 3)
    rng = np.random.default_rng(0)
    trains = [*first, first[1][rng.random(len(first[1])) < 0.6] + 0.02, first[3][::4]]
    given = SpikeTrains.from_trains([np.rint(t * RATE_HZ) / RATE_HZ for t in trains], STOP_S)
    labels, _ = evaluate.label_sources(table(given), RATE_HZ, t_end=STOP_S)
    theirs = [k for k in range(len(labels)) if labels[k] != k]
    assert list(duplicates(given)) == theirs == [4]


def test_points_of_the_contest_agree():
    on_grid = [np.unique(np.rint(t * RATE_HZ)) / RATE_HZ for t in pool(6, 5)]
    truth = SpikeTrains.from_trains(on_grid, STOP_S)
    found = SpikeTrains.from_trains(decomposed(on_grid, 6), STOP_S)
    theirs = evaluate.evaluate_spike_matches(
        table(found), table(truth), t_end=STOP_S, fsamp=RATE_HZ, threshold=0.5
    )
    f1 = 2 * theirs["TP"] / (2 * theirs["TP"] + theirs["FP"] + theirs["FN"])
    points = f1[theirs["unit_id_ref"].notna()].sum()
    assert contest_score(found, truth).points == pytest.approx(points, abs=0.03)


def source(seed=0, n=40_000):
    rng = np.random.default_rng(seed)
    spikes = np.arange(150, n - 150, 200) + rng.integers(-15, 15, len(np.arange(150, n - 150, 200)))
    values = 0.15 * rng.standard_normal(n)
    values[spikes] += 1 + 0.1 * rng.standard_normal(len(spikes))
    return values, spikes


def test_pulse_to_noise_ratio_of_squares_is_theirs():
    values, spikes = source()
    theirs, _ = evaluate.calc_pnr(values, spikes)
    assert pulse_to_noise_ratio_of_squares(values, spikes) == pytest.approx(theirs, rel=1e-9)


def test_silhouette_is_theirs_where_the_background_peaks_are_the_same():
    rng = np.random.default_rng(1)
    at = np.arange(100, 20_000, 100)  # 49 ms apart: every one is a peak by both rules
    values = np.zeros(20_100)
    values[at] = 0.4 * rng.random(len(at)) + 0.01
    spikes = at[::4]
    values[spikes] = 1 + 0.1 * rng.standard_normal(len(spikes))
    theirs = evaluate.pseudo_sil_score(values, spikes, RATE_HZ)[0]
    assert silhouette(values, spikes, rate_hz=RATE_HZ) == pytest.approx(theirs, rel=1e-9)


def test_silhouette_is_stricter_than_theirs_in_noise():
    # Theirs also counts maxima below 0 and smaller ones beside larger: a lower mean of the background.
    values, spikes = source()
    theirs = evaluate.pseudo_sil_score(values, spikes, RATE_HZ)[0]
    assert theirs - 0.02 < silhouette(values, spikes, rate_hz=RATE_HZ) < theirs
