"""The muscles, electrodes and noises that ``myoloop emg`` knows by name."""

from __future__ import annotations

import inspect

from rich.text import Text

from ..emg import PRESETS
from ..parameters import Parameters
from ._emg_noise import NOISES
from ._emg_setup import ELECTRODES, electrode_named
from ._show import _parameters, _print, _table


def show_emg_names() -> None:
    """A line for each muscle, electrode and noise."""
    muscles = [(name, _first_line(preset)) for name, preset in PRESETS.items()]
    _print(_table(("Muscle of 'emg'", "What it is"), muscles))
    _print(_table(("Electrodes of 'emg'", "What they are"), list(ELECTRODES.items())))
    noises = [(name, f"{level:g}", what) for name, (level, what, _) in NOISES.items()]
    _print(_table(("Noise of 'emg'", "uV", "What the level is"), noises, right=(1,)))


def show_emg_part(name: str) -> bool:
    """Show a muscle or electrodes with all that ``--set`` can change; False where there is none such."""
    key = name.replace("-", "_")
    if key in PRESETS:
        anatomy = PRESETS[key]()
        _print(Text(f"{key}: {_first_line(PRESETS[key])}", style="bold"))
        _print(Text(f"{anatomy.units} motor units, recruitment ratio {anatomy.ratio:g}\n"))
        for part in ("muscle", "conductor", "medium"):
            _show(part, getattr(anatomy, part))
        _print(_table(("Of", "Source"), list(anatomy.sources.items())))
        return True
    if name in ELECTRODES:
        _print(Text(f"{name}: {ELECTRODES[name]}\n", style="bold"))
        _show("electrodes", electrode_named(name))
        return True
    return False


def _show(part: str, params: Parameters) -> None:
    rows = [
        (f"{part}.{name}", value, unit, help_text) for name, (value, unit, help_text) in _parameters(params)
    ]
    _print(_table((type(params).__name__, "Value", "Unit", "Meaning"), rows, right=(1,)))


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").splitlines()[0]
