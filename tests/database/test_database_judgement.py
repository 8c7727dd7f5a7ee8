"""What a judgement asks the library for: as much as can change what becomes of an upload."""

from __future__ import annotations

import pytest
from database_rows import USER, a_design, a_fingerprint, a_hash, file_design, insert_many

from shared.database.designs import PostgresDesigns
from shared.database.queries import FARTHER
from shared.flows.rules import Judgement
from shared.messages import DedupeRequest
from shared.records import Fingerprint, Probe, Verdict
from shared.settings import Settings

IN_NO_KEY = [16 * row + 15 for row in range(16)]
"""Bits of a hash that no key has: designs that differ in these are near and always found."""


def at(hash_: str, *more: int) -> str:
    """Another hash: as many bits off as no key has, and some."""
    return f"{int(hash_, 16) ^ sum(1 << (255 - bit) for bit in [*IN_NO_KEY, *more]):064x}"


def judgement(review: str) -> Judgement:
    request = DedupeRequest.model_validate({"template": "UVDTF 16oz", "review": review})
    return Judgement.of(request, Settings())


@pytest.fixture
def art(database_url: str, designs: PostgresDesigns) -> Fingerprint:
    """An upload's. In the library are its like, 18 bits off, and a hundred others, 17 bits off."""
    mine = a_fingerprint(phash=a_hash())
    file_design(designs, a_design(fingerprint=its_like(mine)))
    insert_many(database_url, [at(mine.phash, 0)] * FARTHER)
    return mine


def its_like(prints: Fingerprint) -> Fingerprint:
    """A fingerprint with the same signature, 18 bits off."""
    hashes = ("phash", "ahash", "dhash", "whash", "index_hash")
    own = dict.fromkeys(hashes, at(prints.phash, 0, 1))
    return prints.model_copy(update=own | {"content_sha256": a_hash()})


def test_of_what_can_only_be_reported_the_nearest_are_looked_at(
    designs: PostgresDesigns, art: Fingerprint
) -> None:
    assert judgement("file").near(designs, USER, Probe(art, a_hash())) is None


def test_where_similar_designs_are_held_all_are_looked_at(
    designs: PostgresDesigns, art: Fingerprint
) -> None:
    held = judgement("hold")
    found = held.near(designs, USER, Probe(art, a_hash()))
    assert found is not None
    assert found.verdict is Verdict.SIMILAR
    assert held.stops(found)


@pytest.mark.parametrize("review", ["file", "hold"])
def test_what_was_found_once_is_found_again_however_much_came_later(
    database_url: str, designs: PostgresDesigns, review: str
) -> None:
    mine = a_fingerprint(phash=a_hash())
    first = file_design(designs, a_design(fingerprint=its_like(mine)))
    insert_many(database_url, [at(mine.phash, 0)] * 600)
    before = first.sequence + 1
    found = judgement(review).near(designs, USER, Probe(mine, a_hash()), before=before)
    assert found is not None
    assert (found.design_id, found.verdict) == (first.design_id, Verdict.SIMILAR)
