"""Strips: work on runs of rows side by side."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")

MOST_THREADS = 8
"""However many processors there are: for as many strips at once memory is foretold."""


def in_strips(
    work: Callable[[slice], T], height: int, rows: int, threads: int | None = None
) -> list[T]:
    """What ``work`` answers for every run of ``rows`` rows of a picture, from top to bottom.

    ``work`` is called from several threads at once; where strips begin depends on ``height`` and
    ``rows`` alone. ``threads``: at most so many, and eight; unset is the number of processors.
    Where the system has not as many to spare, the caller's own does it all, some perhaps again.
    """
    strips = [slice(top, min(top + rows, height)) for top in range(0, height, rows)]
    workers = min(threads or os.cpu_count() or 1, MOST_THREADS, len(strips))
    if workers == 1:
        return [work(strip) for strip in strips]
    # Threads start in well under a millisecond; a pool of the process's own would not survive fork.
    with ThreadPoolExecutor(workers) as pool:
        try:
            made = pool.map(work, strips)
        except RuntimeError:  # by a thread that can't be started; ``work`` raises below
            pool.shutdown(cancel_futures=True)
        else:
            return list(made)
    return [work(strip) for strip in strips]
