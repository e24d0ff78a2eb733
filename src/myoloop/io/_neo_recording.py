"""Recordings as Neo objects, and Neo signals of any origin as recordings."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data import ActionPotentials, Recording
from ..errors import ParameterError
from ._about import about_recording, auxiliary_of, keyed, recording_from, truth_spikes
from ._about_potentials import PathValues, path_values
from ._files import refuse
from ._json import dumps, loads
from ._limits import Limits
from ._neo import build_block, neo_signal, our_pool, signal_from

_RECORDING = "recording"
_EMG, _POTENTIALS = "EMG", "action potentials"
_PATH, _COORDINATE = "action potentials along the path", "coordinate of the path"
_OURS = (_EMG, _POTENTIALS, _PATH, _COORDINATE)


def recording_to_neo(recording: Recording, *, description: str = "") -> Any:
    """`neo.Block` of one segment with a recording and its truth.

    The samples are the analog signal ``EMG`` in uV, with the array annotations ``channel_names`` and
    ``bad``; each true unit a spike train as in `to_neo`; the action potentials the analog signal
    ``action potentials``, with the array annotations ``unit_index`` and ``channel_names`` (where they
    change over time, also ``action potentials along the path``, with the ``coordinate`` of each, and
    ``coordinate of the path``); auxiliary signals are analog signals too. The rest is JSON in the
    block's annotation ``recording``.

    Returns
    -------
    neo.Block
        `recording_from_neo` gives an equal recording.
    """
    signals, spikes, about = (
        keyed(recording.auxiliary, _OURS),
        truth_spikes(recording),
        about_recording(recording),
    )
    about["auxiliary"] = list(signals)
    block = build_block(spikes, signals, {}, description, lean=False)
    block.annotations[_RECORDING] = dumps(about)
    segment = block.segments[0]
    names = np.array(recording.channels)
    clock = (recording.rate_hz, recording.t_start_s)
    ours = {"channel_names": names, "bad": recording.bad}
    segment.analogsignals.insert(0, _analog(_EMG, recording.values_uV.T, clock, ours))
    truth = recording.truth
    if truth is not None and truth.action_potentials is not None:
        segment.analogsignals.append(
            _spread(_POTENTIALS, truth.action_potentials.values_uV, truth.action_potentials)
        )
    if truth is not None and truth.path is not None:
        stack, _ = path_values(truth.path)
        segment.analogsignals.append(_spread(_PATH, stack, truth.path.potentials[0], truth.path.knots))
        segment.analogsignals.append(neo_signal(_COORDINATE, truth.path.coordinate))
    return block


def _spread(name: str, values: Any, like: ActionPotentials, knots: Any = None) -> Any:
    """Action potentials, those of all knots one after the other, as an analog signal."""
    *_, n_units, n_channels, n_samples = values.shape
    n_knots = 1 if knots is None else len(knots)
    columns = {
        "unit_index": np.tile(np.repeat(np.arange(n_units), n_channels), n_knots),
        "channel_names": np.tile(np.array(like.channels), n_units * n_knots),
    }
    if knots is not None:
        columns["coordinate"] = np.repeat(knots, n_units * n_channels)
    return _analog(name, values.reshape(-1, n_samples).T, (like.rate_hz, like.t_start_s), columns)


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
    n_units = len(spikes[0]) if spikes else 1
    potentials = _gathered(source, signals.get(_POTENTIALS), (n_units,))
    moving: PathValues | None = None
    if _PATH in signals and _COORDINATE in signals:
        n_knots = len(np.unique(signals[_PATH].array_annotations["coordinate"]))
        stack = _gathered(source, signals[_PATH], (n_knots, n_units))
        assert stack is not None
        moving = stack, np.asarray(signals[_COORDINATE].magnitude)
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
        moving=moving,
        auxiliary=tuple(signal_from(source, signals[key])[1] for key in keys),
    )


def _gathered(source: str | os.PathLike[str], found: Any, begin: tuple[int, ...]) -> NDArray[Any] | None:
    """Undo `_spread`: an array of shape (*begin, channels, samples)."""
    if found is None:
        return None
    flat = np.asarray(found.magnitude).T
    if len(flat) % max(1, int(np.prod(begin))):
        refuse(source, f"{len(flat)} {found.name} of {begin[-1]} units", "use an intact copy")
    return flat.reshape(*begin, -1, flat.shape[1])
