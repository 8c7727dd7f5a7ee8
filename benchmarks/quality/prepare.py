"""Draws all art and takes all fingerprints, so that what follows only reads them.

python -m benchmarks.quality.prepare [--quick]
"""

from __future__ import annotations

import sys

from benchmarks.quality import copies, library, packages, pairs


def prepare(*, quick: bool) -> None:
    """Raises NoNpm where the public art is missing and can't be fetched."""
    packages.fetch()
    library.together(quick=quick)
    pairs.load(quick=quick)
    copies.load(quick=quick)


if __name__ == "__main__":
    prepare(quick="--quick" in sys.argv)
