import json

import numpy as np
import pytest

from myoloop.cli._write import write_result
from myoloop.data import PointContact, silent
from myoloop.emg import LayeredCylinder
from myoloop.errors import ParameterError
from myoloop.io import OutputFolder, read_bids, read_recording
from myoloop.studies import StudyResult
from myoloop.studies._array_checks import homogeneous_ratio, log_log_fit
from myoloop.studies._array_reciprocity import _from_skin, reciprocity_error
from myoloop.studies.surface_array import STUDY

HAND = LayeredCylinder(muscle_mm=6.91, fat_mm=0.3, skin_mm=1.29, skin_S_per_m=1.0)
PLACES = np.array([2.1, 5.0]), np.array([0.0, 3.0]), np.linspace(0.5, 20.0, 30)


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MYOLOOP_CACHE", str(tmp_path_factory.getbasetemp() / "tables"))
        yield STUDY(silent, quick=True, seed=1, changes={"velocity_units": 3, "checked_units": 2})


def test_claims_hold(quick):
    assert len(quick.claims) == 21
    assert [claim.name for claim in quick.claims if not claim.holds] == []


def test_metrics(quick):
    metrics = quick.metrics
    json.dumps(metrics, allow_nan=False)
    assert len(metrics["cv_set"]) == len(metrics["cv_estimated"]) == 3
    np.testing.assert_allclose(metrics["cv_estimated"], metrics["cv_set"], rtol=0.02)
    peak = metrics["muap_peak_uV"]
    assert peak["min"] < peak["median"] < peak["max"]
    assert set(metrics["wall_s"]) == {"geometry", "action_potentials", "synthesis"}
    assert isinstance(metrics["spectrum_peak_hz"], float)
    slopes = {name: fit["slope"] for name, fit in metrics["amplitude_depth"].items()}
    assert slopes["bipolar"] < slopes["monopolar"] < -1
    assert metrics["force_percent_mvc"] == pytest.approx(30, abs=2)


def test_figures(quick):
    assert [figure.name for figure in quick.figures] == [
        "raster",
        "recruitment",
        "emg",
        "action-potentials",
        "action-potentials-differential",
        "action-potential-maps",
        "spectrum",
        "conduction-velocity",
        "amplitude-depth",
        "territories",
        "electrodes",
    ]


def test_the_recording_carries_its_truth(quick):
    recording = quick.recordings["surface"]
    assert len(recording) == 64
    assert recording.duration_s == pytest.approx(13.0)
    assert recording.auxiliary[0].units == "% MVC"
    truth = recording.truth
    assert len(truth.spikes) == len(truth.action_potentials) == 100
    assert recording.about == {"muscle": "first dorsal interosseous", "task": "ramp"}


def test_recordings_are_written_as_nwb_and_bids(quick, tmp_path):
    recording = quick.recordings["surface"].between(4.0, 4.5)
    result = StudyResult({}, recordings={"surface": recording})
    write_result(OutputFolder(tmp_path / "out"), STUDY, result, nix=False, warnings=[])
    again = read_recording(tmp_path / "out" / "emg-surface.nwb")
    np.testing.assert_array_equal(again.values_uV, recording.values_uV)
    np.testing.assert_array_equal(again.truth.spikes.times_s, recording.truth.spikes.times_s)
    bids = read_bids(tmp_path / "out" / "bids")
    np.testing.assert_allclose(bids.values_uV, recording.values_uV, atol=0.01)
    channels = next((tmp_path / "out" / "bids").rglob("*_acq-surface_channels.tsv"))
    assert "first dorsal interosseous" in channels.read_text()


def test_reciprocity_is_an_equation_and_not_an_identity():
    assert reciprocity_error(HAND, *PLACES) < 1e-12
    assert reciprocity_error(HAND.replace(bone_mm=1.5), *PLACES) < 1e-12
    grid = HAND.frequencies(20.0)
    there = HAND.derivative(*PLACES, PointContact(), grid)
    back = _from_skin(HAND.replace(fat_S_per_m=0.05), *PLACES, grid)
    assert np.linalg.norm(back - there) > 1e-3 * np.linalg.norm(there)


def test_the_ratio_of_the_homogeneous_cylinder_nears_two_as_it_grows():
    small, large = (homogeneous_ratio(radius)[0] - 2 for radius in (100.0, 200.0))
    assert 0 < large < 0.6 * small
    assert large < 0.04


def test_the_fit_finds_a_power_law():
    depth = np.geomspace(1, 10, 8)
    fit = log_log_fit(depth, 3 * depth**-2.5)
    assert fit["slope"] == pytest.approx(-2.5)
    assert np.exp(fit["offset"]) == pytest.approx(3)
    assert fit["r2"] == pytest.approx(1)


def test_bad_parameters():
    with pytest.raises(ParameterError, match=r"^SurfaceArray\.target_percent_mvc: "):
        STUDY(silent, changes={"target_percent_mvc": 120})
    with pytest.raises(ParameterError, match=r"^SurfaceArray\.plateau_s: "):
        STUDY(silent, changes={"plateau_s": 0.5})
