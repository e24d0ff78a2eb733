"""``myoloop decompose``: motor units of a recording."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from ..studies import StudyResult

_A_FILE = click.Path(path_type=Path)
_REFERENCE = (
    "Method: Negro, Muceli, Castronovo, Holobar, Farina (2016), J Neural Eng 13:026027; peel-off: Chen, Zhou "
    "(2016), IEEE Trans Neural Syst Rehabil Eng 24:117"
)


@click.command(short_help="Find the motor units of a recording.")
@click.argument("recording", metavar="FILE", type=_A_FILE)
@click.option("--out", type=_A_FILE, required=True, help="New folder for all that is written.")
@click.option("--overwrite", is_flag=True, help="Replace what an earlier run left in the folder.")
@click.option(
    "--method",
    "--preset",
    metavar="NAME",
    help="surface, quality (more units, in less than twice the time), intramuscular [by the electrodes].",
)
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Seed [0].")
@click.option("--rounds", type=click.IntRange(min=1), metavar="N", help="Most rounds of the search.")
@click.option(
    "--contrast",
    metavar="NAME",
    help="bounded (skewness), skewness, kurtosis, logcosh, power:EXP, swarm (of powers) [bounded].",
)
@click.option("--mains", metavar="HZ", help="Frequency of the mains: 50, 60, auto, or 0 to leave it [auto].")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Change a parameter of the method ('describe decompose'), e.g. preprocessing.low_hz=30.",
)
@click.option("--series", metavar="NAME", help="Which one, in a file with several (see 'describe FILE').")
@click.option("--rate-hz", metavar="HZ", help="Samples per second, of a text that does not tell it.")
@click.option("--from", "start", metavar="S", help="Begin there, in the time of the file.")
@click.option("--to", "stop", metavar="S", help="End there.")
@click.option("--channels", metavar="NAMES", help="Only these, e.g. E01..E32,E40.")
@click.option("--drop", metavar="NAMES", help="Leave these out as bad.")
@click.option(
    "--reference", type=_A_FILE, metavar="FILE", help="Spikes to compare with; default: the truth, if known."
)
@click.option("--population", metavar="NAME", help="Which units of the reference, where there are several.")
@click.option(
    "--bound/--no-bound", default=True, help="Compute the upper bound of a simulated recording [yes]."
)
@click.option("--format", "formats", metavar="NAMES", help="h5, nwb, bids, none [h5,nwb].")
def decompose(
    recording: Path,
    out: Path,
    overwrite: bool,
    method: str | None,
    seed: int | None,
    rounds: int | None,
    contrast: str | None,
    mains: str | None,
    settings: tuple[str, ...],
    series: str | None,
    rate_hz: str | None,
    start: str | None,
    stop: str | None,
    channels: str | None,
    drop: str | None,
    reference: Path | None,
    population: str | None,
    bound: bool,
    formats: str | None,
) -> None:
    """Find the motor units of FILE: NWB, EMG-BIDS, OTBiolab, DEMUSE, MUedit, openhdemg, Delsys, Intan, text.

    'myoloop describe FILE' shows what it holds. That no unit is found is an answer, not an error.
    """
    from ..io import OutputFolder
    from ..studies.decompose import decompose_recording, key_numbers
    from ..viz import Heading, write_report
    from ._decompose_setup import method_of, named_as_options, recording_of, reference_of
    from ._decompose_write import Writer, formats_of
    from ._progress import progress_display
    from ._warnings import collected
    from ._write import interruptible, metrics_of

    chosen_formats = formats_of(formats)
    with collected() as warnings, named_as_options():
        emg, file_start_s = recording_of(
            recording, series=series, rate_hz=rate_hz, start=start, stop=stop, channels=channels, drop=drop
        )
        chosen, note = method_of(
            emg, method, seed=seed, rounds=rounds, contrast=contrast, mains=mains, settings=settings
        )
        known = reference_of(reference, population)
        about = {"source": _source(recording, series, reference), "parameters": chosen.to_dict()}
        folder = OutputFolder(out, overwrite=overwrite)
        title = f"Motor units of {recording.name}"
        with interruptible(folder):
            writer = Writer(folder, chosen_formats, emg, file_start_s, title, about)
            with progress_display() as progress:
                result = decompose_recording(
                    emg, chosen, reference=known, bound=bound, progress=progress, sink=writer
                )
            _say_of_units(result)
            result = dataclasses.replace(
                result,
                notes=(note, *result.notes),
                provenance={**result.provenance, "source": about["source"]},
            )
            folder.write_json("metrics.json", metrics_of(result))
            folder.write_json("provenance.json", dict(result.provenance))
            shown = dataclasses.replace(result, metrics=key_numbers(result.metrics))
            write_report(folder.root, Heading("decompose", title, _REFERENCE), shown, warnings=warnings)
    _show(result)
    click.echo(f"report: {folder.root / 'report.html'}")


def _say_of_units(result: StudyResult) -> None:
    """Warn, at the head of the report too, where nothing was found."""
    import warnings

    from ..errors import MyoloopWarning

    if not result.metrics["units"]:
        warnings.warn(
            "no motor unit was found: check that the muscle was active and the channels are good, or try "
            "--method quality, another band (--set preprocessing.low_hz=...) or a part (--from, --to)",
            MyoloopWarning,
            stacklevel=2,
        )


def _source(recording: Path, series: str | None, reference: Path | None) -> dict[str, Any]:
    return {
        "file": recording.name,
        "series": series,
        "reference": None if reference is None else reference.name,
    }


def _show(result: StudyResult) -> None:
    """The outcome in a few lines."""
    found = result.metrics
    units, accepted = found["units"], found["accepted_units"]
    flagged = f", {units - accepted} flagged as maybe false or merged" if units > accepted else ""
    click.echo(f"{units} motor units{flagged}, in {found['cpu_s']:.1f} s of processor time")
    agreement = found.get("agreement")
    if agreement is None:
        return
    what = "true units" if found["reference"] == "truth" else "units of the reference"
    line = f"{agreement['good_units']} of {agreement['true_units']} {what} found with an F1 of at least 0.9"
    if "upper_bound_units" in found:
        line += f" (upper bound {found['upper_bound_units']})"
    click.echo(line)
    if agreement["matched_units"]:
        click.echo(f"mean F1 {agreement['f1_mean']:.3f}, mean rate of agreement {agreement['roa_mean']:.3f}")
