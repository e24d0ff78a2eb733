import dataclasses
import importlib.util
import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from myoloop.data import SpikeTrains
from myoloop.decompose import UnitQuality, score
from myoloop.emg import EMG, Circle, LayeredCylinder, Muscle, SurfaceGrid
from myoloop.errors import ParameterError, UnknownNameError
from myoloop.studies._decompose_benchmark_figures import draw_all
from myoloop.studies._decompose_benchmark_judge import (
    KINDS,
    calibration,
    compare,
    condition_metrics,
    condition_table,
    pooled,
    wrong_table,
)
from myoloop.studies._decompose_benchmark_scene import Condition, noisy, pairs
from myoloop.studies.decompose_benchmark import STUDY, DecomposeBenchmark
from myoloop.viz import draw

FDI = "first_dorsal_interosseous"
CENTRE = Condition(FDI, "surface", 30.0, 20.0)


@pytest.fixture(scope="module")
def small():
    seen = []
    result = STUDY(
        lambda stage, done, total, unit="s": seen.append((stage, done, total)),
        quick=True,
        seed=1,
        changes={"muscles": FDI, "plateau_s": 5.0},
    )
    assert ("conditions", 1, 1) in seen
    return result


def test_each_condition_has_the_upper_bound_beside_it(small):
    (found,) = small.metrics["conditions"].values()
    assert list(small.metrics["conditions"]) == [CENTRE.name]
    assert found["active"] >= found["active_20_spikes"] >= found["upper_bound_units"] > 5
    assert found["units"] >= found["accepted"] >= found["good"] > 5
    assert found["precision"] == found["good"] / found["accepted"]
    assert found["roa_mean"] <= found["f1_mean"] <= found["f1_mean_matched"] <= 1
    assert sum(found["kinds"].values()) == found["units"]
    assert found["cpu_s"] > 0
    margins = small.metrics["reference"]["margins"]
    assert margins == {FDI: found["good"] - found["upper_bound_units"]}


def test_what_is_reported(small):
    json.dumps(small.metrics, allow_nan=False)
    assert [figure.name for figure in small.figures] == ["units", "agreement", "flags", "raster"]
    assert all(len(row) == len(table.columns) for table in small.tables for row in table.rows)
    assert {"Conditions", "Flags and the truth"} <= {table.title for table in small.tables}
    assert len(small.claims) == 3
    assert small.claims[1].ours == small.metrics["reference"]["precision"]
    assert set(small.spikes) == {"found", "true"}
    assert small.recordings["surface"].truth.about["snr_db"] == 20.0
    for figure in small.figures:
        draw(figure)


def test_noise_added_afterwards_is_that_of_the_recording():
    muscle = Muscle(Circle(6.0), n_fibres=300, lower_tendon_mm=-16.0, upper_tendon_mm=16.0)
    body = LayeredCylinder(muscle_mm=6.0, fat_mm=1.0, skin_mm=1.0)
    grid = SurfaceGrid(rows=2, columns=2, pitch_mm=5.0).on(body)
    emg = EMG(fibres=muscle.fibres([0.1, 1.0], seed=1), conductor=body, electrodes=grid)
    spikes = SpikeTrains.from_trains([np.arange(0.5, 3.0, 0.1), np.arange(1.0, 2.5, 0.07)], 4.0)
    clean, theirs = emg.record(spikes, seed=2), emg.record(spikes, snr_db=10.0, seed=2)
    ours = noisy(clean, 10.0, 2)
    # Equal but for the order in which the power is summed.
    np.testing.assert_allclose(ours.values_uV, theirs.values_uV, rtol=1e-5, atol=1e-3)
    noise = ours.values_uV - clean.values_uV
    assert np.std(noise) == pytest.approx(ours.truth.about["noise"]["parts"][0]["rms_uV"], rel=0.03)


def test_conditions():
    assert pairs("centre", True) == ((30.0, 20.0),)
    assert len(pairs("cross", True)) == len(pairs("most", False)) == 5
    assert len(set(pairs("all", False))) == len(pairs("most", True)) == 9
    listed = DecomposeBenchmark().listed()
    assert len(listed) == len(set(listed)) == 9 + 4 * 5 + 5
    assert sum(condition.is_reference for condition in listed) == 5
    runs = [(one.muscle, one.electrodes, one.percent_mvc) for one in listed]
    changes = sum(a != b for a, b in itertools.pairwise(runs))
    assert changes + 1 == len(set(runs))  # each clean recording is made once


def five_kinds(flags):
    """A good unit, the same again, a merged one, one of which 60 % are another's spikes, a false one."""
    rng = np.random.default_rng(5)
    a, b, c, d = (np.cumsum(rng.uniform(0.06, 0.14, 180)) for _ in range(4))
    copy = np.delete(a, [3, 9, 12])
    merged = np.sort(np.concatenate([b, c]))
    part = np.sort(np.concatenate([d[:108], rng.uniform(0, d[-1], 200)]))
    false = np.sort(rng.uniform(0, 18.0, 150))
    truth = SpikeTrains.from_trains([a, b, c, d], 26.0)
    names = np.array([f"MU{k}" for k in range(5)])
    found = SpikeTrains.from_trains([a, copy, merged, part, false], 26.0, annotations={"unit_id": names})
    numbers = np.full(5, 0.95)
    quality = UnitQuality(numbers, 30 * numbers, numbers / 4, 10 * numbers, 0 * numbers, flags)
    return compare(CENTRE, truth, found, quality, score(truth, truth), (1.0, 2.0))


def test_units_are_what_they_were_made_to_be():
    judged = five_kinds(("", "", "", "", ""))
    assert judged.kinds == KINDS
    found = condition_metrics(judged)
    assert (found["units"], found["accepted"], found["good"], found["upper_bound_units"]) == (5, 5, 1, 4)
    assert found["precision"] == pytest.approx(0.2)
    assert found["f1_mean"] < found["f1_mean_matched"]  # units without a match count as 0
    assert len(wrong_table([judged]).rows) == 4
    assert pooled([judged, judged])["good"] == 2
    assert pooled([judged])["least_margin"] == -3


def test_flags_are_held_against_the_truth():
    flags = ("maybe false: SIL 0.80", "", "maybe merged: 20 % of ISI are short; maybe false: CoV", "", "")
    judged = five_kinds(flags)
    found = calibration([judged])
    assert found["flagged"] == {"units": 2, "good_share": 0.5}
    assert found["unflagged"] == {"units": 3, "good_share": 0.0}
    assert found["maybe_false"] == {"units": 2, "good_share": 0.5}
    assert found["maybe_merged"] == {"units": 1, "good_share": 0.0}
    assert judged.accepted.found == 3
    assert condition_metrics(judged)["good"] == 1  # the copy, once the unit itself is flagged


def test_nothing_found_is_an_answer():
    some = five_kinds(("",) * 5)
    none = np.empty(0)
    judged = compare(
        CENTRE,
        some.truth,
        some.found.select(np.zeros(5, bool)),
        UnitQuality(none, none, none, none, none, ()),
        some.bound,
        (0.0, 0.0),
    )
    found = condition_metrics(judged)
    assert (found["units"], found["precision"], found["f1_mean"], found["roa_mean"]) == (0, None, None, None)
    json.dumps(found, allow_nan=False)
    assert [figure.name for figure in draw_all([judged])] == ["units"]
    assert len(condition_table([judged]).rows) == 1
    assert wrong_table([judged]) is None
    assert not any(claim.judge({"reference": pooled([])}).holds for claim in STUDY.claims)


def test_bad_parameters():
    with pytest.raises(UnknownNameError, match="did you mean 'tibialis_anterior'"):
        STUDY.with_changes(False, {"muscles": "tibialis"})
    with pytest.raises(ParameterError, match=r"^DecomposeBenchmark\.muscles: there is none"):
        STUDY.with_changes(False, {"muscles": "none"})
    with pytest.raises(ParameterError, match=r"^DecomposeBenchmark\.intramuscular: "):
        STUDY.with_changes(False, {"intramuscular": 3})
    with pytest.raises(ParameterError, match=r"^DecomposeBenchmark\.plateau_s: "):
        STUDY.with_changes(False, {"plateau_s": 1})
    assert dataclasses.replace(STUDY.parameters, intramuscular="none").names("intramuscular") == ()


def test_units_that_reproduce_across_seeds():
    path = Path(__file__).parents[2] / "benchmarks" / "decompose.py"
    spec = importlib.util.spec_from_file_location("decompose_bench", path)
    bench = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(bench)
    rng = np.random.default_rng(2)
    a, b, c = (np.cumsum(rng.uniform(0.06, 0.14, 100)) for _ in range(3))
    runs = [SpikeTrains.from_trains(trains, 20.0) for trains in ([a, b], [b, a, c], [a])]
    assert bench.reproducing(runs) == [1, 1, 1]  # b is in one of two others, which is no majority
    assert bench.reproducing(runs[:1]) == [0]
    assert bench.against(runs[2], runs[0]) == [1.0, 0.0]
