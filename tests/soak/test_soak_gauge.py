"""The soak's figures: what processes hold, and how fast that grows."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from benchmarks.soak.gauge import Held, Sample, at, held_by, slope
from benchmarks.soak.table import Report

GROWING = [
    # For ten minutes it warms up; then it grows by 36 MB an hour.
    Sample(second, {"upload": Held(150 + max(0, second - 600) / 100, 20, 8)}, connections=4)
    for second in range(1200)
]


def memory(sample: Sample) -> float:
    return sample.held["upload"].memory_mb


def test_the_slope_is_an_hours_growth_over_the_second_half() -> None:
    assert slope(GROWING, memory) == pytest.approx(36)
    assert slope(GROWING, lambda sample: float(sample.connections)) == 0
    assert slope(GROWING[:4], memory) == 0


def test_samples_without_the_process_count_neither_for_the_slope_nor_for_the_ends() -> None:
    dead = [Sample(second, {}, connections=4) for second in range(1200, 1210)]

    growth = slope([*GROWING, *dead], lambda each: memory(each) if each.held else None)

    assert growth == pytest.approx(36)
    assert at([*GROWING, *dead], "upload", 1) == GROWING[-1].held["upload"]


def test_the_table_has_the_growth_and_the_violations() -> None:
    report = Report(1200, [], Counter(reset=3), Counter(), GROWING, ["file UV_009.png has no row"])

    lines = list(report.lines())

    (upload,) = (line.split() for line in lines if line.startswith("upload "))
    assert upload == ["upload", "150", "156", "36", "20", "20", "8", "8"]
    assert "faults      3 reset" in lines
    assert lines[-2:] == ["violations  1", "  file UV_009.png has no row"]


def test_a_process_holds_its_memory_descriptors_and_threads() -> None:
    before = held_by([os.getpid()])
    reading, writing = os.pipe()

    after = held_by([os.getpid()])

    os.close(reading)
    os.close(writing)
    assert after.descriptors == before.descriptors + 2
    assert 10 < after.memory_mb < 4000
    assert after.threads >= 1
