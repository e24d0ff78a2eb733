"""Recordings as Neo objects, there and back."""

from __future__ import annotations

import numpy as np
import pytest
from emg_recordings import assert_same_recording, bare, derived, gaps, whole

from myoloop.data import as_spike_trains
from myoloop.errors import MyoloopError, ParameterError, UnreadableFileError
from myoloop.io import Limits, from_neo, recording_from_neo, recording_to_neo


def with_gaps():
    return gaps(whole(np.float64, t_start_s=3.7, rate_hz=1000 / 3))


@pytest.mark.parametrize(
    "make", [whole, derived, bare, with_gaps], ids=["whole", "derived", "bare", "with_gaps"]
)
def test_round_trip_is_exact(make, same_spikes):
    assert_same_recording(make(), recording_from_neo(recording_to_neo(make())), same_spikes)


def test_others_read_it(same_spikes):
    import quantities

    given = whole(t_start_s=0.5)
    block = recording_to_neo(given, description="A ramp")
    (segment,) = block.segments
    emg = segment.analogsignals[0]
    assert (emg.name, emg.units, block.description) == ("EMG", quantities.uV, "A ramp")
    assert (float(emg.sampling_rate), float(emg.t_start)) == (2048.0, 0.5)
    np.testing.assert_array_equal(emg.magnitude.T, given.values_uV)
    assert emg.array_annotations["channel_names"].tolist() == list(given.channels)
    assert np.flatnonzero(emg.array_annotations["bad"]).tolist() == [2, 7]
    potentials = next(s for s in segment.analogsignals if s.name == "action potentials")
    of_unit = potentials.array_annotations["unit_index"] == 2
    np.testing.assert_array_equal(
        potentials.magnitude[:, of_unit].T, given.truth.action_potentials.values_uV[2]
    )
    assert as_spike_trains(block).counts.tolist() == given.truth.spikes.counts.tolist()
    same_spikes(given.truth.spikes, from_neo(block).spikes["MN"])


def test_signals_of_others():
    neo, pq = pytest.importorskip("neo"), pytest.importorskip("quantities")
    segment = neo.Segment()
    for name, units in (("emg", "mV"), ("force", "N"), ("raw", "V")):
        segment.analogsignals.append(
            neo.AnalogSignal(
                np.array([[1, 2], [3, 4], [5, 6]], dtype=np.float32),
                units=units, sampling_rate=2 * pq.kHz, t_start=500 * pq.ms, name=name,
            )
        )  # fmt: skip
    with pytest.raises(ParameterError, match="emg, raw"):
        recording_from_neo(segment)
    found = recording_from_neo(segment, "emg")
    np.testing.assert_array_equal(found.values_uV, [[1000, 3000, 5000], [2000, 4000, 6000]])
    assert (found.rate_hz, found.t_start_s, found.values_uV.dtype) == (2000.0, 0.5, np.float32)
    assert found.truth is None
    with pytest.raises(UnreadableFileError, match=r"force.*emg, raw"):
        recording_from_neo(segment, "force")
    with pytest.raises(UnreadableFileError, match=r"Limits\.samples"):
        recording_from_neo(segment, "emg", limits=Limits(samples=3))


def test_what_is_no_recording():
    neo = pytest.importorskip("neo")
    with pytest.raises(UnreadableFileError, match="no signal in volts"):
        recording_from_neo(neo.Block())
    with pytest.raises(UnreadableFileError, match="holds a str"):
        recording_from_neo("block")


@pytest.mark.parametrize("lost", ["EMG", "action potentials", "force", "force (2)"])
def test_lost_signals_are_named(lost):
    block = recording_to_neo(whole())
    (segment,) = block.segments
    keep = [s for s in segment.analogsignals if s.name != lost]
    assert len(keep) == 4
    segment.analogsignals[:] = keep
    with pytest.raises(UnreadableFileError, match=lost.replace("(", r"\(").replace(")", r"\)")):
        recording_from_neo(block)


@pytest.mark.parametrize("text", ["", "{}", "[", '{"channels": 3}', '{"auxiliary": 4}'])
def test_damaged_descriptions(text):
    block = recording_to_neo(whole())
    block.annotations["recording"] = text
    with pytest.raises(MyoloopError, match=r"neo\.Block"):
        recording_from_neo(block)
