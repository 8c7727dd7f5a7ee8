"""The verdict: whether an upload is a design that the shop, or its batch, already has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar
from uuid import UUID

from shared.fingerprint.hashes import telling
from shared.records import (
    FINGERPRINT_VERSION,
    HASH_BITS,
    Design,
    Distances,
    Fingerprint,
    Match,
    Probe,
    State,
    Tier,
)
from shared.settings import Policy

_Known = TypeVar("_Known", Design, "Earlier")


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes two pictures duplicates. ``threshold``: Hamming distance in bits of 256."""

    policy: Policy
    threshold: int


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier file of the same batch; ``filename`` is the seller's own."""

    design_id: UUID
    filename: str
    probe: Probe


class _Test(IntEnum):
    """The comparisons, strongest first. All but the last are equalities."""

    UPLOAD_SHA256 = 0
    CONTENT_SHA256 = 1
    HASHES = 2
    DISTANCE = 3


@dataclass(frozen=True, slots=True)
class _Finding:
    """That a probe is like one other picture, and by which comparison."""

    test: _Test
    bits: int
    distances: Distances | None

    @property
    def tier(self) -> Tier:
        return Tier.HAMMING if self.test is _Test.DISTANCE else Tier.EXACT


def best(probe: Probe, designs: Iterable[Design], rule: Rule, tier: Tier) -> Match | None:
    """The strongest match among designs, or None.

    ``tier``: `Tier.EXACT` asks for equality only, `Tier.HAMMING` for equality and distance; the
    match carries the tier of the comparison that decided. The strongest comparison wins, then
    the least distance, then the oldest design.
    """
    oldest_first = sorted(designs, key=lambda design: design.sequence)
    found = _strongest(
        (design, finding)
        for design in oldest_first
        if (finding := _compare(probe, design.fingerprint, design.upload_sha256, rule))
        and (tier is not Tier.EXACT or finding.tier is Tier.EXACT)
    )
    if found is None:
        return None
    design, finding = found
    return Match(
        design_id=design.design_id,
        filename=design.filename,
        file_path=design.file_path,
        state=design.state,
        tier=finding.tier,
        test=finding.test.name.lower(),
        distances=finding.distances,
    )


def batch(probe: Probe, earlier: Iterable[Earlier], rule: Rule) -> Match | None:
    """The strongest match among the earlier files of the batch, or None; else as in `best`."""
    found = _strongest(
        (file, finding)
        for file in earlier
        if (finding := _compare(probe, file.probe.fingerprint, file.probe.upload_sha256, rule))
    )
    if found is None:
        return None
    file, finding = found
    return Match(
        design_id=file.design_id,
        filename=file.filename,
        file_path=None,
        state=State.PENDING,
        tier=Tier.BATCH,
        test=finding.test.name.lower(),
        distances=finding.distances,
    )


def _strongest(found: Iterable[tuple[_Known, _Finding]]) -> tuple[_Known, _Finding] | None:
    """The first of the strongest findings, or None where there is none."""
    return min(found, key=lambda pair: (pair[1].test, pair[1].bits), default=None)


def _compare(
    probe: Probe, other: Fingerprint, upload_sha256: str | None, rule: Rule
) -> _Finding | None:
    """The strongest comparison by which the probe and another picture are alike."""
    distances = _distances(probe, other, rule)
    if probe.upload_sha256 == upload_sha256:
        return _Finding(_Test.UPLOAD_SHA256, 0, distances)
    if probe.fingerprint.content_sha256 == other.content_sha256:
        return _Finding(_Test.CONTENT_SHA256, 0, distances)
    if distances is None:
        return None
    if not any((distances.phash, distances.ahash, distances.dhash, distances.whash)):
        return _Finding(_Test.HASHES, 0, distances)
    bits = _nearness(distances)
    return _Finding(_Test.DISTANCE, bits, distances) if bits <= rule.threshold else None


def _nearness(distances: Distances) -> int:
    """The lesser of the distances of the phash and of the index hash, in bits.

    Many bits of an opaque picture's phash are rounding noise (see `shared.fingerprint.bias`):
    within 15 bits it finds 84 to 97 % of plain resizes and re-encodings, the index hash 97 to
    100 %. The phash is asked too because it is the workflow's own rule.
    """
    return min(distances.phash, HASH_BITS if distances.index is None else distances.index)


def _distances(probe: Probe, other: Fingerprint, rule: Rule) -> Distances | None:
    """The distances of every hash, or None where the bits of the two do not mean the same."""
    if probe.fingerprint.comparable(other):
        return probe.fingerprint.distances(other)
    if other.version >= FINGERPRINT_VERSION:
        return None
    if probe.fingerprint.is_opaque:
        return _legacy_distances(probe.fingerprint, other, rule)
    return Distances(phash=0) if probe.legacy_phash == other.phash else None


def _legacy_distances(mine: Fingerprint, other: Fingerprint, rule: Rule) -> Distances | None:
    """The distances of opaque art to a row of version 1: its hashes mean the same there.

    Where the row's phash tells nothing, such as that of any art in black ink whose alpha was
    dropped, the three other hashes must agree too.
    """
    same_kind = mine.model_copy(update={"version": other.version, "is_opaque": other.is_opaque})
    distances = same_kind.distances(other)
    rest = (distances.ahash, distances.dhash, distances.whash)
    if telling(other.phash) or all(bits is not None and bits <= rule.threshold for bits in rest):
        return distances
    return None
