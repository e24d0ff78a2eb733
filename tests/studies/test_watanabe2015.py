"""The study watanabe2015, scaled down; the full size is marked slow."""

import json

import numpy as np
import pytest

from myoloop.cli import main
from myoloop.data import silent
from myoloop.errors import ParameterError, UnknownNameError
from myoloop.studies import STUDIES

KEYS = {
    "offset_pps",
    "offset_ratio",
    "force_mean",
    "coherence_20hz",
    "coherence_limit",
    "active_units",
    "rate_pps",
    "isi_cv",
    "wall_s",
    "x_real_time",
}


@pytest.fixture(scope="module")
def quick():
    return STUDIES["watanabe2015"](silent, quick=True, threads=1)


def test_every_claim_holds_in_the_scaled_down_run(quick):
    assert [claim.name for claim in quick.claims if not claim.holds] == []
    assert len(quick.claims) == 6


def test_the_metrics_have_the_promised_keys(quick):
    assert set(quick.metrics) >= KEYS
    for key in ("force_mean", "coherence_20hz"):
        assert set(quick.metrics[key]) == {"constant", "oscillating", "matched"}
    assert set(quick.metrics["rate_pps"]) == {"mean", "sd"}
    assert set(quick.metrics["wall_s"]) == {"total", "simulate"}
    json.dumps(quick.metrics)


def test_the_oscillation_is_what_couples_the_pool_to_the_drive(quick):
    coherence = quick.metrics["coherence_20hz"]
    assert coherence["oscillating"] > 3 * coherence["constant"]
    assert coherence["matched"] > 3 * coherence["constant"]


def test_the_result_carries_its_recordings_and_figures(quick):
    assert quick.spikes["MN"].duration_s == pytest.approx(9.0)
    assert quick.signals["force"].rate_hz == 2048.0
    assert len(quick.signals["force"]) == pytest.approx(9.0 * 2048, abs=1)
    assert {figure.name for figure in quick.figures} >= {
        "overview",
        "membrane-potentials",
        "raster",
        "force-by-phase",
        "coherence",
    }


def test_the_same_seed_gives_the_same_numbers():
    study = STUDIES["watanabe2015"]
    small = {"motor_neurons": 40, "phase_s": 2.0, "condition_s": 1.5, "settle_s": 0.4, "ramp_s": 1.0}
    once, again = (study(silent, seed=3, quick=True, changes=small) for _ in range(2))
    assert once.metrics["force_mean"] == again.metrics["force_mean"]
    assert np.array_equal(once.signals["force"].values, again.signals["force"].values)


@pytest.mark.parametrize(
    "change", [{"motor_neurons": 0}, {"probability": 1.2}, {"phase_s": 1.0}, {"weight_uS": "1 mV"}]
)
def test_parameters_that_make_no_sense_are_refused(change):
    with pytest.raises(ParameterError):
        STUDIES["watanabe2015"].with_changes(False, change)


def test_an_unknown_parameter_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match="motor_neurons"):
        STUDIES["watanabe2015"].with_changes(False, {"motor_neuron": 3})


@pytest.mark.slow
def test_the_full_study_holds_and_writes_all_its_files(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(SystemExit) as done:
        main(["run", "watanabe2015", "--out", str(out), "--threads", "2"])
    assert done.value.code in (0, None)
    metrics = json.loads((out / "metrics.json").read_text())
    assert all(claim["holds"] for claim in metrics["claims"])
    for name in ("report.html", "provenance.json", "recording.nwb", "figures/overview.svg"):
        assert (out / name).stat().st_size > 0
