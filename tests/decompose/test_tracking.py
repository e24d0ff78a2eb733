"""Units followed through a recording in which they move."""

import functools
import itertools

import numpy as np
import pytest
from online_scene import CHANNELS, RATE_HZ, recorded, shapes

from myoloop.data import Recording, SpikeTrains
from myoloop.decompose import ConvolutiveBSS, match_trains
from myoloop.decompose._online._adapt import Adaptation
from myoloop.decompose._online._filters import Extent
from myoloop.decompose._online._follow import followed
from myoloop.decompose._online._tracking import TrackingDecomposer
from myoloop.decompose._online._windows import apart, filled, window_starts
from myoloop.decompose._threads import one_thread
from myoloop.errors import ParameterError

DURATION_S = 20.0
CALIBRATION_S = 6.0, 14.0


def shift(s):
    """In channels: still in the calibration, 1.2 of them before and after it."""
    return 0.2 * (max(s - CALIBRATION_S[1], 0) + min(s - CALIBRATION_S[0], 0))


@functools.cache
def moving():
    return recorded(DURATION_S, shift=shift, seed=3)


def tracker(**changes):
    options = {
        "method": ConvolutiveBSS(seed=0, rounds=1, starts=32, joint_passes=1),
        "calibration_s": CALIBRATION_S,
        "adaptation": Adaptation(period_s=0.5, memory_s=5, memory_spikes=50),
        "window_s": 5.0,
    }
    return TrackingDecomposer(**(options | changes))


@functools.cache
def tracked():
    return tracker().fit(moving())


def roa(found, truth, begin, end):
    matching = match_trains(found.between(begin, end), truth.between(begin, end))
    return [matching.roa[i, j] for i, j in matching.pairs]


def test_units_are_held_before_and_after_the_calibration():
    found, truth = tracked().spikes_, moving().truth.spikes
    assert len(found) >= 3
    for begin, end in ((0, 20), (0, 5), (15, 20)):
        assert sum(r >= 0.9 for r in roa(found, truth, begin, end)) == len(found)
    assert tracked().held_.all()


def test_filters_that_stand_still_lose_spikes():
    method = tracker().method
    method.fit(moving().between(*CALIBRATION_S))
    still, truth = method.transform(moving()).spikes, moving().truth.spikes
    for begin, end in ((0, 4), (16, 20)):
        fixed, followed = (np.mean(roa(found, truth, begin, end)) for found in (still, tracked().spikes_))
        assert fixed < followed - 0.1


def test_the_path_follows_the_potentials():
    """In each window the measured potentials are nearest to the true ones of about its middle."""
    path, truth = tracked().path_, moving().truth.spikes
    matching = match_trains(tracked().spikes_, truth)
    grid = np.linspace(-2.5, 2.5, 51)
    table = np.array([np.ptp(shapes(s), axis=2) for s in grid])
    for w, at in enumerate(path.knots):
        measured = path.potentials[w].peak_to_peak_uV
        for i, j in matching.pairs:
            off = np.linalg.norm(table[:, j] - measured[i], axis=1)
            assert grid[np.argmin(off)] == pytest.approx(shift(at), abs=0.45)
    assert np.array_equal(path.knots, tracked().window_times_s_)
    np.testing.assert_allclose(path.coordinate_at(np.zeros(2, int), np.array([5.0, 12.0])), [5.0, 12.0])


def test_quality_over_time_and_sources():
    units = len(tracked().spikes_)
    windows = len(tracked().window_times_s_)
    assert tracked().silhouettes_.shape == tracked().held_.shape == (windows, units)
    assert np.nanmin(tracked().silhouettes_) > 0.8
    result = tracked().decomposition_
    assert result.sources.shape == (units, moving().values_uV.shape[1])
    for u in range(units):
        at = result.spike_samples(u)
        assert result.sources[u][at].mean() == pytest.approx(1, abs=1e-3)
        assert np.mean(result.sources[u]) == pytest.approx(0, abs=0.05)
    assert np.all(result.quality.sil > 0.8)


def test_the_same_seed_gives_the_same_bits():
    again = tracker().fit(moving())
    assert np.array_equal(again.spikes_.times_s, tracked().spikes_.times_s)
    assert np.array_equal(again.sources_, tracked().sources_)


def test_transform_follows_the_units_through_another_recording():
    other = recorded(12, shift=lambda s: 0.1 * s, seed=21)
    result = tracked().transform(other)
    assert result.unit_ids == tracked().decomposition_.unit_ids
    for begin, end in ((0, 4), (8, 12)):
        good = sum(r >= 0.8 for r in roa(result.spikes, other.truth.spikes, begin, end))
        assert good >= len(result) - 1


def test_a_unit_that_stops_is_not_made_up():
    gone = recorded(16, silent=((4, 8.0, 16.0),), seed=11)
    found = tracker(calibration_s=(0, 8)).fit(gone)
    whole = recorded(16, seed=11).truth.spikes.between(0, 8)
    matching = match_trains(found.spikes_.between(0, 8), whole)
    unit = next(int(i) for i, j in matching.pairs if j == 4)
    train = found.spikes_[unit]
    assert np.sum(train < 8) > 80
    assert np.sum(train > 8.1) < 5


def test_without_a_calibration_the_loudest_stretch_is_taken():
    quiet = moving().values_uV.copy()
    quiet[:, : round(12 * RATE_HZ)] *= 0.01
    recording = Recording(quiet, RATE_HZ, t_start_s=100.0)
    begin_s, end_s = TrackingDecomposer(calibration_length_s=6)._calibration(recording)
    assert end_s - begin_s == pytest.approx(6)
    assert 111.9 <= begin_s <= 114.1
    assert TrackingDecomposer()._calibration(recording) == (100.0, 120.0)


def test_no_unit_is_an_answer():
    rng = np.random.default_rng(0)
    noise = Recording(rng.standard_normal((8, round(8 * RATE_HZ))), RATE_HZ)
    found = tracker(calibration_s=(0, 4)).fit(noise)
    assert len(found.spikes_) == 0
    assert found.path_ is None
    assert any("No unit" in note for note in found.decomposition_.notes)
    assert len(found.transform(noise)) == 0


def test_bad_input_is_named():
    with pytest.raises(ParameterError, match=r"TrackingDecomposer\.calibration_s"):
        tracker(calibration_s=(5, 50)).fit(moving())
    with pytest.raises(ParameterError, match=r"TrackingDecomposer\.method"):
        TrackingDecomposer(method=3)
    with pytest.raises(ParameterError, match="call fit first"):
        TrackingDecomposer().transform(moving())
    broken = moving().values_uV.copy()
    broken[2, 100] = np.nan
    with pytest.raises(ParameterError, match="NaN"):
        tracker().fit(Recording(broken, RATE_HZ))


# --- pieces -----------------------------------------------------------------------------------------


@one_thread()
def test_forward_and_backward_are_the_same_in_a_mirror():
    """Signals turned round in time, followed from the same stretch, give the same trains but for the seam."""
    recording = recorded(12, seed=2)
    x = recording.values_uV / recording.values_uV.std(axis=1, keepdims=True)
    trains = [np.rint(t * RATE_HZ).astype(np.int64) for t in recording.truth.spikes]
    first, length = round(4 * RATE_HZ), round(4 * RATE_HZ)
    edge = 80
    known = [t[(t >= first + edge) & (t < first + length - edge)] - first for t in trains]
    extent = Extent(-24, 64, 16)
    settings = Adaptation(period_s=0.5)
    one = followed(
        x, x[:, first : first + length], known, first, RATE_HZ, extent, 3e-5, settings, lambda *_: None
    )
    mirrored = Extent(-(extent.first + extent.length - 1), extent.length, extent.lags)
    turned = np.ascontiguousarray(x[:, ::-1])
    back = [length - 1 - t[::-1] for t in known]
    two = followed(
        turned, turned[:, first : first + length], back, first, RATE_HZ, mirrored, 3e-5, settings,
        lambda *_: None,
    )  # fmt: skip
    duration = 12.0
    a = SpikeTrains.from_trains([t / RATE_HZ for t in one.spikes], duration)
    b = SpikeTrains.from_trains([np.sort(x.shape[1] - 1 - t) / RATE_HZ for t in two.spikes], duration)
    assert np.all(np.diag(match_trains(a, b).roa) > 0.97)
    assert np.all(np.diag(match_trains(a, recording.truth.spikes).roa) > 0.9)


@pytest.mark.parametrize(("samples", "window"), [(100, 100), (100, 300), (1000, 100), (1037, 100)])
def test_windows_cover_everything(samples, window):
    begins, length = window_starts(samples, window)
    assert begins[0] == 0 and begins[-1] + length == samples
    assert length == min(samples, window)
    assert all(0 < b - a <= -(-length // 2) for a, b in itertools.pairwise(begins))


def test_no_two_discharges_of_a_unit_are_nearer_than_the_refractory_time():
    train = apart(np.array([50, 10, 12, 31, 32, 33, 90]), 20)
    assert train.tolist() == [10, 31, 90]


def test_unknown_templates_come_from_the_nearest_window():
    templates = np.full((4, 2, 1, 1), np.nan, np.float32)
    templates[1, 0], templates[3, 0] = 5.0, 7.0
    assert filled(templates)[:, 0, 0, 0].tolist() == [5, 5, 5, 7]
    assert not templates[:, 1].any()
    assert CHANNELS == 24
