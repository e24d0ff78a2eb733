"""What is told of a decomposition: numbers, tables, figures."""

import dataclasses

import numpy as np
import pytest

from myoloop.analysis import draw_action_potentials, draw_discharges
from myoloop.data import (
    ActionPotentials,
    Electrodes,
    GroundTruth,
    Line,
    Raster,
    Recording,
    Signal,
    SpikeTrains,
)
from myoloop.decompose import (
    ConvolutiveBSS,
    Decomposer,
    Decomposition,
    SeparationFilters,
    score,
    unit_quality,
)
from myoloop.errors import ParameterError
from myoloop.studies._decompose_figures import decomposition_figures, force_of
from myoloop.studies.decompose import (
    agreement_of,
    channel_table,
    decompose_recording,
    key_numbers,
    unit_table,
)
from myoloop.viz import save

RATE_HZ, STOP_S, SIDE, UNITS, START_S = 2048.0, 10.0, 6, 5, 3.0


def simulated(noise_uV=5.0):
    """Potentials that run along the rows of a grid, at the discharges of units with rates of their own."""
    rng = np.random.default_rng(1)
    row, column = np.divmod(np.arange(SIDE * SIDE), SIDE)
    time_ms = np.arange(60) / RATE_HZ * 1e3
    samples = round(STOP_S * RATE_HZ)
    values = noise_uV * rng.standard_normal((SIDE * SIDE, samples + 100))
    shapes, trains = [], []
    for unit in range(UNITS):
        delay = 6 + rng.uniform(0.8, 1.6) * np.abs(row - rng.uniform(1, 4))
        z = (time_ms - delay[:, None]) / rng.uniform(0.9, 1.8)
        weight = (60 + 30 * unit) * np.exp(-0.5 * ((column - rng.uniform(0, 5)) / 1.2) ** 2)
        shapes.append(weight[:, None] * (1 - z**2) * np.exp(-(z**2) / 2))
        at = np.cumsum(rng.normal(1, 0.12, 300) / (8 + unit))
        at = np.rint(at[at < STOP_S - 0.1] * RATE_HZ).astype(int)
        trains.append(START_S + at / RATE_HZ)
        for s in at:
            values[:, s : s + 60] += shapes[-1]
    place = np.stack([row, column], axis=1)
    grid = Electrodes(8.0 * np.stack([column, 0 * row, row], axis=1), place=place, pitch_mm=8.0)
    truth = GroundTruth(
        SpikeTrains.from_trains(trains, START_S + STOP_S, START_S),
        ActionPotentials(np.array(shapes, np.float32), RATE_HZ, 0.0, grid.names),
    )
    force = Signal(np.linspace(0, 20, 1000), 100.0, "N", START_S, "load cell")
    return Recording(
        values[:, :samples].astype(np.float32), RATE_HZ, grid, truth, START_S, auxiliary=(force,)
    )


@pytest.fixture(scope="module")
def known():
    """A recording with two bad channels, its method after the fit, what the sink was given, the result."""
    recording = simulated()
    values = recording.values_uV.copy()
    values[7] = 0.0
    values[9] = np.nan
    recording = dataclasses.replace(recording, values_uV=values)
    method, given = ConvolutiveBSS(seed=2), []
    result = decompose_recording(recording, method, sink=lambda *what: given.append(what))
    return recording, method, given, result


def nothing(recording):
    """A decomposition without units."""
    kept = np.arange(len(recording))
    filters = SeparationFilters(
        np.empty((0, len(kept), 8), np.float32), RATE_HZ, 0, kept, np.ones(len(kept)), np.empty((0, 2))
    )
    trains = SpikeTrains.from_trains(
        [], START_S + STOP_S, START_S, annotations={"unit_id": np.array([], dtype=np.str_)}
    )
    sources = np.empty((0, 10), np.float32)
    return Decomposition(trains, sources, filters, unit_quality(sources, [], RATE_HZ), notes=("No unit.",))


def test_the_numbers_are_those_of_the_library(known):
    recording, method, given, result = known
    found = method.decomposition_
    assert [one[0] for one in given] == [found]
    metrics = result.metrics
    assert metrics["units"] == len(found) == UNITS
    assert metrics["accepted_units"] == sum(flag == "" for flag in found.quality.flag)
    assert metrics["spikes"] == len(found.spikes.times_s)
    assert metrics["sil"]["median"] == pytest.approx(np.median(found.quality.sil))
    assert metrics["cov_isi"]["max"] == pytest.approx(found.quality.cov_isi.max())
    assert metrics["agreement"] == score(found.spikes, recording.truth.spikes).metrics()
    assert metrics["upper_bound_units"] == UNITS
    assert metrics["bad_channels"] == 2
    assert metrics["cpu_s"] > 0
    assert "250 ms" in metrics["definitions"]["cov_isi"]
    assert result.spikes["motor units"] is found.spikes
    assert result.provenance["seed"] == 2
    assert set(key_numbers(metrics)) < {*metrics, "median"}


def test_units_have_their_numbers_and_the_true_unit_beside(known):
    given = known[2]
    found, agreement = given[0]
    table = unit_table(found, agreement.all)
    assert table.columns[:6] == ("unit_id", "spikes", "sil", "pnr", "cov_isi", "rate")
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    assert [row["unit_id"] for row in rows] == list(found.unit_ids)
    assert [row["spikes"] for row in rows] == found.spikes.counts.tolist()
    assert {row["matched_unit"] for row in rows} == {str(unit) for unit in range(UNITS)}
    amplitudes = [row["amplitude_uV"] for row in rows]
    assert amplitudes == sorted(amplitudes, reverse=True)
    assert rows[0]["channel"] in found.action_potentials.channels
    assert all(row["flag"] is None or row["flag"] for row in rows)
    assert "f1" not in unit_table(found).columns


def test_channels_have_their_reason_and_no_number_is_made_up(known):
    recording, method, _, _ = known
    table = channel_table(recording, method.decomposition_)
    rows = {row[0]: row[1:] for row in table.rows}
    assert len(rows) == SIDE * SIDE
    assert rows["E08"][:3] == ("bad", "flat", 0.0)
    assert rows["E10"][0] == "bad"
    assert np.isnan(rows["E10"][2])
    assert np.isnan(rows["E10"][3])
    assert rows["E01"][:2] == ("good", None)
    assert rows["E01"][2] == pytest.approx(np.std(recording.values_uV[0], dtype=float))
    assert 0 < rows["E01"][3] <= rows["E01"][2]


def test_figures_show_all_parts_and_can_be_drawn(known, tmp_path):
    result = known[3]
    figures = {figure.name: figure for figure in result.figures}
    assert list(figures) == ["discharges", "sources", "action-potentials", "quality", "agreement", "channels"]
    assert "load cell" in figures["discharges"].panels[0].layers[0].label
    reasons = [layer.label for layer in figures["channels"].panels[0].layers]
    assert "E08: flat" in reasons
    (panel,) = figures["agreement"].panels
    assert [layer.label for layer in panel.layers[:2]] == ["F1", "upper bound"]
    assert all(figure.caption for figure in result.figures)
    for name in ("sources", "quality", "agreement", "channels"):  # the others are drawn with the analysis
        assert save(figures[name], tmp_path)[0].stat().st_size > 1000


def test_dots_of_the_sources_are_the_discharges_in_the_window(known):
    _, method, _, result = known
    found = method.decomposition_
    panel = next(figure for figure in result.figures if figure.name == "sources").panels[0]
    dots = [layer for layer in panel.layers if isinstance(layer, Line) and layer.marker]
    start, stop = panel.x_range
    for unit, dot in enumerate(dots):
        train = found.spikes[unit]
        np.testing.assert_allclose(dot.x, train[(train >= start) & (train < stop)], atol=0.6 / RATE_HZ)
        height = dot.y - unit - 1
        assert np.all(height > 0)
    # the curve reaches every dot: nothing is lost by thinning it
    curve, dot = (layer for layer in panel.layers[:2])
    assert np.all(np.isin(dot.y.astype(float), curve.y))


def test_a_reference_is_compared_in_the_time_that_both_share(known):
    recording, method, _, _ = known
    found, truth = method.decomposition_, recording.truth.spikes
    half = START_S + STOP_S / 2
    part = agreement_of(found, truth.between(START_S, half))
    assert part.all.f1_mean > 0.98
    assert not part.is_truth
    assert part.reference.t_stop_s == half
    with pytest.raises(ParameterError, match="the time of the recording"):
        decompose_recording(recording, method, reference=SpikeTrains.from_trains([[0.5]], 2.0))


def test_accepted_units_are_scored_for_themselves(known):
    recording, method, _, _ = known
    found = method.decomposition_
    quality = dataclasses.replace(found.quality, flag=("maybe false: a test", *found.quality.flag[1:]))
    agreement = agreement_of(dataclasses.replace(found, quality=quality), recording.truth.spikes)
    assert agreement.all.found == UNITS
    assert agreement.accepted.found == UNITS - 1


def test_no_units_are_an_answer(known):
    recording = known[0]

    class FindsNothing(Decomposer):
        def fit(self, recording, progress=None):
            self.decomposition_ = nothing(recording)
            return self

        def transform(self, recording, progress=None):
            raise NotImplementedError

        def get_params(self):
            return {}

    result = decompose_recording(recording, FindsNothing(), bound=False)
    assert result.metrics["units"] == 0
    assert result.metrics["sil"] == {"median": None, "min": None, "max": None}
    assert [figure.name for figure in result.figures] == ["channels"]
    assert "No unit." in result.notes


def test_the_force_is_told_from_other_signals():
    recording = simulated()
    (force,) = recording.auxiliary
    accelerations = Signal(np.zeros((10, 3)), 100.0, "g", name="acc")
    trigger = Signal(np.zeros(10), 100.0, "V", name="trigger")
    path = Signal(np.zeros(10), 100.0, "% MVC", name="acquired data")
    for beside, expected in (
        ((accelerations, trigger), None),
        ((accelerations, force), force),
        ((trigger, path), path),
    ):
        assert force_of(dataclasses.replace(recording, auxiliary=beside)) is expected


def test_channels_without_places_are_drawn_in_a_column(known):
    recording, method, _, _ = known
    unplaced = dataclasses.replace(recording, electrodes=None, channels=recording.channels)
    figures = decomposition_figures(unplaced, method.decomposition_, None)
    assert [figure.name for figure in figures] == [
        "discharges", "sources", "action-potentials", "quality", "channels",
    ]  # fmt: skip
    assert len(figures[-1].panels) == 1
    rows = [line.y.mean() for line in figures[2].panels[0].layers]
    assert np.all(np.diff(rows) > 0.5)


def test_figures_of_the_analysis_count_from_any_number_and_take_names(known):
    recording, method, _, _ = known
    found = method.decomposition_
    plain, counted = draw_discharges(found.spikes), draw_discharges(found.spikes, first_unit=1)
    for one, first in ((plain, 0), (counted, 1)):
        raster = next(layer for layer in one.panels[0].layers if isinstance(layer, Raster))
        assert raster.spikes.units.min() == first
        np.testing.assert_array_equal(raster.spikes.times_s, found.spikes.times_s)
        low, high = one.panels[1].y_range
        assert low < first - 0.5 < first + UNITS - 0.5 < high
    kept = recording.electrodes.select(found.filters.kept)
    titles = [
        p.title for p in draw_action_potentials(found.action_potentials, kept, [1], names="ABCDE").panels
    ]
    assert titles[0].startswith("B: ")
