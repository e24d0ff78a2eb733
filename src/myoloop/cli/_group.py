"""The group of commands, and how it tells of errors: one line, no traceback, a fixed exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NoReturn, final

import click

from ..errors import MyoloopError, UnknownNameError

EXIT_CLAIM_FAILED = 1
EXIT_ERROR = 2
EXIT_INTERRUPTED = 130


@final
class Commands(click.Group):
    """A group whose expected errors are one line on stderr and exit code 2.

    ``--debug`` anywhere on the line shows tracebacks. An interruption ends with 130, and what a command
    returns is its exit code. What is not expected (a bug) keeps its traceback.
    """

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line; see `click.Command.main`."""
        words = list(sys.argv[1:] if args is None else args)
        debug = "--debug" in words
        words = [word for word in words if word != "--debug"]
        try:
            code = super().main(words, prog_name, complete_var, standalone_mode=False, **extra)
        except (click.ClickException, click.Abort, MyoloopError, OSError, MemoryError) as problem:
            if debug:
                raise
            code = EXIT_INTERRUPTED if isinstance(problem, click.Abort) else EXIT_ERROR
            click.echo(f"error: {_one_line(problem)}", err=True)
        if standalone_mode:
            sys.exit(code if isinstance(code, int) else 0)
        return code

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is refused with the nearest name."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            raise UnknownNameError("command", args[0], self.list_commands(ctx))
        return super().resolve_command(ctx, args)


def refuse(message: str) -> NoReturn:
    """End the command with this message and exit code 2."""
    raise click.UsageError(message)


def _one_line(problem: BaseException) -> str:
    if isinstance(problem, click.Abort):
        return str(problem) or "interrupted"
    if isinstance(problem, click.ClickException):
        text = problem.format_message()
        context = getattr(problem, "ctx", None)
        if context is not None:
            text = f"{text.rstrip('.')}; see '{context.command_path} --help'"
    elif isinstance(problem, MyoloopError):
        text = str(problem)
    elif isinstance(problem, OSError):
        where = f"{problem.filename}: " if problem.filename else ""
        text = f"{where}{problem.strerror or problem}"
    else:
        text = "out of memory; run something smaller, or on a machine with more memory"
    return " ".join(text.split())
