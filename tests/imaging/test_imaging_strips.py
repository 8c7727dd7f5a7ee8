"""Strips: every row once, in order, whatever the number of threads."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.imaging import strips
from shared.imaging.strips import MOST_THREADS, in_strips


@pytest.mark.parametrize("threads", [1, 2, 5, None])
def test_strips_cover_every_row_once_from_top_to_bottom(threads: int | None) -> None:
    made = in_strips(lambda rows: (rows.start, rows.stop), 10, 4, threads)
    assert made == [(0, 4), (4, 8), (8, 10)]


def test_strips_are_worked_on_side_by_side() -> None:
    both = threading.Barrier(2, timeout=10)
    in_strips(lambda _: both.wait(), 2, 1, threads=2)


@pytest.mark.parametrize("spare", [0, 1])
def test_where_threads_are_wanting_the_answer_is_the_same(
    spare: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start
    left = iter(range(spare))

    def start_some(thread: threading.Thread) -> None:
        if next(left, None) is None:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_some)
    before = threading.active_count()
    assert in_strips(lambda rows: rows.start, 9, 1, threads=3) == list(range(9))
    assert threading.active_count() == before


def test_an_error_of_the_work_is_no_want_of_threads() -> None:
    begun = []

    def work(rows: slice) -> None:
        begun.append(rows.start)
        raise RuntimeError("its own")

    with pytest.raises(RuntimeError, match="its own"):
        in_strips(work, 9, 1, threads=3)
    assert len(begun) == len(set(begun))  # none was tried again


@pytest.mark.parametrize("threads", [MOST_THREADS + 4, None])
def test_there_are_no_more_threads_than_memory_is_foretold_for(
    threads: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: MOST_THREADS + 4)
    asked = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, workers: int) -> None:
            asked.append(workers)
            super().__init__(workers)

    monkeypatch.setattr(strips, "ThreadPoolExecutor", Pool)
    assert in_strips(lambda rows: rows.start, 30, 1, threads) == list(range(30))
    assert asked == [MOST_THREADS]


def test_an_error_in_a_strip_reaches_the_caller_and_leaves_no_thread() -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError):
        in_strips(lambda rows: 1 // (rows.start - 3), 9, 1, threads=3)
    assert threading.active_count() == before
