"""What ``myoloop decompose`` is asked for: the part of the recording, the method, the formats."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ._group import refuse

if TYPE_CHECKING:
    from ..data import Recording, SpikeTrains
    from ..decompose import Contrast, ConvolutiveBSS

METHODS = ("surface", "quality", "intramuscular")
CONTRASTS = ("skewness", "bounded", "kurtosis", "logcosh", "swarm", "power:EXP")
_RANGE = ".."


# How a library call reads on the command line.
_AS_OPTIONS = (
    (re.compile(r"recording\.between\(([^,()]+), ([^,()]+)\)"), r"--from \1 --to \2"),
    (re.compile(r"\bgive rate_hz\b"), "give --rate-hz"),
    (re.compile(r"\bseries=('[^']*'|\"[^\"]*\")"), r"--series \1"),
    (re.compile(r"\bask for fewer\b"), "ask for fewer (--set preprocessing.least_channels=N)"),
)


@contextmanager
def named_as_options() -> Iterator[None]:
    """Errors of the block name options of the command where they would name arguments of a call."""
    from ..errors import ParameterError

    try:
        yield
    except ParameterError as problem:
        mend = problem.mend
        for call, option in _AS_OPTIONS:
            mend = call.sub(option, mend)
        raise ParameterError(problem.field, problem.wrong, mend) from problem


def recording_of(
    path: Path,
    *,
    series: str | None,
    rate_hz: str | None,
    start: str | None,
    stop: str | None,
    channels: str | None,
    drop: str | None,
) -> tuple[Recording, float]:
    """The part of a recording that is to be decomposed, and the time of the file's first sample.

    Channels to drop stay, marked as bad.
    """
    from ..io import read_recording
    from ..units import to_float

    rate = None if rate_hz is None else to_float(rate_hz, "hz", "--rate-hz")
    edges = [
        None if text is None else to_float(text, "s", name)
        for text, name in ((start, "--from"), (stop, "--to"))
    ]
    recording = read_recording(path, series=series, rate_hz=cast(Any, rate))
    begin = recording.t_start_s
    if channels is not None:
        recording = recording.select(places_of(channels, recording.channels, "--channels"))
    if drop is not None:
        assert recording.bad is not None
        bad = recording.bad.copy()
        bad[places_of(drop, recording.channels, "--drop")] = True
        recording = dataclasses.replace(recording, bad=bad)
    if edges != [None, None]:
        first = begin if edges[0] is None else cast(float, edges[0])
        last = begin + recording.duration_s if edges[1] is None else cast(float, edges[1])
        recording = recording.between(first, last)
    return recording, begin


def places_of(text: str, names: Sequence[str], option: str) -> list[int]:
    """Indices of channels from their names, divided by commas; ``E01..E16`` is all from the one to the other.

    Raises
    ------
    UnknownNameError
    """
    from ..errors import UnknownNameError

    at = {name: i for i, name in enumerate(names)}
    found: dict[int, None] = {}
    for word in (part.strip() for part in text.split(",") if part.strip()):
        first, dots, last = (word, "", "") if word in at else word.partition(_RANGE)
        ends = [name.strip() for name in ((first, last) if dots else (first,))]
        for name in ends:
            if name not in at:
                raise UnknownNameError(option, name, names)
        low, high = at[ends[0]], at[ends[-1]]
        if low > high:
            refuse(f"{option} {word}: {ends[0]} comes after {ends[-1]} in the recording; exchange them")
        found |= dict.fromkeys(range(low, high + 1))
    if not found:
        refuse(f"{option}: no channel was named; give names such as {', '.join(names[:2])}")
    return list(found)


def method_of(
    recording: Recording,
    name: str | None,
    *,
    seed: int | None,
    rounds: int | None,
    contrast: str | None,
    mains: str | None,
    settings: tuple[str, ...],
) -> tuple[ConvolutiveBSS, str]:
    """The method with all that was asked for, and a sentence that says how it was chosen."""
    from ..decompose import ConvolutiveBSS
    from ..errors import UnknownNameError
    from ..parameters import Parameters
    from ._values import changes_of

    electrodes = recording.electrodes
    inside = electrodes is not None and electrodes.intramuscular
    chosen = name or ("intramuscular" if inside else "surface")
    if chosen not in METHODS:
        raise UnknownNameError("--method", chosen, METHODS)
    presets: dict[str, Callable[..., ConvolutiveBSS]] = {
        "surface": ConvolutiveBSS,
        "quality": ConvolutiveBSS.quality,
        "intramuscular": ConvolutiveBSS.intramuscular,
    }
    given: dict[str, Any] = {"seed": seed, "rounds": rounds}
    method = presets[chosen](**{key: value for key, value in given.items() if value is not None})
    if contrast is not None:
        method.set_params(contrast=contrast_of(contrast))
    if mains is not None:
        method.set_params(preprocessing=method.preprocessing.replace(mains_hz=_mains(mains)))
    _check_settings(settings)
    changes = changes_of(cast(Parameters, method), settings)  # a dataclass of the same habits
    lags = changes.get("lags")
    if isinstance(lags, float) and lags.is_integer():
        changes["lags"] = int(lags)
    method.set_params(**changes)
    return method, _why(chosen, name, recording)


def contrast_of(text: str) -> Contrast:
    """A contrast function from its name; ``power:3.5`` is one with its exponent.

    Raises
    ------
    UnknownNameError, ParameterError
    """
    from ..decompose import BoundedSkewness, Kurtosis, LogCosh, Power, Skewness, Swarm
    from ..errors import ParameterError, UnknownNameError

    name, colon, exponent = text.strip().lower().partition(":")
    kinds: dict[str, Any] = {
        "skewness": Skewness,
        "bounded": BoundedSkewness,
        "kurtosis": Kurtosis,
        "logcosh": LogCosh,
        "swarm": Swarm,
        "power": Power,
    }
    if name not in kinds or (colon and name != "power"):
        raise UnknownNameError("--contrast", text, CONTRASTS)
    if not colon:
        return cast("Contrast", kinds[name]())
    try:
        return Power(exponent=float(exponent))
    except ValueError as wrong:
        if isinstance(wrong, ParameterError):
            raise
        raise ParameterError("--contrast", f"power:{exponent}", "give a number, as in power:3.5") from None


def reference_of(path: Path | None, population: str | None) -> SpikeTrains | None:
    """Units to compare with, if a file of them is given."""
    if path is None:
        if population is not None:
            refuse("--population says which units of --reference are meant; give --reference FILE")
        return None
    from ..io import read_spikes

    return read_spikes(path, population=population)


def _mains(text: str) -> float | None:
    from ..units import to_float

    return None if text.lower() in {"auto", "none"} else cast(float, to_float(text, "hz", "--mains"))


def _check_settings(settings: tuple[str, ...]) -> None:
    for setting in settings:
        name = setting.partition("=")[0].strip()
        if name in {"contrast", "preprocessing", "preprocessing.limits"}:
            others = "--contrast" if name == "contrast" else f"--set {name}.NAME=VALUE"
            refuse(f"--set {name}: it holds parameters of its own; give {others}")


def _why(chosen: str, asked: str | None, recording: Recording) -> str:
    if asked is not None:
        return f"Method '{chosen}' was asked for."
    if recording.electrodes is None:
        return (
            "The recording does not say whether its electrodes are in the muscle: they are taken to be on "
            "the skin; --method intramuscular is for the others."
        )
    where = "in the muscle" if chosen == "intramuscular" else "on the skin"
    return f"Method '{chosen}' was chosen, for electrodes {where}."
