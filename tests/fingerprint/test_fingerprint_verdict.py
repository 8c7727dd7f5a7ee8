"""The verdict by hashes alone, what comes before a look, and which of several designs is named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

import pytest

from shared.fingerprint.match import evidence, matches, stronger
from shared.fingerprint.verdict import Rule
from shared.records import Candidate, Distances, Fingerprint, Match, Probe, State, Tier, Verdict
from shared.settings import Policy

FIVE = Rule(Policy.HASH, 5)
EXACT, HAMMING = Tier.EXACT, Tier.HAMMING

HASH = int("c11a4c63e8397f6396938e77cbbb2a55592c229dd291f45dfd42aaf4c6069089", 16)


def hex64(value: int, flipped: int = 0) -> str:
    """A hash with its lowest ``flipped`` bits turned over."""
    return f"{value ^ ((1 << flipped) - 1):064x}"


def version_2(
    phash: int = 0,
    index: int | None = None,
    others: int = 0,
    opaque: bool = False,
    content: int = 0,
) -> Fingerprint:
    """A fingerprint so many bits from the probe's; ``content`` 0 is the probe's own picture."""
    return Fingerprint(
        phash=hex64(HASH, phash),
        ahash=hex64(HASH + 1, others),
        dhash=hex64(HASH + 2, others),
        whash=hex64(HASH + 3, others),
        index_hash=hex64(HASH + 4, phash if index is None else index),
        signature="00" * 512,
        content_sha256=hex64(content),
        is_opaque=opaque,
        width_px=100,
        height_px=100,
    )


def version_1(phash: int, others: int | None = None) -> Fingerprint:
    """A row from elsewhere, with its phash alone or with all four hashes."""
    rest = [None if others is None else hex64(HASH + n, others) for n in (1, 2, 3)]
    return Fingerprint(
        version=1, phash=f"{phash:064x}", ahash=rest[0], dhash=rest[1], whash=rest[2]
    )


def design(fingerprint: Fingerprint, sequence: int = 1, sha256: int | None = 99) -> Candidate:
    return Candidate(
        design_id=UUID(int=sequence),
        filename=f"UV_{sequence:03}.png",
        file_path=f"/share/Graphics/UV_{sequence:03}.png",
        state=State.ACTIVE,
        sequence=sequence,
        upload_sha256=None if sha256 is None else hex64(sha256),
        fingerprint=fingerprint,
    )


def best(probe: Probe, designs: Iterable[Candidate], rule: Rule, tier: Tier) -> Match | None:
    """The decisive match of the exact tier, or of the near one."""
    found = matches(probe, designs, rule)
    if tier is Tier.EXACT:
        found = [pair for pair in found if pair[1].tier is Tier.EXACT]
    return evidence(probe, found)


def batch(probe: Probe, earlier: Iterable[Candidate], rule: Rule) -> Match | None:
    return evidence(probe, matches(probe, earlier, rule), Tier.BATCH)


def probe(
    opaque: bool = False, legacy: str | None = None, fingerprint: Fingerprint | None = None
) -> Probe:
    return Probe(fingerprint or version_2(opaque=opaque), hex64(1), legacy_phash=legacy)


def test_an_equal_upload_is_the_strongest_evidence() -> None:
    match = best(probe(), [design(version_2(content=5), sha256=1)], FIVE, EXACT)
    assert match is not None
    assert (match.tier, match.test) == (Tier.EXACT, "upload_sha256")
    assert match.distances == Distances(phash=0, ahash=0, dhash=0, whash=0, index=0)
    assert (match.filename, match.file_path) == ("UV_001.png", "/share/Graphics/UV_001.png")
    assert (match.design_id, match.state) == (UUID(int=1), State.ACTIVE)


def test_an_equal_picture_is_exact_whatever_the_upload() -> None:
    match = best(probe(), [design(version_2())], FIVE, EXACT)
    assert match is not None
    assert (match.tier, match.test) == (Tier.EXACT, "content_sha256")


def test_equal_hashes_are_exact_whatever_the_picture() -> None:
    match = best(probe(), [design(version_2(content=5))], FIVE, EXACT)
    assert match is not None
    assert (match.tier, match.test) == (Tier.EXACT, "hashes")


def test_an_equal_phash_with_other_hashes_is_near_and_not_exact() -> None:
    near = design(version_2(others=9, content=5))
    assert best(probe(), [near], FIVE, EXACT) is None
    match = best(probe(), [near], FIVE, HAMMING)
    assert match is not None
    assert (match.tier, match.test) == (Tier.HAMMING, "distance")
    assert match.distances == Distances(phash=0, ahash=9, dhash=9, whash=9, index=0)


@pytest.mark.parametrize(("bits", "found"), [(5, True), (6, False)])
def test_the_threshold_itself_is_near(bits: int, found: bool) -> None:
    near = design(version_2(phash=bits, content=5))
    assert (best(probe(), [near], FIVE, HAMMING) is not None) is found


@pytest.mark.parametrize(("phash", "index"), [(90, 5), (5, 90)])
@pytest.mark.parametrize("opaque", [True, False])
def test_the_lesser_of_phash_and_index_hash_decides(phash: int, index: int, opaque: bool) -> None:
    near = design(version_2(phash, index, others=80, opaque=opaque, content=5))
    match = best(probe(opaque), [near], FIVE, HAMMING)
    assert match is not None
    assert match.distances == Distances(phash=phash, ahash=80, dhash=80, whash=80, index=index)


def test_the_other_hashes_alone_are_no_evidence() -> None:
    assert best(probe(), [design(version_2(phash=90, content=5))], FIVE, HAMMING) is None


def test_a_threshold_of_nothing_finds_an_equal_phash_only() -> None:
    none = Rule(Policy.HASH, 0)
    assert best(probe(), [design(version_2(others=9, content=5))], none, HAMMING)
    assert not best(probe(), [design(version_2(phash=1, others=9, content=5))], none, HAMMING)


def test_the_exact_tier_finds_nothing_near() -> None:
    assert best(probe(), [design(version_2(phash=1, content=5))], FIVE, EXACT) is None


def test_the_near_tier_says_so_when_a_design_is_exact_after_all() -> None:
    match = best(probe(), [design(version_2())], FIVE, HAMMING)
    assert match is not None
    assert (match.tier, match.test) == (Tier.EXACT, "content_sha256")


def test_no_designs_give_no_match() -> None:
    assert best(probe(), [], FIVE, HAMMING) is None


def test_opaque_art_never_matches_art_with_alpha_by_its_hashes() -> None:
    other = design(version_2(opaque=True, content=5))
    assert best(probe(opaque=False), [other], FIVE, HAMMING) is None


def test_an_equal_upload_matches_across_kinds_without_distances() -> None:
    match = best(probe(), [design(version_2(opaque=True, content=5), sha256=1)], FIVE, EXACT)
    assert match is not None
    assert (match.test, match.distances) == ("upload_sha256", None)


def test_the_strongest_comparison_wins_then_the_least_distance_then_the_oldest() -> None:
    ranked = [
        design(version_2(phash=90, index=90, content=5), sequence=9, sha256=1),
        design(version_2(), sequence=8),
        design(version_2(content=5), sequence=7),
        design(version_2(phash=1, content=5), sequence=6),
        design(version_2(phash=3, content=5), sequence=2),
        design(version_2(phash=3, content=5), sequence=5),
    ]
    while ranked:
        match = best(probe(), reversed(ranked), FIVE, HAMMING)
        assert match is not None
        assert match.design_id == ranked[0].design_id
        ranked.pop(0)


# Rows of version 1


@pytest.mark.parametrize(("bits", "found"), [(0, True), (5, True), (6, False)])
def test_opaque_art_is_found_among_rows_of_version_1_by_its_phash(bits: int, found: bool) -> None:
    row = design(version_1(int(hex64(HASH, bits), 16)), sha256=None)
    match = best(probe(opaque=True), [row], FIVE, HAMMING)
    assert (match is not None) is found
    if match is not None:
        assert (match.test, match.tier) == (
            ("distance", Tier.HAMMING) if bits else ("hashes", Tier.EXACT)
        )
        assert match.distances == Distances(phash=bits)


def test_the_hashes_that_a_row_of_version_1_has_must_all_be_equal_to_be_exact() -> None:
    assert best(probe(opaque=True), [design(version_1(HASH, others=0))], FIVE, EXACT)
    assert not best(probe(opaque=True), [design(version_1(HASH, others=1))], FIVE, EXACT)


def test_art_with_alpha_is_found_among_rows_of_version_1_by_an_equal_phash_only() -> None:
    row = design(version_1(HASH + 50), sha256=None)
    match = best(probe(legacy=hex64(HASH + 50)), [row], FIVE, EXACT)
    assert match is not None
    assert (match.test, match.tier, match.distances) == (
        "hashes",
        Tier.EXACT,
        Distances(phash=0),
    )
    assert best(probe(legacy=hex64(HASH + 51)), [row], FIVE, HAMMING) is None


def test_art_with_alpha_is_not_compared_with_version_1_by_its_own_phash() -> None:
    assert best(probe(), [design(version_1(HASH))], FIVE, HAMMING) is None


def test_black_art_of_version_1_matches_nothing_by_a_phash_that_tells_nothing() -> None:
    ramp = replace(
        probe(), fingerprint=version_2(opaque=True).model_copy(update={"phash": hex64(3)})
    )
    assert best(ramp, [design(version_1(0))], FIVE, HAMMING) is None
    assert best(ramp, [design(version_1(3))], FIVE, HAMMING) is None
    assert best(ramp, [design(version_1(0, others=6))], FIVE, HAMMING) is None


def test_a_plain_picture_of_version_1_is_found_when_all_of_its_hashes_agree() -> None:
    ramp = replace(
        probe(), fingerprint=version_2(opaque=True).model_copy(update={"phash": hex64(3)})
    )
    assert best(ramp, [design(version_1(0, others=5))], FIVE, HAMMING)
    assert best(ramp, [design(version_1(3, others=0))], FIVE, EXACT)


# Batches


def earlier(fingerprint: Fingerprint, number: int, sha256: int = 99) -> Candidate:
    file = design(fingerprint, number, sha256)
    return replace(file, filename=f"{number}.png", file_path=None, state=State.PENDING)


def test_a_match_within_the_batch_names_the_sellers_own_file() -> None:
    match = batch(probe(), [earlier(version_2(phash=2, content=5), 4)], FIVE)
    assert match is not None
    assert (match.tier, match.test) == (Tier.BATCH, "distance")
    assert (match.design_id, match.filename) == (UUID(int=4), "4.png")
    assert (match.file_path, match.state) == (None, State.PENDING)
    assert match.distances is not None
    assert match.distances.phash == 2


def test_within_the_batch_too_the_strongest_wins_and_then_the_first() -> None:
    ranked = [
        earlier(version_2(content=5), 5, sha256=1),
        earlier(version_2(), 4),
        earlier(version_2(content=5), 3),
        earlier(version_2(phash=1, content=5), 2),
    ]
    while ranked:
        match = batch(probe(), ranked[::-1], FIVE)
        assert match is not None
        assert match.design_id == ranked[0].design_id
        ranked.pop(0)
    twice = [earlier(version_2(), 8), earlier(version_2(), 9)]
    match = batch(probe(), twice, FIVE)
    assert match is not None
    assert match.design_id == UUID(int=8)


def test_a_batch_without_anything_near_gives_no_match() -> None:
    assert batch(probe(), [], FIVE) is None
    assert batch(probe(), [earlier(version_2(phash=6, content=5), 1)], FIVE) is None
    assert batch(probe(), [earlier(version_2(opaque=True, content=5), 1)], FIVE) is None


# Several matches


def test_a_design_is_not_compared_with_itself() -> None:
    mine = replace(probe(), design_id=UUID(int=1))
    assert matches(mine, [design(version_2(), sequence=1)], FIVE) == []
    assert len(matches(mine, [design(version_2(), sequence=2)], FIVE)) == 1


def test_of_two_matches_the_stronger_verdict_counts_and_then_the_first() -> None:
    found = batch(probe(), [earlier(version_2(), 4)], FIVE)
    other = batch(probe(), [earlier(version_2(), 5)], FIVE)
    assert found is not None
    similar = found.model_copy(update={"verdict": Verdict.SIMILAR})
    variant = found.model_copy(update={"verdict": Verdict.VARIANT})
    assert stronger(found, other) is found
    assert stronger(similar, variant) is variant
    assert stronger(variant, found) is found
    assert stronger(None, similar) is similar
    assert stronger(None, None) is None
