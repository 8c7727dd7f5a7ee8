"""What an upload was found to be to one other picture."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from shared.records import HASH_BITS, Tier, Verdict


class Test(IntEnum):
    """The comparisons that decide, strongest first."""

    UPLOAD_SHA256 = 0
    """The same bytes."""
    CONTENT_SHA256 = 1
    """The same normal form: the identical picture."""
    HASHES = 2
    """Four equal hashes and, where it was looked at, an equal look."""
    DISTANCE = 3
    """Near by the hash; nothing else was to be looked at, or there is nothing else."""
    SIGNATURE = 4
    """Near by the hash, and every part as bright, as opaque and as coloured."""
    COLOUR = 5
    """The same drawing in other colours."""
    LIKENESS = 6
    """Much in common, and not enough."""
    TURNED = 7
    """Mirrored, or turned by a right angle."""
    FLATTENED = 8
    """The same art on a plain ground."""
    CROPPED = 9
    """A part of it, or turned a little."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict, the comparison that decided, and the distance in bits of 256."""

    verdict: Verdict
    test: Test
    bits: int

    @property
    def tier(self) -> Tier:
        return Tier.EXACT if self.test <= Test.HASHES else Tier.HAMMING

    @property
    def strength(self) -> tuple[int, int, int]:
        """Sorts the strongest evidence first."""
        return STRONGEST_FIRST.index(self.verdict), self.test, self.bits


STRONGEST_FIRST = [Verdict.DUPLICATE, Verdict.VARIANT, Verdict.SIMILAR, Verdict.UNIQUE]

NOTHING = Finding(Verdict.UNIQUE, Test.DISTANCE, HASH_BITS)
"""Nothing in common that hashes could tell."""
