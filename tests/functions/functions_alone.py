"""Run one function without some packages: a program of its own.

Reads ``{"name", "hidden", "request"}`` as JSON from standard input; ``hidden`` are the top-level
modules that can't be imported. Prints the status and the code of the function's answer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent.parent
DATABASE = ["shared.database.embedded", "shared.database.migrate"]
NAS = ["shared.nas.smb.store", "shared.nas.s3"]
ON_DEMAND = {
    "dedupe": DATABASE,
    "process": NAS,
    "persist": DATABASE + NAS,
    "upload": DATABASE + NAS,
    "reconcile": DATABASE + NAS,
}
"""What a function loads only where the settings ask for it."""


class Hidden(MetaPathFinder):
    """Finds nothing, and lets nothing be found of what is hidden."""

    def __init__(self, modules: list[str]) -> None:
        self._modules = frozenset(modules)

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in self._modules:
            raise ModuleNotFoundError(f"no requirement covers {fullname}", name=fullname)
        return None


def main(name: str, hidden: list[str], request: dict[str, object]) -> None:
    sys.meta_path.insert(0, Hidden(hidden))
    import functions_framework

    app = functions_framework.create_app(name, str(ROOT / "functions" / name / "main.py"))
    answer = app.test_client().post("/", json=request)
    for module in ON_DEMAND[name]:
        import_module(module)
    # An upload's answer is a stream, whose work is done once it has been read.
    last = json.loads(answer.get_data().splitlines()[-1])
    sys.stdout.write(json.dumps({"status": answer.status_code, "code": last.get("code")}))


if __name__ == "__main__":
    main(**json.load(sys.stdin))
