"""A function's process starts with its own imports only: each of the others would slow it down."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.functions.functions_alone import ROOT

LATER = {"scipy", "pywt", "alembic", "httpx", "dask", "tenacity", "boto3", "smbprotocol"}
"""Used by some requests or settings, or by the driver alone; loaded when they are."""
STORES = {"sqlalchemy", "pg8000"}
"""Loaded with the first question to the database."""

_IMPORTED = """
import sys, functions_framework
functions_framework.create_app({name!r}, "functions/{name}/main.py")
print(*{{module.partition(".")[0] for module in sys.modules}})
"""


@pytest.mark.parametrize("name", ["dedupe", "process", "persist", "upload"])
def test_a_function_starts_without_what_it_may_never_need(name: str) -> None:
    own = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", _IMPORTED.format(name=name)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )

    imported = set(own.stdout.split())
    assert {"functions_framework", "numpy"} <= imported
    assert not imported & (LATER | STORES)
