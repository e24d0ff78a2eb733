"""Noise from words: ``--noise white=3,pink,mains60=2``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ..emg import (
    ColouredNoise,
    ElectrodeDrift,
    Mains,
    MotionArtefact,
    Noise,
    NoisePart,
    WhiteNoise,
    fit_noise,
)
from ..errors import UnknownNameError
from ..units import to_float
from ._group import refuse

_HARMONICS = (1.0, 0.0, 1 / 3, 0.0, 1 / 5)  # mains is distorted in odd multiples above all


def _mains(level: float, frequency_hz: float) -> NoisePart:
    return Mains(amplitudes_uV=tuple(level * part for part in _HARMONICS), frequency_hz=frequency_hz)


# Kind of noise: level in uV where none is given, what that is, and how it is made.
NOISES: dict[str, tuple[float, str, Callable[[float], NoisePart]]] = {
    "white": (2.0, "rms", lambda level: WhiteNoise(rms_uV=level)),
    "pink": (2.0, "rms, 1/f", lambda level: ColouredNoise(rms_uV=level)),
    "brown": (2.0, "rms, 1/f²", lambda level: ColouredNoise(rms_uV=level, exponent=2.0)),
    "mains": (2.0, "amplitude of 50 Hz, with odd multiples", lambda level: _mains(level, 50.0)),
    "mains60": (2.0, "amplitude of 60 Hz, with odd multiples", lambda level: _mains(level, 60.0)),
    "motion": (
        50.0,
        "SD of the peaks, 10 a minute",
        lambda level: MotionArtefact(rate_per_min=10.0, amplitude_uV=level),
    ),
    "drift": (20.0, "rms of slow wander", lambda level: ElectrodeDrift(rms_uV=level)),
}


def noise_of(words: Iterable[str], like: Path | None) -> Noise | None:
    """Noise of words such as ``white=3``, and that of a baseline recording; None where there is neither.

    Raises
    ------
    UnknownNameError, ParameterError, UnreadableFileError
    """
    parts: list[NoisePart] = []
    for word in ",".join(words).split(","):
        if not word.strip():
            continue
        name, equals, text = (piece.strip() for piece in word.partition("="))
        if name not in NOISES:
            raise UnknownNameError("--noise", name, NOISES)
        level, _, make = NOISES[name]
        if equals:
            if not text:
                refuse(f"--noise {word!r}: give a level in uV, e.g. --noise {name}=3")
            level = _level(text, name)
        parts.append(make(level))
    if like is not None:
        from ..io import read_recording

        parts += fit_noise(read_recording(like)).parts
    return Noise(parts=tuple(parts)) if parts else None


def _level(text: str, name: str) -> float:
    value = to_float(text, "uV", f"--noise {name}")
    if not isinstance(value, float):
        refuse(f"--noise {name}: give one level in uV")
    return value
