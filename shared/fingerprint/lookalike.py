"""Look-alikes that no hash finds by itself: turned, flattened and cropped copies.

They are reported as similar and never as duplicates: a mirrored motif can be a product of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from shared.fingerprint.finding import Finding, Test
from shared.fingerprint.likeness import alike, differences
from shared.fingerprint.limits import LIMITS
from shared.fingerprint.match import Matched, matches
from shared.fingerprint.verdict import Rule, nearness
from shared.records import Candidate, Fingerprint, Probe, Verdict
from shared.settings import Policy

TESTS = frozenset(test.name.lower() for test in (Test.TURNED, Test.FLATTENED, Test.CROPPED))
"""What decides here, as a match tells it."""

RULE = Rule(Policy.VERIFIED, LIMITS.duplicate_bits)


def seen_as(probe: Probe, other: Fingerprint) -> Probe:
    """The upload as it would be had it been sent in another form."""
    return replace(probe, fingerprint=other, legacy_phash=None)


def in_other_form(probe: Probe, candidates: Iterable[Candidate], test: Test) -> list[Matched]:
    """What a probe that was `seen_as` something else is something to."""
    return [
        (candidate, Finding(Verdict.SIMILAR, test, finding.bits))
        for candidate, finding in matches(probe, candidates, RULE)
    ]


def in_part(probe: Probe, candidates: Iterable[Candidate]) -> list[Matched]:
    """Those of the candidates, near by their low frequencies, that look much like the probe."""
    kin = [
        candidate
        for candidate in candidates
        if candidate.design_id != probe.design_id
        and probe.fingerprint.comparable(candidate.fingerprint)
    ]
    if not kin:
        return []
    prints = [candidate.fingerprint for candidate in kin]
    bits = nearness(probe.fingerprint, prints)
    looks = alike(differences(probe.fingerprint, prints))
    found = [
        (candidate, Finding(Verdict.SIMILAR, Test.CROPPED, distance))
        for candidate, distance, is_alike in zip(kin, bits, looks, strict=True)
        if is_alike
    ]
    return sorted(found, key=lambda pair: (pair[1].strength, pair[0].sequence))
