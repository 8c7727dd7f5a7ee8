"""Run one function with the packages of its own requirements only: a program of its own.

``python functions_alone.py NAME PACKAGE...`` with a JSON request on standard input. Prints the
answer's status and code.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from types import ModuleType

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent.parent
STORES = {
    "dedupe": ["shared.database.embedded", "shared.database.migrate"],
    "process": ["shared.nas.smb.store", "shared.nas.s3"],
}
"""What is loaded only where the settings ask for it."""


class Covered(MetaPathFinder):
    """Hides every package but the named ones and what these need."""

    def __init__(self, names: list[str]) -> None:
        allowed = closure(names)
        self._hidden = {
            module
            for module, packages in packages_distributions().items()
            if not allowed & {canonicalize_name(package) for package in packages}
        }

    def find_spec(
        self,
        fullname: str,
        _path: Sequence[str] | None,
        _target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in self._hidden:
            raise ModuleNotFoundError(f"no requirement covers {fullname}", name=fullname)
        return None


def closure(names: list[str]) -> set[str]:
    """The packages and, over all steps, those that they require on this machine."""
    waiting, found = [Requirement(name) for name in names], set[str]()
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in found:
            continue
        found.add(name)
        waiting += [need for need in needs(name) if applies(need, wanted.extras)]
    return found


def needs(name: str) -> list[Requirement]:
    try:
        return [Requirement(text) for text in requires(name) or []]
    except PackageNotFoundError:
        return []


def applies(need: Requirement, extras: set[str]) -> bool:
    if need.marker is None:
        return True
    return any(need.marker.evaluate({"extra": extra}) for extra in extras or {""})


def main(name: str, *packages: str) -> None:
    sys.meta_path.insert(0, Covered(list(packages)))
    import functions_framework

    app = functions_framework.create_app(name, str(ROOT / "functions" / name / "main.py"))
    answer = app.test_client().post("/", json=json.load(sys.stdin))
    for stores in STORES.values() if name in ("persist", "upload") else [STORES[name]]:
        for store in stores:
            __import__(store)
    # An upload's answer is a stream, whose work is done once it has been read.
    lines = [json.loads(line) for line in answer.get_data().splitlines() if line.startswith(b"{")]
    sys.stdout.write(json.dumps({"status": answer.status_code, "code": lines[-1].get("code")}))


if __name__ == "__main__":
    main(*sys.argv[1:])
