"""The functions as a process of their own has them: settings from the environment, own adapters."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from shared import settings, wiring
from shared.log import ROOT
from tests.functions.functions_calls import Site

Configure = Callable[..., Site]


@pytest.fixture
def configure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Configure]:
    """Set environment variables, then call the functions: ``configure(NAS_URL="memory://x")``."""
    # functions-framework writes these two; so the test's end takes them away.
    monkeypatch.setenv("FUNCTION_TARGET", "")
    monkeypatch.setenv("FUNCTION_SIGNATURE_TYPE", "http")
    monkeypatch.setenv("PLATEN_HOME", str(tmp_path))
    handlers = list(logging.getLogger(ROOT).handlers)

    def configured(**variables: str) -> Site:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        _forget()
        return Site()

    yield configured
    _forget()
    logging.getLogger(ROOT).handlers = handlers


@pytest.fixture
def site(configure: Configure, database_url: str) -> Iterator[Site]:
    """The functions over a fresh database and a folder as NAS."""
    yield configure(DATABASE_URL=database_url)
    _forget()  # before the database goes


@pytest.fixture
def bare(configure: Configure) -> Site:
    """The functions over a NAS in memory and a database that nobody serves."""
    return configure(
        DATABASE_URL="postgresql+pg8000://nobody@127.0.0.1:1/none",
        NAS_URL=f"memory://{uuid4().hex}",
    )


def _forget() -> None:
    """Close the adapters that were made, and read the settings anew on the next call."""
    if wiring.own_parts.cache_info().currsize:
        wiring.parts().close()
    wiring.own_parts.cache_clear()
    settings.settings.cache_clear()
