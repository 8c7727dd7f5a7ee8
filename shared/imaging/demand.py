"""What working on a file takes of memory, told by its header before any of it is done.

Measured, and rounded up: `benchmarks/memory.py` prints what each kind of file takes.
"""

from __future__ import annotations

from shared.imaging.limits import Colour, Format, Header

def to_isolate(header: Header, size: int) -> int:
    return 3*size + 24*header.width*header.height + (256<<20)
