"""The command ``myoloop bench``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from ..errors import UnknownNameError, UnreadableFileError
from ._group import refuse

_SCRIPTS = {
    "engine": "engine.py",
    "emg": "emg.py",
    "emg-peer": "emg_peer.py",
    "muscle": "muscle.py",
    "synthesis": "synthesis.py",
    "learn": "learn.py",
    "decompose": "decompose.py",
    "online": "online.py",
}
_WITH_REPEATS = ("engine", "emg", "emg-peer", "synthesis", "decompose")
_WITH_OUT = ("engine", "emg", "emg-peer", "decompose")
_WITH_PEER = ("emg-peer", "decompose")


@click.command()
@click.argument("name", default="engine", metavar="[NAME]")
@click.option("--duration-ms", type=float, help="Simulated time, of engine [1000].")
@click.option(
    "--repeats", type=click.IntRange(min=1), help="Turns; medians are shown [3]. Of decompose: seeds [10]."
)
@click.option("--ours-only", is_flag=True, help="Leave the peers out, of engine.")
@click.option(
    "--peer-python",
    type=click.Path(path_type=Path),
    help="Interpreter with the peer, of emg-peer and decompose.",
)
@click.option("--out", type=click.Path(path_type=Path), help="JSON file for the results.")
def bench(
    name: str,
    duration_ms: float | None,
    repeats: int | None,
    ours_only: bool,
    peer_python: Path | None,
    out: Path | None,
) -> None:
    """Measure how fast something is, beside its peers, and print the table.

    NAME is engine (the default), emg, emg-peer, muscle, synthesis, learn, decompose or online. Peers that
    are not installed are named; `uv run --group bench myoloop bench` has those of the engine.
    """
    if name not in _SCRIPTS:
        raise UnknownNameError("bench", name, _SCRIPTS)
    script = Path(__file__).resolve().parents[3] / "benchmarks" / _SCRIPTS[name]
    if not script.is_file():
        raise UnreadableFileError(
            "bench: the benchmarks are part of the repository and not of the installed package; "
            "run the command in a checkout"
        )
    command = [sys.executable, str(script)]
    for option, value, known in (
        ("--duration-ms", duration_ms, ("engine",)),
        ("--repeats", repeats, _WITH_REPEATS),
        ("--peer-python", peer_python, _WITH_PEER),
        ("--out", out, _WITH_OUT),
    ):
        if value is not None:
            if name not in known:
                refuse(f"{option} has no meaning for {name}, only for {', '.join(known)}")
            command += [option, str(value)]
    if ours_only:
        if name != "engine":
            refuse(f"--ours-only has no meaning for {name}, only for engine")
        command.append("--ours-only")
    raise SystemExit(subprocess.run(command, check=False).returncode)
