"""Art and fonts from npm: fetched once, versions pinned, nothing of them run."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

from benchmarks.quality import cache
from benchmarks.quality.fonts import FONT_VERSION, FONTS

VERSIONS = {
    "@iconify-json/game-icons": "1.2.4",
    "@iconify-json/twemoji": "1.2.5",
    "@iconify-json/noto": "1.2.9",
    "@iconify-json/fluent-emoji": "1.2.7",
    "@iconify-json/fluent-emoji-flat": "1.2.6",
    "@iconify-json/openmoji": "1.2.29",
} | {f"@fontsource/{font}": FONT_VERSION for font in FONTS}


class NoNpm(Exception):
    """npm is not installed, or could not install the packages."""


def fetch() -> None:
    """Install what is missing into the cache. Raises NoNpm."""
    missing = [
        f"{name}@{version}" for name, version in VERSIONS.items() if _version(name) != version
    ]
    if not missing:
        return
    npm = shutil.which("npm")
    if npm is None:
        raise NoNpm(
            "npm is needed once, to fetch public icon sets and fonts (about 200 MB):"
            " install Node.js 18 or newer, or put these packages under"
            f" {_root()}/node_modules: {' '.join(missing)}"
        )
    print(f"Fetching {len(missing)} npm packages into {_root()} ...", flush=True)
    options = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
    command = [npm, "install", "--prefix", str(_root()), *options, *_wanted()]
    done = subprocess.run(command, check=False)  # noqa: S603 - names and versions are our own
    if done.returncode or any(_version(name) != version for name, version in VERSIONS.items()):
        raise NoNpm("npm could not install the icon sets and fonts; it says why above")


def path(name: str) -> Path:
    """The folder of a fetched package."""
    return _root() / "node_modules" / name


def _wanted() -> list[str]:
    # All of them: npm removes what an install without a record does not name.
    return [f"{name}@{version}" for name, version in VERSIONS.items()]


def _version(name: str) -> str | None:
    try:
        return str(json.loads((path(name) / "package.json").read_text("utf-8"))["version"])
    except FileNotFoundError:
        return None


@lru_cache(maxsize=1)
def _root() -> Path:
    return cache.folder("npm")
