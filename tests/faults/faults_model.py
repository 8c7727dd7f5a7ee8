"""What the model of uploads is made of: arts, requests, and what goes wrong between two calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from PIL import Image

from shared.errors import DatabaseUnavailable, NasUnavailable, PlatenError
from shared.flows.source import Source
from shared.ports import Unit
from shared.wiring import Parts
from tests.draw import encoded, wrap


class Kept(Source):
    """A source whose pixels, which are few, stay for all requests."""

    def release(self) -> None:
        return


class Art(NamedTuple):
    """``picture``: what it shows. Two arts of one picture are duplicates, others are unique."""

    picture: str
    source: Kept

    @property
    def content(self) -> str:
        return str(self.source.fingerprint.content_sha256)


def drawn(parts: Parts) -> list[Art]:
    """Ten files of six pictures: the same pixels packed anew, lossy copies, one enlarged."""
    a, b, c, d, e, f = (wrap(seed, 60, 30) for seed in range(1, 7))
    files = [
        ("a.png", encoded(a)),
        ("a packed anew.png", encoded(a, compress_level=1)),
        ("a.jpg", encoded(a, "JPEG", quality=90)),
        ("b.png", encoded(b)),
        ("b.webp", encoded(b, "WEBP", quality=90)),
        ("b enlarged.png", encoded(b.resize((120, 60), Image.Resampling.BICUBIC))),
        ("c.png", encoded(c)),
        ("d.png", encoded(d)),
        ("e.png", encoded(e)),
        ("f.png", encoded(f)),
    ]
    return [Art(name[0], Kept(name, data, parts.image_limits)) for name, data in files]


class Request(NamedTuple):
    key: str
    arts: tuple[int, ...]
    """Which of the arts, in their order."""
    digital: bool
    allow: bool


class How(StrEnum):
    """What a point between two calls brings."""

    ONCE = "once"
    """One error; all is well afterwards."""
    AWAY = "away"
    """An error there and from then on."""
    KILL = "kill"
    """The process ends: nothing that it still tries is done."""


class Killed(BaseException):
    """What no step catches."""


class Of(StrEnum):
    """The calls whose points are counted; begin and commit are points of ``unit``."""

    ALL = "all"
    CHANGES = "changes"
    UNITS = "units"
    ENDS = "ends"
    """From the row, which is pending, to the design."""

    def counts(self, verb: str) -> bool:
        return self is Of.ALL or verb in _COUNTED[self]


_COUNTED = {
    Of.CHANGES: {"create", "publish", "delete", "activate", "insert", "move", "forget", "unit"},
    Of.UNITS: {"unit"},
    Of.ENDS: {"publish", "activate"},
}


class Place(NamedTuple):
    """The n-th point. Each call has two: before it is done, and before its answer."""

    number: int
    of: Of


class Fault:
    """Goes off at its place."""

    def __init__(self, place: Place, how: How) -> None:
        self._left, self._of = place
        self._how = how

    def at(self, verb: str, own: type[PlatenError], *, locked: bool) -> None:  # noqa: ARG002 - as Visit
        counts = self._of.counts(verb)
        self._left -= counts
        over = self._left < 0 or not counts
        if self._left <= 0 and not (over and self._how is How.ONCE):
            raise Killed if self._how is How.KILL else own


class Visit:
    """Somebody else's work, done at its place: all of it between two calls of the first.

    At a point within a transaction it waits for the next one outside, as the tenant's lock would
    have it wait.
    """

    def __init__(self, place: Place, work: Callable[[], None]) -> None:
        self._left, self._of = place
        self._work: Callable[[], None] | None = work

    def at(self, verb: str, own: type[PlatenError], *, locked: bool) -> None:  # noqa: ARG002 - as Fault
        self._left -= self._of.counts(verb)
        if self._left <= 0 and not locked and self._work is not None:
            work, self._work = self._work, None
            work()


class Between:
    """Stands before an adapter and tells of every point; begin and commit are calls too."""

    def __init__(
        self, real: Any, own: type[PlatenError], event: Fault | Visit, *, locked: bool = False
    ) -> None:
        self._real, self._own, self._event, self._locked = real, own, event, locked

    def __getattr__(self, verb: str) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            self._event.at(verb, self._own, locked=self._locked)
            answer = getattr(self._real, verb)(*args, **options)
            self._event.at(verb, self._own, locked=self._locked)
            return answer

        return call

    @contextmanager
    def unit(self, user: UUID) -> Iterator[Unit]:
        self._event.at("unit", self._own, locked=False)
        with self._real.unit(user) as unit:
            yield Between(unit, self._own, self._event, locked=True)  # type: ignore[misc]
            self._event.at("unit", self._own, locked=True)
        self._event.at("unit", self._own, locked=False)


def beset(parts: Parts, event: Fault | Visit) -> Parts:
    """The parts with something that comes between their calls."""
    other = Parts(parts.settings)
    other._designs = Between(parts.designs, DatabaseUnavailable, event)  # type: ignore[assignment]
    other._nas = Between(parts.nas, NasUnavailable, event)  # type: ignore[assignment]
    return other
