"""Analyses of a real recording against the numbers of an independent program.

The numbers are those of openhdemg 0.2.0b2 for the five units that the amplifier's software found. It
takes the discharges 8 samples earlier than the file has them, for the delay of that software's filters.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from myoloop.analysis import (
    delta_f,
    discharge_rates,
    discharge_variability,
    force_cv,
    force_thresholds,
    smoothed_rates,
    spike_triggered_average,
    unit_conduction_velocities,
)
from myoloop.data import Electrodes, Recording, Signal, SpikeTrains

ROOT = Path(__file__).resolve().parents[2]
FILE = Path(os.environ.get("MYOLOOP_DATA", ROOT / ".." / "shared" / "data")) / "otb_vastus_lateralis_64ch.mat"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"needs the recording {FILE.name} in MYOLOOP_DATA")

RATE_HZ = 2048.0
AMPLITUDES_UV = [
    943.5500568473426,
    349.9183829062945,
    430.1171205122459,
    483.6758392443022,
    301.85055038782014,
]
RECRUITMENT = [
    7.036041736602783,
    20.405792236328125,
    12.491059303283691,
    6.500458240509033,
    6.798004627227783,
]
DERECRUITMENT = [
    12.312531471252441,
    17.906402587890625,
    12.312531471252441,
    7.373260974884033,
    6.619476795196533,
]
DELAY = 8
PLATEAU_S = 15000 / RATE_HZ, 50000 / RATE_HZ


@pytest.fixture(scope="module")
def contraction():
    from scipy.io import loadmat

    contents = loadmat(FILE, squeeze_me=True)
    names = [str(name) for name in contents["Description"]]
    data = contents["Data"]
    units = [k for k, name in enumerate(names) if "Decomposition of" in name]
    force = next(k for k, name in enumerate(names) if "acquired data" in name)
    trains = [(np.flatnonzero(data[:, k] > 0) - DELAY) / RATE_HZ for k in units]
    spikes = SpikeTrains.from_trains(trains, len(data) / RATE_HZ)
    return spikes, Signal(data[:, force].astype(float), RATE_HZ, "% MVC"), Recording(data[:, :64].T, RATE_HZ)


def test_thresholds(contraction):
    spikes, force, _ = contraction
    found = force_thresholds(spikes, force, mvc=100.0)
    assert found.recruitment == pytest.approx(RECRUITMENT, rel=1e-9)
    assert found.derecruitment_percent_mvc == pytest.approx(DERECRUITMENT, rel=1e-9)


def test_rates(contraction):
    found = discharge_rates(contraction[0], plateau_s=PLATEAU_S)
    expected = {
        "recruitment_pps": [3.341579328, 5.701080828, 5.699016723, 7.548769621, 8.344514726],
        "derecruitment_pps": [4.606835272, 4.662195794, 3.691367309, 5.449580609, 5.333535270],
        "plateau_start_pps": [6.796490987, 7.393645285, 9.007504636, 11.788778605, 11.254444705],
        "plateau_end_pps": [7.477074938, 6.588339334, 7.597968357, 10.775369792, 10.234206331],
        "plateau_pps": [7.746770289, 6.938368650, 8.222266045, 11.194588584, 10.789144819],
        "all_pps": [7.608025131, 6.814686603, 7.949293910, 10.693075603, 10.543010894],
    }
    for name, numbers in expected.items():
        assert getattr(found, name) == pytest.approx(numbers, rel=1e-8), name


def test_variability(contraction):
    spikes, force, _ = contraction
    interval = discharge_variability(spikes, plateau_s=PLATEAU_S)
    rate = discharge_variability(spikes, plateau_s=PLATEAU_S, of="rate")
    percent = {
        "recruitment": [67.000002078, 8.600650801, 15.862535266, 16.442141792, 12.922113193],
        "derecruitment": [36.934422912, 24.007405370, 40.457481602, 38.576406409, 13.080767778],
        "plateau": [75.431903199, 11.383488890, 9.588315016, 6.536461750, 7.971806564],
        "all": [77.241911908, 16.319474195, 23.324502523, 19.104306246, 15.408738722],
    }
    for name, numbers in percent.items():
        assert 100 * getattr(interval, name) == pytest.approx(numbers, rel=1e-8), name
    assert 100 * rate.all == pytest.approx(
        [69.432811539, 13.963463153, 14.445246579, 12.803702865, 12.216072903], rel=1e-8
    )
    steady = force.between(15000 / RATE_HZ, 50001 / RATE_HZ)
    assert 100 * force_cv(steady) == pytest.approx(1.332147481221954, rel=1e-9)


def test_the_average_has_the_amplitudes_of_the_other_program(contraction):
    spikes, _, recording = contraction
    potentials = spike_triggered_average(recording, spikes)
    assert potentials.values_uV.shape == (5, 64, 102)
    assert potentials.peak_to_peak_uV.max(axis=1) == pytest.approx(AMPLITUDES_UV, rel=1e-6)


def test_delta_f_is_of_the_size_that_support_vector_regression_gives(contraction):
    """Means over the accepted control units: 2.71 and 1.84 pps there, with other fits of the rates."""
    spikes = contraction[0]
    found = delta_f(spikes, smoothed_rates(spikes))
    assert np.isfinite(found.unit_delta_f_pps).tolist() == [False, True, True, False, False]
    assert found.unit_delta_f_pps[1:3] == pytest.approx([2.71, 1.84], abs=0.15)


def test_velocities_are_those_of_muscle_fibres(contraction):
    """Channels run up and down the columns of the 13 x 5 grid; the first corner has no contact.

    Double differential channels of one column give 3.6 to 4.6 m/s with the other program.
    """
    spikes, _, recording = contraction
    column, row = np.divmod(np.arange(1, 65), 13)
    row = np.where(column % 2 == 1, 12 - row, row)
    position = np.stack([8.0 * column, 0.0 * column, 8.0 * row], axis=1)
    electrodes = Electrodes(position, place=np.stack([row, column], axis=1), pitch_mm=8.0)
    found = unit_conduction_velocities(spike_triggered_average(recording, spikes), electrodes)
    known = np.isfinite(found.velocity_m_per_s)
    assert known.sum() >= 4
    speed = np.abs(found.velocity_m_per_s[known])
    assert speed.min() > 3.3
    assert speed.max() < 4.7
