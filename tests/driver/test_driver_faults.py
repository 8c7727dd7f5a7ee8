"""Each call to the NAS and the database fails once, for every file of a batch; then all is well.

A batch has about fifty such calls. One run is made for each of them, until a run meets no fault.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

import pytest
from test_driver_workflow import on_nas, take_in

from shared.driver.serial import SerialExecutor
from shared.errors import DatabaseUnavailable, NasUnavailable
from shared.flows.reconcile import reconcile
from shared.identity import design_id, tenant
from shared.messages import Discrepancy, Done, Outcome, Result
from shared.ports import Unit
from shared.records import Design, State, Template
from shared.wiring import Parts
from tests.draw import encoded, wrap

TINY = Template(name="Tiny UV", width_in=1, height_in=0.5, dpi=72)
ONE, TWO = (encoded(wrap(seed, 160, 80)) for seed in (1, 2))
FILES = [("1.png", ONE), ("1 again.png", ONE), ("2.png", TWO)]
HEALED = [Done.CREATED, Done.DUPLICATE, Done.CREATED]


class Killed(BaseException):
    """What no step catches: the process ends here."""


class Fault:
    """Breaks the n-th call that passes it, before it is done or after."""

    def __init__(self, place: int, error: type[BaseException] | None, *, after: bool) -> None:
        self._left = place
        self._error = error
        self._after = after
        self.happened = False

    def pass_through(self, own: type[BaseException], call: Callable[[], Any]) -> Any:
        self._left -= 1
        if self._left:
            return call()
        self.happened = True
        if self._after:
            call()
        raise (self._error or own)


class Faulty:
    """Stands before an adapter; a transaction's begin and commit are calls too."""

    def __init__(self, real: object, own: type[BaseException], fault: Fault) -> None:
        self._real, self._own, self._fault = real, own, fault

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        real = getattr(self._real, verb)
        return lambda *args, **options: self._fault.pass_through(
            self._own, lambda: real(*args, **options)
        )

    @contextmanager
    def unit(self, user: UUID) -> Iterator[Unit]:
        with self._real.unit(user) as unit:  # type: ignore[attr-defined]
            yield Faulty(unit, self._own, self._fault)  # type: ignore[misc]
        self._fault.pass_through(self._own, lambda: None)


def faulty(parts: Parts, fault: Fault) -> Parts:
    other = Parts(parts.settings)
    other._designs = Faulty(parts.designs, DatabaseUnavailable, fault)  # type: ignore[assignment]
    other._nas = Faulty(parts.nas, NasUnavailable, fault)  # type: ignore[assignment]
    return other


def is_whole(parts: Parts, design: Design | None) -> bool:
    if design is None or design.state is not State.ACTIVE or design.print_file is None:
        return False
    data = parts.nas.read(parts.places.relative(design.file_path)) or b""
    return hashlib.sha256(data).hexdigest() == design.print_file.sha256


def has_what_it_says(parts: Parts, seller: str, at: int, outcome: Outcome) -> bool:
    """Whether a created file is filed and whole, and a failed one may be sent again."""
    if outcome.outcome is Done.FAILED:
        return outcome.retryable
    filed = design_id(tenant(seller), "k1", at)
    return outcome.outcome is Done.DUPLICATE or is_whole(
        parts, parts.designs.get(tenant(seller), filed)
    )


def run(parts: Parts, seller: str) -> Result:
    return take_in(
        parts,
        *FILES,
        executor=SerialExecutor(),
        template="Tiny UV",
        user_id=seller,
        shop=seller,
        idempotency_key="k1",
    )


@pytest.mark.parametrize(
    ("error", "after"),
    [
        pytest.param(None, False, id="fails"),
        pytest.param(None, True, id="loses-its-answer"),
        pytest.param(Killed, True, id="is-the-last-before-a-kill"),
    ],
)
def test_whatever_call_breaks_the_same_request_heals_it(
    parts: Parts, error: type[BaseException] | None, after: bool
) -> None:
    for place in itertools.count(1):
        seller = f"seller{place}"
        parts.designs.save_template(tenant(seller), TINY)
        fault = Fault(place, error, after=after)
        first = None
        with suppress(Killed):
            first = run(faulty(parts, fault), seller)
        told = first.outcomes if first else []
        assert all(has_what_it_says(parts, seller, *pair) for pair in enumerate(told)), told
        if not fault.happened:
            break

        again = run(parts, seller)

        # Where the first of the two equal files failed, the second was filed in its place.
        done = [outcome.outcome for outcome in again.outcomes]
        assert done in (HEALED, [Done.DUPLICATE, Done.CREATED, Done.CREATED]), (place, told)
        assert all(has_what_it_says(parts, seller, *pair) for pair in enumerate(again.outcomes))
        filed = {design.filename for design in again.designs}
        assert set(on_nas(parts, f"NookTransfers/{seller}/Tiny UV")) == filed
        assert len(filed) == 2
    assert place > 40


@pytest.mark.parametrize("after", [False, True])
def test_whatever_call_is_the_last_before_a_kill_reconcile_puts_right_what_it_left(
    parts: Parts, after: bool
) -> None:
    """Nobody sends the request again."""

    def found(*, repair: bool) -> list[Discrepancy]:
        every_age = -60.0
        return list(
            reconcile(parts.designs, parts.nas, parts.places, every_age, repair=repair, verify=True)
        )

    repaired = 0
    for place in itertools.count(1):
        seller = f"seller{place}"
        parts.designs.save_template(tenant(seller), TINY)
        fault = Fault(place, Killed, after=after)
        with suppress(Killed):
            run(faulty(parts, fault), seller)
        if not fault.happened:
            break

        told = found(repair=True)

        assert all(each.repaired for each in told), (place, told)
        repaired += len(told)
        assert found(repair=False) == [], place
        assert list(parts.nas.list(".platen")) == []
    assert repaired
