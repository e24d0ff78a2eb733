import json

import numpy as np
import pytest

from myoloop.data import SpikeTrains
from myoloop.errors import ParameterError
from myoloop.muscle import FuglevandForce, FuglevandPool, recruitment_thresholds
from myoloop.studies.force import default_model, force_from_spikes

POOL = FuglevandPool(n=40)


@pytest.fixture(scope="module")
def spikes():
    return POOL.spikes(0.4, 3.0, seed=1)


def test_statistics_figure_table_and_signals(spikes):
    model = FuglevandForce.of_pool(POOL)
    result = force_from_spikes(spikes, model, 1000)
    force = result.signals["force"]
    np.testing.assert_array_equal(force.values, model.force(spikes, 1000).values)
    json.dumps(result.metrics, allow_nan=False)
    json.dumps(force.about, allow_nan=False)
    metrics = result.metrics
    assert metrics["units"] == 40 and metrics["active_units"] == spikes.active.sum()
    assert metrics["mean_force"] == pytest.approx(force.between(0.5, 3).values.mean())
    assert metrics["start_s"] == 0.5
    assert force.about["statistics"]["mean_force"] == metrics["mean_force"]
    assert result.signals["force_percent_mvc"].values.mean() == pytest.approx(
        100 * force.values.mean() / metrics["maximum_force"]
    )
    assert [len(panel.layers) for panel in result.figures[0].panels] == [1, 1, 1]
    assert all(len(row) == 2 for row in result.tables[0].rows)
    assert result.provenance["parameters"]["model"]["twitch_range"] == 100
    assert len(result.spikes["motor units"]) == 40


def test_thresholds_that_came_with_the_spikes_are_used(spikes):
    model, note = default_model(spikes)
    np.testing.assert_array_equal(model.thresholds, spikes.annotations["recruitment_threshold"])
    assert "came with the spikes" in note
    bare = SpikeTrains(spikes.times_s, spikes.starts, spikes.t_stop_s)
    model, note = default_model(bare, twitch_range=50)
    np.testing.assert_array_equal(model.thresholds, recruitment_thresholds(40, 100))
    assert model.twitch_range == 50 and "No recruitment thresholds" in note
    assert any("No recruitment thresholds" in note for note in force_from_spikes(bare).notes)


def test_neo_and_some_units(spikes):
    import neo
    import quantities as pq

    model = FuglevandForce.of_pool(POOL)
    segment = neo.Segment()
    for u in (3, 7):
        segment.spiketrains.append(neo.SpikeTrain(spikes[u] * pq.s, t_stop=3 * pq.s, unit_index=u))
    placed = force_from_spikes(segment, model, 1000)
    listed = force_from_spikes(spikes.select([3, 7]), model, 1000, units=[3, 7])
    np.testing.assert_allclose(
        placed.signals["force"].values, listed.signals["force"].values, rtol=1e-9, atol=1e-12
    )
    assert placed.metrics["units"] == listed.metrics["units"] == 40
    assert placed.metrics["active_units"] == listed.metrics["active_units"] == 2


def test_short_and_silent_recordings():
    result = force_from_spikes(SpikeTrains.from_trains([[], [0.01]], 0.02), rate_hz=1000)
    assert result.metrics["start_s"] == 0
    silent = force_from_spikes(SpikeTrains.from_trains([[], []], 2.0))
    assert silent.metrics["force_cv"] is None and silent.metrics["mean_rate_pps"] is None
    json.dumps(silent.metrics, allow_nan=False)


def test_bad_input(spikes):
    with pytest.raises(ParameterError, match=r"^force_from_spikes\.units: "):
        force_from_spikes(spikes, units=range(40))
    with pytest.raises(ParameterError, match=r"^force_from_spikes\.settle_s: "):
        force_from_spikes(spikes, settle_s=float("nan"))
    with pytest.raises(ParameterError, match=r"rate_hz"):
        force_from_spikes(spikes, rate_hz=-5)
    with pytest.raises(ParameterError, match="40 units were given for 3 thresholds"):
        force_from_spikes(spikes, FuglevandForce([1, 2, 3]))
    with pytest.raises(ParameterError, match="give SpikeTrains"):
        force_from_spikes("spikes.csv")
