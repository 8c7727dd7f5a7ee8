"""What one request asks of the comparison, its own words before the settings'."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from shared.fingerprint.limits import LIMITS
from shared.fingerprint.match import Matched, evidence, matches
from shared.fingerprint.verdict import Rule
from shared.flows.lookalikes import LookAlikes
from shared.flows.source import Source
from shared.messages import Judging
from shared.ports import Library
from shared.records import EVER, Candidate, Match, Probe, Reach, Tier, Verdict
from shared.settings import Policy, Review, Scope, Search, Settings


@dataclass(frozen=True, slots=True)
class Judgement:
    """How uploads are compared with a tenant's designs."""

    rule: Rule
    review: Review
    search: Search
    scope: Scope
    look_alikes: LookAlikes

    @classmethod
    def of(cls, request: Judging, settings: Settings) -> Judgement:
        policy = request.policy or settings.duplicate_policy
        thresholds = (request.hash_threshold, settings.hash_threshold, _THRESHOLDS[policy])
        return cls(
            rule=Rule(policy, next(bits for bits in thresholds if bits is not None)),
            review=request.review or settings.duplicate_review,
            search=request.search or settings.duplicate_search,
            scope=request.scope or settings.duplicate_scope,
            look_alikes=LookAlikes.of(settings),
        )

    def template(self, name: str) -> str | None:
        """The template that comparisons stay within, if they do."""
        return name if self.scope is Scope.TEMPLATE else None

    def stops(self, match: Match) -> bool:
        """Whether a match keeps an upload from being filed, unless the seller allows it."""
        if match.verdict is Verdict.SIMILAR:
            return self.review is Review.HOLD
        return match.verdict is Verdict.DUPLICATE

    def exact(
        self,
        library: Library,
        user: UUID,
        probe: Probe,
        *,
        after: int = 0,
        before: int = EVER,
    ) -> Match | None:
        """Tier 2: the same upload, the same picture or equal hashes.

        ``after`` and ``before``: only designs with a sequence between them.
        """
        candidates = library.exact(user, probe, after=after, before=before)
        found = matches(probe, candidates, self.rule)
        equal = [pair for pair in found if pair[1].tier is Tier.EXACT]
        return evidence(probe, _unless_allowed(library, user, probe, equal, before))

    def near(
        self,
        library: Library,
        user: UUID,
        probe: Probe,
        *,
        after: int = 0,
        before: int = EVER,
    ) -> Match | None:
        """Tier 3: within the rule's radius; else as in `exact`."""
        candidates = self._near(library, user, probe, after=after, before=before)
        found = matches(probe, candidates, self.rule)
        return evidence(probe, _unless_allowed(library, user, probe, found, before))

    def any(self, library: Library, user: UUID, probe: Probe, *, after: int = 0) -> Match | None:
        """Tiers 2 and 3, the cheaper first."""
        return self.exact(library, user, probe, after=after) or self.near(
            library, user, probe, after=after
        )

    def all(self, library: Library, user: UUID, probe: Probe) -> list[UUID]:
        """Every design that the upload is something to."""
        candidates = [*library.exact(user, probe), *self._near(library, user, probe)]
        return [candidate.design_id for candidate, _ in matches(probe, candidates, self.rule)]

    def look_alike(
        self,
        library: Library,
        user: UUID,
        probe: Probe,
        source: Source,
        *,
        before: int = EVER,
    ) -> Match | None:
        """What no tier finds, where `LookAlikes.wanted`; else as in `exact`."""

        def near(seen: Probe) -> list[Candidate]:
            return self._near(library, user, seen, before=before)

        def cropped(seen: Probe, radius: int) -> list[Candidate]:
            return library.cropped(user, seen, radius=radius, before=before)

        for seen, found in self.look_alikes.find(probe, source, near, cropped):
            match = evidence(seen, _unless_allowed(library, user, probe, found, before))
            if match is not None:
                return match
        return None

    def _near(
        self, library: Library, user: UUID, probe: Probe, *, after: int = 0, before: int = EVER
    ) -> list[Candidate]:
        find = library.near if self.search is Search.LIBRARY else library.recent
        radius = self.rule.radius
        # What is similar stops a file where it is held, and so can all that is reported.
        threshold = radius if self.review is Review.HOLD else self.rule.threshold
        return find(user, probe, Reach(threshold, radius, after, before))


_THRESHOLDS = {Policy.VERIFIED: LIMITS.duplicate_bits, Policy.HASH: LIMITS.legacy_bits}
"""Bits, where neither the request nor the settings name any."""


def _unless_allowed(
    library: Library, user: UUID, probe: Probe, found: list[Matched], before: int
) -> list[Matched]:
    """The matches but those that the seller wanted beside this very picture before."""
    content = probe.fingerprint.content_sha256
    if not found or content is None:
        return found
    allowed = library.allowed(user, content, before=before)
    return [pair for pair in found if pair[0].design_id not in allowed]
