"""Recordings as Neo objects, and Neo signals of any origin as recordings."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ..data import Recording
from ..errors import ParameterError
from ._about import about_recording, auxiliary_of, keyed, recording_from, truth_spikes
from ._files import refuse
from ._json import dumps, loads
from ._limits import Limits
from ._neo import build_block, our_pool, signal_from

_RECORDING = "recording"
_EMG, _POTENTIALS = "EMG", "action potentials"


def recording_to_neo(recording: Recording, *, description: str = "") -> Any:
    """`neo.Block` of one segment with a recording and its truth.

    The samples are the analog signal ``EMG`` in uV, with the array annotations ``channel_names`` and
    ``bad``; each true unit a spike train as in `to_neo`; the action potentials the analog signal
    ``action potentials``, with the array annotations ``unit_index`` and ``channel_names``; auxiliary
    signals are analog signals too. The rest is JSON in the block's annotation ``recording``.

    Returns
    -------
    neo.Block
        `recording_from_neo` gives an equal recording.
    """
    signals, spikes, about = keyed(recording.auxiliary), truth_spikes(recording), about_recording(recording)
    about["auxiliary"] = list(signals)
    block = build_block(spikes, signals, {}, description, lean=False)
    block.annotations[_RECORDING] = dumps(about)
    segment = block.segments[0]
    names = np.array(recording.channels)
    clock = (recording.rate_hz, recording.t_start_s)
    ours = {"channel_names": names, "bad": recording.bad}
    segment.analogsignals.insert(0, _analog(_EMG, recording.values_uV.T, clock, ours))
    potentials = recording.truth.action_potentials if recording.truth else None
    if potentials is not None:
        n_units, n_channels, n_samples = potentials.values_uV.shape
        columns = {
            "unit_index": np.repeat(np.arange(n_units), n_channels),
            "channel_names": np.tile(np.array(potentials.channels), n_units),
        }
        values = potentials.values_uV.reshape(-1, n_samples).T
        clock = (potentials.rate_hz, potentials.t_start_s)
        segment.analogsignals.append(_analog(_POTENTIALS, values, clock, columns))
    return block


def _analog(name: str, values: Any, clock: tuple[float, float], columns: dict[str, Any]) -> Any:
    import neo
    import quantities

    rate_hz, t_start_s = clock
    return neo.AnalogSignal(
        values,
        units="uV",
        sampling_rate=rate_hz * quantities.Hz,
        t_start=t_start_s * quantities.s,
        name=name,
        array_annotations=columns,
    )


def recording_from_neo(
    block: Any,
    signal: str | None = None,
    *,
    source: str | os.PathLike[str] = "neo.Block",
    limits: Limits | None = None,
) -> Recording:
    """Recording of a `neo.Block` or `neo.Segment`.

    A block of `recording_to_neo` comes back as it was. Of any other, the analog signal in a unit of
    voltage becomes the recording; its spike trains are no truth and stay behind (see `from_neo`).

    Parameters
    ----------
    block : neo.Block or neo.Segment
    signal : str, optional
        Name of the analog signal, where several are voltages.
    source : str
        What error messages call it.
    limits : Limits, optional

    Raises
    ------
    UnreadableFileError
        No such signal, or a damaged description.
    ParameterError
        Several signals and none chosen.
    """
    import neo

    limits = limits or Limits()
    if not isinstance(block, neo.Block | neo.Segment):
        refuse(source, f"holds a {type(block).__name__}", "give a neo.Block")
    text = block.annotations.get(_RECORDING)
    if isinstance(block, neo.Block) and isinstance(text, str) and signal in (None, _EMG):
        return _ours(source, block, loads(source, text), limits)
    segments = block.segments if isinstance(block, neo.Block) else [block]
    found = [s for segment in segments for s in segment.analogsignals if _is_voltage(s)]
    named = [s for s in found if signal is None or s.name == signal]
    if not named:
        wanted = "no signal in volts" if signal is None else f"no signal {signal!r} in volts"
        refuse(source, wanted, f"it has {', '.join(str(s.name) for s in found) or 'none'}")
    if len(named) > 1:
        raise ParameterError(
            "recording_from_neo.signal",
            f"{source} has {len(named)}: {', '.join(str(s.name) for s in named)}",
            "name one, or give its segment",
        )
    only = named[0]
    _within(source, only.size, limits)
    labels = only.array_annotations.get("channel_names", ())
    values = np.asarray(only.magnitude).T * float(only.units.rescale("uV"))
    return Recording(
        values.astype(np.float32 if only.dtype == np.float32 else np.float64),
        float(only.sampling_rate.rescale("Hz")),
        t_start_s=float(only.t_start.rescale("s")),
        channels=tuple(map(str, labels)),
    )


def _is_voltage(signal: Any) -> bool:
    import quantities

    return bool(signal.units.dimensionality.simplified == quantities.V.dimensionality.simplified)


def _within(source: str | os.PathLike[str], n_values: int, limits: Limits) -> None:
    if n_values > limits.samples:
        refuse(source, f"{n_values} samples", "raise Limits.samples if that is right")


def _ours(source: str | os.PathLike[str], block: Any, about: dict[str, Any], limits: Limits) -> Recording:
    signals = {s.name: s for segment in block.segments for s in segment.analogsignals}
    if _EMG not in signals:
        refuse(source, f"has no signal {_EMG}", "use an intact copy")
    for found in signals.values():
        _within(source, found.size, limits)
    spikes = [our_pool(source, group, limits)[1] for group in block.groups]
    potentials = None
    if _POTENTIALS in signals:
        flat = np.asarray(signals[_POTENTIALS].magnitude).T
        n_units = len(spikes[0]) if spikes else 1
        if len(flat) % max(1, n_units):
            refuse(source, f"{len(flat)} action potentials of {n_units} units", "use an intact copy")
        potentials = flat.reshape(n_units, -1, flat.shape[1])
    keys = [str(key) for key in auxiliary_of(source, about)]
    missing = [key for key in keys if key not in signals]
    if missing:
        refuse(source, f"has no signal {missing[0]!r}", "use an intact copy")
    return recording_from(
        source,
        about,
        np.ascontiguousarray(np.asarray(signals[_EMG].magnitude).T),
        spikes=spikes[0] if spikes else None,
        potentials=potentials,
        auxiliary=tuple(signal_from(source, signals[key])[1] for key in keys),
    )
