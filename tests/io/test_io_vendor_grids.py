"""Where the channels of electrode grids lie: by what was published, and on a real muscle."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt

from myoloop.io import read_recording, read_spikes
from myoloop.io._vendor._grids import grid_code, grid_electrodes, grid_size

GRIDS = ["GR04MM1305", "GR08MM1305", "HD04MM1305", "HD08MM1305", "GR10MM0808", "HD10MM0808"]
SMALL = ["GR10MM0804", "HD10MM0804", "HD05MM0804"]


@pytest.mark.parametrize("code", GRIDS + SMALL)
def test_a_known_grid_has_each_channel_at_a_place_of_its_own(code):
    """Places fill the grid, but for one corner of 13 x 5; consecutive channels are mostly neighbours."""
    n = 64 if code in GRIDS else 32
    rows, columns = int(code[-4:-2]), int(code[-2:])
    assert grid_size(f"a muscle - {code}") == n
    electrodes = grid_electrodes(code, range(1, n + 1))
    place = electrodes.place
    assert len(np.unique(place, axis=0)) == n
    assert (place.max(axis=0) < (rows, columns)).all() and place.min() == 0
    assert electrodes.pitch_mm == float(code[2:4])
    empty = {(r, c) for r in range(rows) for c in range(columns)} - set(map(tuple, place.tolist()))
    assert len(empty) == rows * columns - n
    assert all(r in (0, rows - 1) and c in (0, columns - 1) for r, c in empty)
    steps = np.abs(np.diff(electrodes.position_mm, axis=0)).sum(axis=1) / electrodes.pitch_mm
    assert np.sum(steps == 1) >= n - columns
    assert np.array_equal(place[:, 0] - (rows - 1) / 2, electrodes.position_mm[:, 2] / electrodes.pitch_mm)


def test_places_that_the_makers_of_two_programs_published():
    """Corners of the channel maps of MUedit (formatsignalHDEMG) and openhdemg (sort_rawemg)."""

    def at(code, n, *places):
        place = grid_electrodes(code, range(1, n + 1)).place.tolist()
        return [place.index(list(one)) + 1 for one in places]

    ends = (1, 0), (12, 0), (12, 1), (0, 1), (0, 4), (12, 4)
    assert at("GR08MM1305", 64, *ends) == [1, 12, 13, 25, 52, 64]
    assert at("HD08MM1305", 64, (1, 4), (12, 4), (0, 3), (12, 3), (0, 0), (12, 0)) == [1, 12, 13, 25, 52, 64]
    assert at("GR10MM0808", 64, (0, 0), (7, 0), (0, 7), (7, 7)) == [8, 1, 64, 57]
    assert at("GR10MM0804", 32, (0, 0), (7, 0), (0, 3), (7, 3)) == [32, 25, 8, 1]
    assert at("HD10MM0804", 32, (0, 0), (7, 0), (0, 3), (7, 3)) == [1, 8, 25, 32]


def test_an_unknown_order_is_not_guessed():
    assert grid_code("x - GR100ML1305 (1)") == "GR100ML1305"
    assert grid_electrodes("GR100ML1305", range(1, 65)) is None
    assert grid_electrodes("GR08MM1305", [1, 65]) is None
    assert grid_electrodes("GR08MM1305", [1, 1]) is None
    assert grid_code("AUX IN 1") is None


@pytest.fixture(scope="module")
def real_file():
    folder = os.environ.get("MYOLOOP_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data"
    path = Path(folder) / "otb_vastus_lateralis_64ch.mat"
    if not path.is_file():
        pytest.skip(f"no {path}; set MYOLOOP_DATA to the folder that holds it")
    return path


def test_the_real_recording(real_file):
    recording, trains = read_recording(real_file), read_spikes(real_file)
    assert recording.values_uV.shape == (64, 66560) and recording.values_uV.dtype == np.float32
    assert (recording.rate_hz, recording.t_start_s) == (2048.0, 7.0)
    assert trains.counts.tolist() == [137, 154, 197, 293, 292]
    (force,) = recording.auxiliary
    assert force.units == "% MVC" and 25 < force.values.max() < 30


def test_the_map_of_the_real_grid_is_true_to_the_skin(real_file):
    """Correlation falls with distance; action potentials run along columns at a speed of muscle fibres."""
    recording, trains = read_recording(real_file), read_spikes(real_file)
    band = butter(3, [20, 450], "bandpass", fs=2048, output="sos")
    values = sosfiltfilt(band, recording.values_uV.astype(float))
    place = recording.electrodes.place
    distance = np.linalg.norm(place[:, None] - place[None], axis=-1)
    alike = np.corrcoef(values)
    rings = [alike[(distance > low) & (distance <= low + 1)].mean() for low in (0.5, 1.5, 2.5, 3.5, 5.5, 7.5)]
    assert np.all(np.diff(rings) < -0.01) and rings[0] > 0.9
    assert alike[distance == 1].min() > 0.8

    at = {tuple(p): i for i, p in enumerate(place.tolist())}
    spikes = np.rint((trains[3] - recording.t_start_s) * 2048).astype(int)
    spikes = spikes[(spikes > 60) & (spikes < 66500)]
    shape = np.mean([values[:, t - 50 : t + 50] for t in spikes], axis=0)

    def delay_ms(one, other):
        fine = np.arange(0, 99, 0.05)
        a, b = (np.interp(fine, np.arange(100), x) for x in (one, other))
        return (np.correlate(b, a, "full").argmax() - len(fine) + 1) * 0.05 / 2.048

    pairs = {(r, c): shape[at[r + 1, c]] - shape[at[r, c]] for r in range(12) for c in (1, 2, 3)}
    along = [delay_ms(pairs[r, c], pairs[r + 1, c]) for r in range(1, 5) for c in (1, 2, 3)]
    across = [delay_ms(pairs[r, c], pairs[r, c + 1]) for r in range(1, 5) for c in (1, 2)]
    speed = 8.0 / np.abs(np.median(along))
    assert np.all(np.array(along) < 0), "all run one way, up the columns"
    assert 3.0 < speed < 6.5
    assert np.median(np.abs(across)) < 0.4 * np.abs(np.median(along))
