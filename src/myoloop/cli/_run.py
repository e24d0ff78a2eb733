"""``myoloop run`` and ``myoloop verify``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ._group import EXIT_CLAIM_FAILED


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of every command that runs studies."""
    for option in (
        click.option(
            "--threads",
            type=click.IntRange(min=1, max=256),
            default=1,
            show_default=True,
            metavar="N",
            help="Threads; give more only where as many processors are idle.",
        ),
        click.option("--quick", is_flag=True, help="A scaled-down run of seconds, to try things out."),
        click.option("--seed", type=click.IntRange(min=0), default=1, metavar="N", help="Seed [1]."),
    ):
        command = option(command)
    return command


@click.command(short_help="Run a study and write its report.")
@click.argument("study")
@click.option("--out", type=click.Path(path_type=Path), help="New folder [./myoloop-out/STUDY-SEED].")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change a parameter (see 'describe'); may be repeated. Units convert: spacing_mm='0.8 cm'.",
)
@click.option("--nix", is_flag=True, help="Write the recording as NIX (Neo) too.")
@click.option("--overwrite", is_flag=True, help="Replace what an earlier run left in the folder.")
@_common
def run(
    study: str,
    out: Path | None,
    overwrite: bool,
    settings: tuple[str, ...],
    nix: bool,
    seed: int,
    quick: bool,
    threads: int,
) -> None:
    """Run STUDY and write its report, figures, numbers and recording into a new folder."""
    from ..io import OutputFolder
    from ._progress import progress_display
    from ._show import show_claims
    from ._studies import study_named
    from ._values import changes_of
    from ._warnings import collected
    from ._write import check_formats, interruptible, write_result

    chosen = study_named(study)
    changes = changes_of(chosen.with_changes(quick), settings)
    chosen.with_changes(quick, changes)  # refuses bad values before anything is made
    check_formats(nix)
    folder = OutputFolder(out or _default_folder(study, seed, quick), overwrite=overwrite)
    with interruptible(folder), collected() as warnings:
        with progress_display() as progress:
            result = chosen(progress, seed=seed, quick=quick, threads=threads, changes=changes)
        write_result(folder, chosen, result, nix=nix, warnings=warnings)
    if result.claims:
        show_claims([(study, claim) for claim in result.claims])
    click.echo(f"report: {folder.root / 'report.html'}")


@click.command(short_help="Check the claims of studies.")
@click.argument("studies", nargs=-1, metavar="[STUDY]...")
@_common
@click.pass_context
def verify(ctx: click.Context, studies: tuple[str, ...], seed: int, quick: bool, threads: int) -> None:
    """Run studies (all if none is named) and show all their claims; exit code 1 where one fails."""
    from ..studies import STUDIES
    from ._progress import progress_display
    from ._show import show_claims
    from ._studies import study_named

    chosen = [study_named(name) for name in studies] or list(STUDIES.values())
    outcomes = []
    with progress_display() as progress:
        for study in chosen:
            result = study(_named(progress, study.name), seed=seed, quick=quick, threads=threads)
            outcomes += [(study.name, claim) for claim in result.claims]
    show_claims(outcomes)
    ctx.exit(0 if all(outcome.holds for _, outcome in outcomes) else EXIT_CLAIM_FAILED)


def _default_folder(study: str, seed: int, quick: bool) -> Path:
    return Path("myoloop-out") / f"{study}-{seed}{'-quick' if quick else ''}"


def _named(progress: Any, study: str) -> Any:
    """`progress` with the study's name before each stage."""
    return lambda stage, done, total, unit="s": progress(f"{study}: {stage}", done, total, unit)
