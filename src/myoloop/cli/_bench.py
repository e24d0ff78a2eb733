"""The command ``myoloop bench``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click

from ..errors import UnreadableFileError


@click.command()
@click.option("--duration-ms", default=1000.0, show_default=True, help="Simulated time.")
@click.option("--repeats", default=3, show_default=True, help="Turns; medians are shown.")
@click.option("--ours-only", is_flag=True, help="Leave the peers out.")
@click.option("--out", type=click.Path(path_type=Path), help="JSON file for the results.")
def bench(duration_ms: float, repeats: int, ours_only: bool, out: Path | None) -> None:
    """Measure the engine against its peers and print the table.

    Peers that are not installed are named; `uv run --group bench myoloop bench` has them.
    """
    script = Path(__file__).resolve().parents[3] / "benchmarks" / "engine.py"
    if not script.is_file():
        raise UnreadableFileError(
            "bench: the benchmarks are part of the repository and not of the installed package; "
            "run the command in a checkout"
        )
    command = [sys.executable, str(script), "--duration-ms", str(duration_ms), "--repeats", str(repeats)]
    command += ["--ours-only"] if ours_only else []
    command += ["--out", str(out)] if out else []
    raise SystemExit(subprocess.run(command, check=False).returncode)
