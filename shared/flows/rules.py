"""What one request asks of the comparison, its own words before the settings'."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from uuid import UUID

from shared.fingerprint.verdict import Rule, best
from shared.messages import Judging
from shared.ports import Library
from shared.records import Design, Match, Probe, Tier
from shared.settings import Scope, Search, Settings


@dataclass(frozen=True, slots=True)
class Judgement:
    """How uploads are compared with a tenant's designs."""

    rule: Rule
    search: Search
    scope: Scope

    @classmethod
    def of(cls, request: Judging, settings: Settings) -> Judgement:
        threshold = request.hash_threshold
        return cls(
            rule=Rule(
                policy=request.policy or settings.duplicate_policy,
                threshold=settings.hash_threshold if threshold is None else threshold,
            ),
            search=request.search or settings.duplicate_search,
            scope=request.scope or settings.duplicate_scope,
        )

    def template(self, name: str) -> str | None:
        """The template that comparisons stay within, if they do."""
        return name if self.scope is Scope.TEMPLATE else None

    def exact(
        self, library: Library, user: UUID, probe: Probe, *, after: int = 0, before: float = inf
    ) -> Match | None:
        """Tier 2: the same upload, the same picture or equal hashes.

        ``after`` and ``before``: only designs with a sequence between them.
        """
        found = library.exact(user, probe, after=after)
        return best(probe, _older(found, before), self.rule, Tier.EXACT)

    def near(
        self, library: Library, user: UUID, probe: Probe, *, after: int = 0, before: float = inf
    ) -> Match | None:
        """Tier 3: within the threshold; else as in `exact`."""
        find = library.near if self.search is Search.LIBRARY else library.recent
        found = find(user, probe, radius=self.rule.threshold, after=after)
        return best(probe, _older(found, before), self.rule, Tier.HAMMING)

    def any(self, library: Library, user: UUID, probe: Probe, *, after: int = 0) -> Match | None:
        """Tiers 2 and 3, the cheaper first."""
        return self.exact(library, user, probe, after=after) or self.near(
            library, user, probe, after=after
        )


def _older(designs: Iterable[Design], before: float) -> list[Design]:
    return [design for design in designs if design.sequence < before]
