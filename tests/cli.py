"""The command line, called in this process."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import CliRunner, Result

from shared import settings, wiring
from shared.driver.__main__ import main
from shared.log import ROOT


class Cli:
    """Each call has the settings and adapters of a process of its own."""

    def __call__(self, *arguments: str, **environment: str) -> Result:
        with pytest.MonkeyPatch.context() as patch, _fresh():
            for name, value in environment.items():
                patch.setenv(name, value)
            return CliRunner().invoke(main, arguments, prog_name="platen")

    def upload(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """The one object that ``upload --json`` prints, and under ``status`` its exit status."""
        ended = self("upload", "--json", *arguments, **environment)
        return {**json.loads(ended.stdout), "status": ended.exit_code}


@contextmanager
def _fresh() -> Iterator[None]:
    log = logging.getLogger(ROOT)
    handlers, log.handlers = log.handlers, []
    _forget()
    yield
    _forget()
    log.handlers = handlers


def _forget() -> None:
    if wiring.own_parts.cache_info().currsize:
        wiring.parts().close()
    wiring.own_parts.cache_clear()
    settings.settings.cache_clear()
