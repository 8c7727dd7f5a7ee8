"""The match: the candidate that decides an upload's verdict, with the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shared.fingerprint import legacy
from shared.fingerprint.finding import STRONGEST_FIRST, Finding
from shared.fingerprint.verdict import Rule, compare
from shared.records import (
    FINGERPRINT_VERSION,
    Candidate,
    Distances,
    Fingerprint,
    Match,
    Probe,
    Tier,
    Verdict,
)

Matched = tuple[Candidate, Finding]


def matches(probe: Probe, candidates: Iterable[Candidate], rule: Rule) -> list[Matched]:
    """The candidates that the probe is something to, strongest first.

    A duplicate comes before a variant, a variant before what is similar; then counts the stronger
    comparison, then the lesser distance, then the age.
    """
    others = (candidate for candidate in candidates if candidate.design_id != probe.design_id)
    oldest_first = sorted(others, key=lambda candidate: candidate.sequence)
    found = zip(oldest_first, compare(probe, oldest_first, rule), strict=True)
    kept = [pair for pair in found if pair[1].verdict is not Verdict.UNIQUE]
    return sorted(kept, key=lambda pair: pair[1].strength)


def evidence(probe: Probe, matched: Sequence[Matched], tier: Tier | None = None) -> Match | None:
    """The strongest of `matches`, as it is told; None where there is none.

    ``tier``: the tier to name in place of the comparison's own.
    """
    if not matched:
        return None
    candidate, finding = matched[0]
    return Match(
        design_id=candidate.design_id,
        filename=candidate.filename,
        file_path=candidate.file_path,
        state=candidate.state,
        verdict=finding.verdict,
        tier=tier or finding.tier,
        test=finding.test.name.lower(),
        distances=_distances(probe, candidate.fingerprint),
    )


def stronger(one: Match | None, other: Match | None) -> Match | None:
    """Of two matches the one with the stronger verdict; the first of equals."""
    found = [match for match in (one, other) if match is not None]
    return min(found, key=lambda match: STRONGEST_FIRST.index(match.verdict), default=None)


def _distances(probe: Probe, other: Fingerprint) -> Distances | None:
    """The distances of every hash, or None where the bits of the two do not mean the same."""
    if probe.fingerprint.comparable(other):
        return probe.fingerprint.distances(other)
    return legacy.distances(probe, other) if other.version < FINGERPRINT_VERSION else None
