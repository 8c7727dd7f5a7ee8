"""Strips: every row once, in order, whatever the number of threads."""

from __future__ import annotations

import threading

import pytest

from shared.imaging.strips import in_strips


@pytest.mark.parametrize("threads", [1, 2, 5, None])
def test_strips_cover_every_row_once_from_top_to_bottom(threads: int | None) -> None:
    strips = in_strips(lambda rows: (rows.start, rows.stop), 10, 4, threads)
    assert strips == [(0, 4), (4, 8), (8, 10)]


def test_strips_are_worked_on_side_by_side() -> None:
    both = threading.Barrier(2, timeout=10)
    in_strips(lambda _: both.wait(), 2, 1, threads=2)


def test_an_error_in_a_strip_reaches_the_caller_and_leaves_no_thread() -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        in_strips(lambda rows: 1 // (rows.start - 3), 9, 1, threads=3)
    assert threading.active_count() == before
