"""What the command line shows a person: a progress bar, and a sentence for each file."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from shared.messages import Done, Event, Outcome

if TYPE_CHECKING:
    from rich.progress import Progress

_SIGNS = {Done.CREATED: "✅", Done.DUPLICATE: "⚠️", Done.HELD: "⏸️", Done.FAILED: "❌"}


@contextmanager
def bar(count: int) -> Iterator[Callable[[Event], None]]:
    """A progress bar on standard error where that is a terminal; elsewhere the log tells."""
    if not sys.stderr.isatty():
        yield _ignore
        return
    log = logging.getLogger("platen")
    level = log.level
    with _progress() as progress:
        task = progress.add_task("Checking", total=count)

        def on_event(event: Event) -> None:
            if event.event == "outcome":
                progress.advance(task)
            elif event.message:
                progress.update(task, description=event.message)

        # The bar and the sentences after it tell what the log would, the unexpected apart.
        log.setLevel(max(level, logging.ERROR))
        try:
            yield on_event
        finally:
            log.setLevel(level)


@contextmanager
def counter(total: int, what: str) -> Iterator[Callable[[str | None], None]]:
    """A call for each thing that is done, with a line for standard error if there is one to say.

    It moves a progress bar on, with the lines above it; without a terminal there are only lines.
    """
    if not sys.stderr.isatty():
        yield lambda line: None if line is None else click.echo(line, err=True)
        return
    with _progress() as progress:
        task = progress.add_task(what, total=total)

        def done(line: str | None) -> None:
            if line is not None:
                progress.console.print(line, markup=False, highlight=False, soft_wrap=True)
            progress.advance(task)

        yield done


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=Console(stderr=True))


def sentence(outcome: Outcome) -> str:
    """One line for one file: what was done, and where the design is or why there is none."""
    place = outcome.file_path or (outcome.match.file_path if outcome.match else None)
    where = f" {place}" if place else ""
    return f"{_SIGNS[outcome.outcome]} {outcome.file}: {outcome.reason}{where}"


def _ignore(event: Event) -> None:
    """Do nothing: nobody watches."""
