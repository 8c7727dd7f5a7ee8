"""Just enough of Markdown to hold the documents against the code."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

Row = dict[str, str]


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def tables(text: str, first: str) -> list[Row]:
    """The rows of every table whose first column is headed ``first``, by column."""
    rows: list[Row] = []
    names: list[str] = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            names = []
        elif not names:
            names = cells
        elif names[0] == first and not set(line) <= set("|- "):
            rows.append(dict(zip(names, cells, strict=True)))
    return rows


def codes(cell: str) -> list[str]:
    """What stands between backticks, fences apart."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", cell)


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def documents() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
