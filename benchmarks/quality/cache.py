"""Where drawn art and fingerprints are kept, and what makes them stale."""

from __future__ import annotations

import ast
import hashlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path
from types import ModuleType


def folder(name: str) -> Path:
    """A folder of the benchmark's cache, made where it is missing."""
    path = Path(os.environ.get("PLATEN_HOME", ".platen")) / "quality" / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def digest(*parts: object) -> str:
    """What tells one list of work from another: 16 hex characters."""
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()[:16]


@lru_cache
def code(module: ModuleType, *names: str) -> str:
    """What tells one version of a module's code from another; what is said about it is left out.

    ``names``: only these functions count, and what of the module they use; none: all of it.
    """
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = ""
    counted = _used(tree, names) if names else tree.body
    return digest(*map(ast.dump, counted))


def _used(tree: ast.Module, names: tuple[str, ...]) -> list[ast.stmt]:
    """The statements at the top of a module that define some names, and the names these use."""
    defined: dict[str, ast.stmt] = {}
    for statement in tree.body:
        targets = getattr(statement, "targets", [getattr(statement, "target", statement)])
        for target in targets:
            name = getattr(target, "id", getattr(target, "name", None))
            if name:
                defined[name] = statement
    left, found = list(names), set()
    while left:
        name = left.pop()
        if name in defined and name not in found:
            found.add(name)
            left += _taken(defined[name])
    return [defined[name] for name in sorted(found)]


def _taken(statement: ast.stmt) -> set[str]:
    """The names that a statement reads and does not give a value itself, as it does its locals."""
    every = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    given = {node.id for node in every if isinstance(node.ctx, ast.Store)}
    return {node.id for node in every} - given


def lines(name: str, key: str) -> list[str] | None:
    """The lines kept under a name and key; None where there are none."""
    path = _place(name, key)
    return path.read_text(encoding="utf-8").split("\n") if path.exists() else None


def keep(name: str, key: str, made: list[str]) -> None:
    """Keep lines under a name and key; those of its older keys are dropped."""
    path = _place(name, key)
    for old in path.parent.glob(f"{name}-{'?' * len(key)}.txt"):
        old.unlink()
    write(path, "\n".join(made).encode())


def _place(name: str, key: str) -> Path:
    return folder("made") / f"{name}-{key}.txt"


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: a run that was broken off leaves none that is cut short."""
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data)
    Path(file.name).replace(path)
