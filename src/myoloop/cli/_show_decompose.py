"""The methods of ``myoloop decompose`` with all that ``--set`` can change."""

from __future__ import annotations

import inspect
from typing import Any, cast

from rich.text import Text

from ..parameters import Parameters
from ._decompose_setup import CONTRASTS
from ._show import _parameters, _print, _table


def show_method() -> None:
    """Parameters of the method, by preset, with what their docstrings say."""
    from ..decompose import ConvolutiveBSS

    presets: dict[str, Any] = {
        "surface": ConvolutiveBSS(),
        "quality": ConvolutiveBSS.quality(),
        "intramuscular": ConvolutiveBSS.intramuscular(),
    }
    first = presets["surface"]
    meaning = _meanings(type(first))
    for name, value in first.get_params().items():
        if isinstance(value, Parameters):
            meaning |= {f"{name}.{key}": text for key, text in _meanings(type(value)).items()}
            for inner in (f for f in value.__dataclass_fields__ if isinstance(getattr(value, f), Parameters)):
                more = _meanings(type(getattr(value, inner)))
                meaning |= {f"{name}.{inner}.{key}": text for key, text in more.items()}
    values = {kind: dict(_parameters(cast(Parameters, method))) for kind, method in presets.items()}
    rows = []
    for name, (value, unit, text) in values["surface"].items():
        others = [values[kind][name][0] for kind in ("quality", "intramuscular")]
        changed = [other if other != value else "" for other in others]
        rows.append((name, value, *changed, unit, text or meaning.get(name, "")))
    _print(Text(f"decompose: {_first_line(type(first))}\n", style="bold"))
    columns = ("Parameter", "surface", "quality", "intramuscular", "Unit", "Meaning")
    _print(_table(columns, rows, right=(1, 2, 3)))
    _print(Text(f"Contrasts: {', '.join(CONTRASTS)}"))


def _meanings(cls: type) -> dict[str, str]:
    """What the section Parameters of a numpydoc docstring says of each."""
    lines = (inspect.getdoc(cls) or "").splitlines()
    if "Parameters" not in lines:
        return {}
    found: dict[str, list[str]] = {}
    names: list[str] = []
    for line in lines[lines.index("Parameters") + 2 :]:
        if line and not line.startswith(" "):
            if " : " not in line:
                break
            names = [name.strip() for name in line.partition(" : ")[0].split(",")]
            found |= {name: [] for name in names}
        elif line.strip() and names:
            for name in names:
                found[name].append(line.strip())
    return {name: " ".join(words) for name, words in found.items()}


def _first_line(cls: type) -> str:
    return (inspect.getdoc(cls) or "").splitlines()[0]
