import json

import numpy as np
import pytest

from myoloop.data import silent
from myoloop.errors import ParameterError, UnknownNameError
from myoloop.studies.fuglevand1993 import STUDY


@pytest.fixture(scope="module")
def quick():
    return STUDY(silent, quick=True, seed=3)


def test_all_claims_hold(quick):
    assert len(quick.claims) == 18
    assert [claim.name for claim in quick.claims if not claim.holds] == []


def test_simulation_meets_the_equations(quick):
    for force in quick.metrics["force_percent"].values():
        for level, exact in force["exact"].items():
            assert force["regular"][level] == pytest.approx(exact, abs=0.05)
            assert force["variable"][level] == pytest.approx(exact, abs=4)
        assert force["exact"]["100"] == pytest.approx(100)
    ratios = quick.metrics["force_over_twitch"]
    np.testing.assert_allclose(list(ratios["simulated"].values()), list(ratios["exact"].values()), rtol=2e-3)
    assert quick.metrics["isi_cv"]["narrow"] == pytest.approx(0.2, abs=0.01)
    assert quick.metrics["maximum_excitation"] == pytest.approx({"narrow": 57, "broad": 97})


def test_what_is_reported(quick):
    json.dumps(quick.metrics, allow_nan=False)
    assert [figure.name for figure in quick.figures] == [
        "force-excitation",
        "rates",
        "twitch-and-gain",
        "summation",
    ]
    assert [len(table.rows) for table in quick.tables] == [12, 6]
    assert all(len(row) == len(table.columns) for table in quick.tables for row in table.rows)
    assert set(quick.spikes) == {"regular", "variable"}
    assert set(quick.signals) == {"force.regular", "force.variable"}
    assert quick.provenance["study"] == "fuglevand1993" and quick.provenance["seed"] == 3


def test_same_seed_same_numbers(quick):
    assert STUDY(silent, quick=True, seed=3).metrics == quick.metrics


def test_other_parameters_run_and_progress_is_told():
    seen = []
    changes = {"n": 1, "narrow_range": 5, "isi_cv": 0, "levels": 1, "average_s": 1.0}
    result = STUDY(
        lambda stage, done, total, unit="s": seen.append((stage, done, total)), quick=True, changes=changes
    )
    assert len({stage for stage, _, _ in seen}) == 2 and seen[-1][1] == seen[-1][2]
    json.dumps(result.metrics, allow_nan=False)


def test_bad_parameters():
    with pytest.raises(UnknownNameError, match="did you mean 'levels'"):
        STUDY(silent, changes={"level": 3})
    with pytest.raises(ParameterError, match=r"^Fuglevand1993\.average_s: "):
        STUDY(silent, changes={"average_s": -1})
