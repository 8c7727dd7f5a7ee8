"""Write the functions' OpenAPI documents: ``make openapi``."""

from __future__ import annotations

from pathlib import Path

from shared import wiring
from shared.driver import stream
from shared.endpoint import Endpoint
from shared.openapi import document, text

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "openapi"


def documents() -> dict[Path, str]:
    """What belongs in each file under ``docs/openapi``."""
    endpoints: list[Endpoint] = [
        wiring.DEDUPE,
        wiring.PROCESS,
        wiring.PERSIST,
        wiring.RECONCILE,
        stream.UPLOAD,
    ]
    return {FOLDER / f"{one.name}.json": text(document(one)) for one in endpoints}


def write() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, content in documents().items():
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    write()
