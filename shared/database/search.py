"""A tenant's designs as far as matching reads them: the exact tier and the two near ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import merge
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.database import queries
from shared.database.crowded import Crowded
from shared.database.engine import translated
from shared.database.keys import phash_keys, search_keys
from shared.database.queries import LEGACY, Side, values
from shared.database.rows import to_candidates
from shared.database.tables import designs
from shared.records import EVER, Candidate, Probe, Reach


class Search:
    """`shared.ports.Library` on one connection."""

    def __init__(self, connection: sa.Connection, crowded: Crowded) -> None:
        self._connection = connection
        self._crowded = crowded

    def watermark(self, user_id: UUID) -> int:
        query = sa.select(sa.func.max(designs.c.sequence)).where(designs.c.user_id == user_id)
        with translated():
            return self._connection.execute(query).scalar() or 0

    def exact(
        self, user_id: UUID, probe: Probe, *, after: int = 0, before: int = EVER
    ) -> list[Candidate]:
        query = queries.exact(
            templated=probe.template is not None,
            with_content=probe.fingerprint.content_sha256 is not None,
            with_legacy=probe.legacy_phash is not None,
        )
        return to_candidates(self._all(query, values(user_id, probe, Reach(0, 0, after, before))))

    def near(self, user_id: UUID, probe: Probe, reach: Reach) -> list[Candidate]:
        prints = probe.fingerprint
        found: list[Sequence[sa.Row[Any]]] = []
        for side, version, hash_ in _sides(probe):
            keys = search_keys(user_id, version, hash_)
            others = phash_keys(user_id, version, prints.phash) if side is Side.OPAQUE else []
            with translated():
                rare = set(self._crowded.thin(self._connection, [*others, *keys]))
            query = queries.near(side, templated=probe.template is not None)
            looked_up = {"keys": rare.intersection(keys), "phash_keys": rare.intersection(others)}
            given = values(user_id, probe, reach, **looked_up)
            found.append(self._all(query, given))
        return _merge(found)

    def recent(self, user_id: UUID, probe: Probe, reach: Reach) -> list[Candidate]:
        found: list[Sequence[sa.Row[Any]]] = []
        for side, _, _ in _sides(probe):
            query = queries.recent(side, templated=probe.template is not None)
            found.append(self._all(query, values(user_id, probe, reach)))
        return _merge(found)

    def cropped(
        self, user_id: UUID, probe: Probe, *, radius: int, before: int = EVER
    ) -> list[Candidate]:
        query = queries.cropped(templated=probe.template is not None)
        given = values(user_id, probe, Reach(radius, radius, before=before))
        return to_candidates(self._all(query, given))

    def allowed(self, user_id: UUID, content_sha256: str, *, before: int = EVER) -> set[UUID]:
        query = queries.allowed()
        given = {"user": user_id, "content_sha256": content_sha256, "before": before}
        with translated():
            return set(self._connection.execute(query, given).scalars())

    def _all(self, query: queries.Query, given: Mapping[str, Any]) -> Sequence[sa.Row[Any]]:
        with translated():
            return self._connection.execute(query, given).all()


def _sides(probe: Probe) -> list[tuple[Side, int, str]]:
    """What the probe can be near to, with the version and the hash that its keys are taken from."""
    prints = probe.fingerprint
    sides: list[tuple[Side, int, str]] = []
    if probe.legacy_phash is not None and prints.is_opaque:
        # Asked first: a row that is upgraded between the two queries is found by the second.
        sides.append((Side.LEGACY, LEGACY, probe.legacy_phash))
    if prints.index_hash is not None:
        own = Side.OPAQUE if prints.is_opaque else Side.ALPHA
        sides.append((own, prints.version, prints.index_hash))
    return sides


def _merge(answers: list[Sequence[sa.Row[Any]]]) -> list[Candidate]:
    """All answers in the order that each is in: the nearest first, of equals the newest."""
    if len(answers) == 1:
        return to_candidates(answers[0])
    return to_candidates(merge(*answers, key=lambda row: (row.distance, -row.sequence)))
