"""How every command ends when something is wrong: one sentence and an exit status."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import TypeVar

import click

from shared.errors import PlatenError
from shared.settings import SettingsInvalid

_Answer = TypeVar("_Answer")

FAILED = 1
"""Exit status when a file, or the command, failed; wrong usage is 2."""


def tell(act: Callable[[], _Answer]) -> _Answer:
    """Run a command's work; what goes wrong is one sentence and exit status 1, settings apart."""
    try:
        return act()
    except SettingsInvalid as error:
        raise click.UsageError(str(error)) from error
    except PlatenError as error:
        click.echo(f"{error.message} ({error.code})", err=True)
        logging.getLogger("platen").debug("the command failed", exc_info=error)
        sys.exit(FAILED)


def misused(error: ValueError) -> click.UsageError:
    """Options that a model refuses, told by the first field that is wrong."""
    details = getattr(error, "errors", None)
    if details is None:
        return click.UsageError(str(error))
    first = details()[0]
    return click.UsageError(f"{'.'.join(map(str, first['loc'])) or 'template'}: {first['msg']}")
