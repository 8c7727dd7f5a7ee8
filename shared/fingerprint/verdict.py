"""The verdict: what an upload is to pictures that the shop, or its batch, already has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from shared.fingerprint import legacy
from shared.fingerprint.finding import NOTHING, Finding, Test
from shared.fingerprint.likeness import (
    alike,
    differences,
    same_colour,
    same_format,
    same_picture,
    same_shape,
)
from shared.fingerprint.limits import LIMITS
from shared.records import FINGERPRINT_VERSION, Candidate, Fingerprint, Probe, Verdict
from shared.settings import Policy


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes two pictures duplicates. ``threshold``: Hamming distance in bits of 256."""

    policy: Policy
    threshold: int

    @property
    def radius(self) -> int:
        """Bits within which pictures are looked at; what is no duplicate there may be reported."""
        if self.policy is Policy.HASH:
            return self.threshold
        return max(self.threshold, LIMITS.report_bits)


def compare(probe: Probe, others: Sequence[Candidate], rule: Rule) -> list[Finding]:
    """What the probe is to each of the others, in their order."""
    found = [_by_identity(probe, other) or _by_kind(probe, other, rule) for other in others]
    left = [at for at, finding in enumerate(found) if finding is None]
    kin = [others[at].fingerprint for at in left]
    judge = _by_hash if rule.policy is Policy.HASH else _by_look
    judged = iter(judge(probe.fingerprint, kin, rule))
    return [finding or next(judged) for finding in found]


def _by_identity(probe: Probe, other: Candidate) -> Finding | None:
    if probe.upload_sha256 == other.upload_sha256:
        return Finding(Verdict.DUPLICATE, Test.UPLOAD_SHA256, 0)
    if probe.fingerprint.content_sha256 == other.fingerprint.content_sha256:
        return Finding(Verdict.DUPLICATE, Test.CONTENT_SHA256, 0)
    return None


def _by_kind(probe: Probe, other: Candidate, rule: Rule) -> Finding | None:
    """The finding where the hashes of the two don't mean the same; None where they do."""
    theirs = other.fingerprint
    if probe.fingerprint.comparable(theirs):
        return None
    if theirs.version >= FINGERPRINT_VERSION:
        return NOTHING
    if rule.policy is Policy.HASH:
        return legacy.compare(probe, theirs, duplicate=rule.threshold, similar=0)
    # Nobody can look at colours there, so only the workflow's own limit makes a duplicate.
    return legacy.compare(
        probe,
        theirs,
        duplicate=min(rule.threshold, LIMITS.legacy_bits),
        similar=LIMITS.duplicate_bits,
    )


def _by_hash(mine: Fingerprint, others: Sequence[Fingerprint], rule: Rule) -> list[Finding]:
    """The workflow's own rule: near enough is a duplicate, and nothing else is looked at."""
    found = []
    for other, bits in zip(others, nearness(mine, others), strict=True):
        verdict = Verdict.DUPLICATE if bits <= rule.threshold else Verdict.UNIQUE
        test = Test.HASHES if _has_equal_hashes(mine, other) else Test.DISTANCE
        found.append(Finding(verdict, test, bits))
    return found


def _by_look(mine: Fingerprint, others: Sequence[Fingerprint], rule: Rule) -> list[Finding]:
    """The ladder, worked out for all others at once: the first step that holds is the verdict."""
    if not others:
        return []
    bits = np.array(nearness(mine, others), np.int64)
    apart = differences(mine, others)
    same_art = same_picture(apart) & same_colour(apart)
    within = bits <= rule.radius
    ladder = [
        (Verdict.DUPLICATE, within & (bits <= rule.threshold) & same_art & same_format(apart)),
        (Verdict.VARIANT, within & same_shape(apart) & ~same_colour(apart)),
        (Verdict.SIMILAR, within & (same_art | alike(apart))),
        (Verdict.UNIQUE, np.ones_like(within)),
    ]
    first = np.argmax([holds for _, holds in ladder], axis=0)
    return [
        _looked_at(mine, other, ladder[step][0], int(distance))
        for other, step, distance in zip(others, first, bits, strict=True)
    ]


_DECIDES = {
    Verdict.DUPLICATE: Test.SIGNATURE,
    Verdict.VARIANT: Test.COLOUR,
    Verdict.SIMILAR: Test.LIKENESS,
    Verdict.UNIQUE: Test.LIKENESS,
}


def _looked_at(mine: Fingerprint, other: Fingerprint, verdict: Verdict, bits: int) -> Finding:
    is_exact = verdict is Verdict.DUPLICATE and _has_equal_hashes(mine, other)
    return Finding(verdict, Test.HASHES if is_exact else _DECIDES[verdict], bits)


def nearness(mine: Fingerprint, others: Sequence[Fingerprint]) -> list[int]:
    """The lesser of the distances of the phash and of the index hash, in bits of 256.

    Many bits of an opaque picture's phash are rounding noise (see `shared.fingerprint.bias`):
    within 15 bits it finds 84 to 97 % of plain resizes and re-encodings, the index hash 97 to
    100 %. The phash is asked too because it is the workflow's own rule.
    """
    phash, index = (
        _distances(*hashes)
        for hashes in (
            (mine.phash, [other.phash for other in others]),
            (str(mine.index_hash), [str(other.index_hash) for other in others]),
        )
    )
    lesser: list[int] = np.minimum(phash, index).tolist()
    return lesser


def _distances(mine: str, others: Sequence[str]) -> npt.NDArray[np.uint16]:
    """Hamming distances of one hash from others, (n,), in bits."""
    packed = np.frombuffer(bytes.fromhex(mine + "".join(others)), np.uint64)
    hashes = packed.reshape(len(others) + 1, -1)
    distances: npt.NDArray[np.uint16] = np.bitwise_count(hashes[1:] ^ hashes[0]).sum(
        axis=1, dtype=np.uint16
    )
    return distances


def _has_equal_hashes(mine: Fingerprint, other: Fingerprint) -> bool:
    return all(getattr(mine, name) == getattr(other, name) for name in _FOUR)


_FOUR = ("phash", "ahash", "dhash", "whash")
