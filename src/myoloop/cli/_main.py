"""The commands of ``myoloop``."""

from __future__ import annotations

from pathlib import Path

import click

from ._bench import bench
from ._decompose import decompose
from ._emg import emg
from ._force import force
from ._group import Commands
from ._run import run, verify
from ._score import score


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with 'myoloop list', then 'myoloop run watanabe2015'.",
)
@click.version_option(package_name="myoloop", message="myoloop %(version)s")
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Simulate the neuromuscular system and close the loop on it."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@main.command("list")
def list_studies() -> None:
    """List the studies that can be run, and the muscles and electrodes of 'emg'."""
    from .. import studies
    from ._emg_show import show_emg_names
    from ._show import show_studies

    show_studies(studies.STUDIES.values())
    show_emg_names()


@main.command()
@click.argument("name", metavar="NAME")
def describe(name: str) -> None:
    """Show what a study is, its parameters and its claims; or what a file of spikes or EMG holds.

    NAME may also be a muscle, or electrodes, of 'emg', or 'decompose', for the parameters of its method.
    """
    from ..studies import STUDIES
    from ._emg_show import show_emg_part
    from ._show import show_study
    from ._show_decompose import show_method
    from ._show_file import is_file, show_file
    from ._studies import study_named

    if show_emg_part(name):
        return
    if name == "decompose":
        show_method()
    elif name not in STUDIES and is_file(name):
        show_file(Path(name))
    else:
        show_study(study_named(name))


main.add_command(run)
main.add_command(verify)
main.add_command(force)
main.add_command(emg)
main.add_command(decompose)
main.add_command(score)
main.add_command(bench)
