import json

import numpy as np
import pytest

from myoloop.data import silent
from myoloop.errors import ParameterError
from myoloop.studies.intramuscular_array import STUDY

SMALL = {"contacts": 5, "pitch_mm": 4.5, "ramp_s": 1.0, "plateau_s": 2.0, "direct_fibres": 2}


@pytest.fixture(scope="module")
def small():
    return STUDY(silent, quick=True, seed=1, changes=SMALL)


def test_claims_other_than_ranges_of_amplitude_hold(small):
    """Whether amplitudes are those of recordings is for the anatomy; see the report."""
    assert len(small.claims) == 12
    broken = [claim.name for claim in small.claims if not claim.holds]
    assert [name for name in broken if "potential of a unit" not in name] == []


def test_metrics(small):
    metrics = small.metrics
    json.dumps(metrics, allow_nan=False)
    for name in ("muap_peak_uV", "muap_peak_needle_uV"):
        assert 0 < metrics[name]["min"] < metrics[name]["median"] < metrics[name]["max"]
    assert metrics["units_within_reach"]["array"] <= metrics["recruited_units"]
    assert set(metrics["wall_s"]) == {"geometry", "action_potentials", "synthesis"}
    assert metrics["spectra"]["needle"]["median_hz"] > 150  # well above that of the skin


def test_figures(small):
    names = [figure.name for figure in small.figures]
    assert names[:6] == ["raster", "recruitment", "emg", "action-potentials", "amplitudes", "needle"]
    assert names[6:] == ["spectrum", "territories", "electrodes"]


def test_both_electrodes_record_the_same_discharges(small):
    array, needle = small.recordings["array"], small.recordings["needle"]
    assert len(array) == 5
    assert needle.channels == ("CORE-CANNULA",)
    assert array.truth.spikes is needle.truth.spikes
    assert array.electrodes.intramuscular
    assert np.all(np.isfinite(array.values_uV))


def test_bad_parameters():
    with pytest.raises(ParameterError, match=r"^IntramuscularArray\.contacts: "):
        STUDY(silent, changes={"contacts": 1})
    with pytest.raises(ParameterError, match=r"^ThinFilmArray\.depth_mm: "):
        STUDY(silent, quick=True, changes={"depth_mm": 10.0})
