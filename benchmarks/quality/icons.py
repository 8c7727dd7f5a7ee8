"""Icons of the public sets, as the art of a shop that sells emoji and silhouettes."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import resvg_py
from PIL import Image

from benchmarks.quality import cache, packages
from benchmarks.quality.drawing import Drawing, Pixels

TONES = ("light", "medium-light", "medium", "medium-dark", "dark")
_TONED = re.compile(r"-(light|medium-light|medium|medium-dark|dark)(-skin-tone)?$")


@dataclass(frozen=True)
class Icon(Drawing):
    """An icon of a set, ``side`` pixels wide."""

    package: str
    name: str
    side: int = 400
    ink: str = "#000000"
    """The colour of what has none of its own: all of a silhouette."""

    @property
    def key(self) -> str:
        return cache.digest(super().key, packages.VERSIONS[f"@iconify-json/{self.package}"])

    def draw(self) -> Pixels:
        everything = _read(self.package)
        icon = everything["icons"][self.name]
        width = icon.get("width", everything.get("width", 16))
        height = icon.get("height", everything.get("height", 16))
        svg = (
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
            f' viewBox="0 0 {width} {height}" color="{self.ink}">{icon["body"]}</svg>'
        )
        png = resvg_py.svg_to_bytes(svg_string=svg, width=self.side, skip_system_fonts=True)
        with Image.open(io.BytesIO(bytes(png))) as image:
            return np.asarray(image.convert("RGBA"))


def names(package: str) -> list[str]:
    """The names of a set's icons without those that are another one's skin tone."""
    found = _read(package)["icons"]
    return [
        name for name, icon in found.items() if not icon.get("hidden") and not _tone(name, found)
    ]


def tones(package: str) -> list[tuple[str, list[str]]]:
    """Each icon that comes in skin tones, with the names of these."""
    found = _read(package)["icons"]
    forms = ((name, [f"{name}-{tone}{end}" for tone in TONES]) for name in found for end in _ENDS)
    return [(name, toned) for name, toned in forms if all(tone in found for tone in toned)]


_ENDS = ("-skin-tone", "")


def _tone(name: str, found: dict[str, Any]) -> bool:
    return "skin-tone" in name or (_TONED.sub("", name) != name and _TONED.sub("", name) in found)


@lru_cache(maxsize=8)
def _read(package: str) -> dict[str, Any]:
    path = packages.path(f"@iconify-json/{package}") / "icons.json"
    read: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return read
