"""Designs that the tenant wanted beside others, and the search by low frequencies alone."""

from __future__ import annotations

import random
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from database_rows import (
    USER,
    a_design,
    a_fingerprint,
    a_hash,
    a_probe,
    file_design,
    insert_many,
)

from shared.database.designs import PostgresDesigns
from shared.database.engine import patient
from shared.database.queries import LIMIT
from shared.errors import DatabaseRefused
from shared.records import EVER, Design

LOW = [16 * row + column for row in range(8) for column in range(8)]
"""Places of a hash's low frequencies, counted from its first bit."""
HIGH = sorted(set(range(256)) - set(LOW))
OTHER = UUID("00000000-0000-4000-8000-000000000002")


def turned_over(hash_: str, places: list[int]) -> str:
    return f"{int(hash_, 16) ^ sum(1 << (255 - place) for place in places):064x}"


def of(designs: PostgresDesigns, hash_: str, **own: object) -> Design:
    return file_design(designs, a_design(fingerprint=a_fingerprint(phash=hash_), **own))


class TestCropped:
    def test_counts_the_64_low_frequencies_and_no_other_bit(self, designs: PostgresDesigns) -> None:
        draw = random.Random(4)  # noqa: S311 - pictures, not secrets
        hash_ = a_hash()
        within = [
            of(designs, turned_over(hash_, draw.sample(LOW, bits) + draw.sample(HIGH, high)))
            for bits, high in ((0, 192), (3, 0), (7, 90), (11, 5))
        ]
        of(designs, turned_over(hash_, draw.sample(LOW, 12)))
        probe = a_probe(a_design(fingerprint=a_fingerprint(phash=hash_)))

        found = designs.cropped(USER, probe, radius=11)

        assert [one.design_id for one in found] == [design.design_id for design in within]

    @pytest.mark.parametrize("place", [0, 7, 112, 119])
    def test_reaches_into_each_corner(self, designs: PostgresDesigns, place: int) -> None:
        hash_ = a_hash()
        of(designs, turned_over(hash_, [place]))
        probe = a_probe(a_design(fingerprint=a_fingerprint(phash=hash_)))

        assert designs.cropped(USER, probe, radius=0) == []
        assert len(designs.cropped(USER, probe, radius=1)) == 1

    def test_stays_within_the_tenant_the_kind_and_the_template(
        self, designs: PostgresDesigns
    ) -> None:
        hash_ = a_hash()
        own = of(designs, hash_)
        of(designs, hash_, user_id=OTHER, shop="Other")
        file_design(designs, a_design(fingerprint=a_fingerprint(phash=hash_, is_opaque=True)))
        of(designs, hash_, template="DTF Adult")
        design = a_design(fingerprint=a_fingerprint(phash=hash_))

        narrow = designs.cropped(USER, a_probe(design, template="uvdtf 16OZ"), radius=11)

        assert [one.design_id for one in narrow] == [own.design_id]
        assert len(designs.cropped(USER, a_probe(design), radius=11)) == 2

    def test_answers_with_the_nearest(self, database_url: str, designs: PostgresDesigns) -> None:
        hash_ = a_hash()
        far, near = turned_over(hash_, LOW[:9]), turned_over(hash_, LOW[:1])
        insert_many(database_url, [far] * LIMIT + [near])
        probe = a_probe(a_design(fingerprint=a_fingerprint(phash=hash_)))

        found = designs.cropped(USER, probe, radius=11)

        assert len(found) == LIMIT
        assert found[0].fingerprint.phash == near


@pytest.fixture
def pair(designs: PostgresDesigns) -> tuple[Design, Design]:
    """Two designs of which the second was wanted beside the first."""
    first, second = (file_design(designs, a_design()) for _ in range(2))
    allow(designs, second, first)
    return first, second


def allow(designs: PostgresDesigns, design: Design, *others: Design) -> None:
    with designs.unit(design.user_id) as unit:
        unit.allow(design.design_id, [other.design_id for other in others])


def allowed(
    designs: PostgresDesigns, design: Design, user: UUID = USER, before: int = EVER
) -> set[UUID]:
    return designs.allowed(user, str(design.fingerprint.content_sha256), before=before)


def pairs(url: str) -> int:
    engine = patient(url)
    with engine.connect() as connection:
        found = connection.execute(sa.text("SELECT count(*) FROM allowed_pairs")).scalar_one()
    engine.dispose()
    return int(found)


class TestAllowed:
    def test_counts_from_either_side(
        self, designs: PostgresDesigns, pair: tuple[Design, Design]
    ) -> None:
        first, second = pair
        assert allowed(designs, second) == {first.design_id}
        assert allowed(designs, first) == {second.design_id}

    def test_is_the_pictures_whichever_row_has_it(
        self, designs: PostgresDesigns, pair: tuple[Design, Design]
    ) -> None:
        first, second = pair
        same = a_design(fingerprint=a_fingerprint(content_sha256=second.fingerprint.content_sha256))
        third = file_design(designs, same)
        other = file_design(designs, a_design())
        allow(designs, third, other)

        assert allowed(designs, second) == {first.design_id, other.design_id}

    def test_stays_when_a_design_is_removed(
        self, database_url: str, designs: PostgresDesigns, pair: tuple[Design, Design]
    ) -> None:
        engine = patient(database_url)
        with engine.begin() as connection:
            connection.execute(sa.text("UPDATE design_images SET is_active = false"))
        engine.dispose()

        assert allowed(designs, pair[1]) == {pair[0].design_id}

    def test_is_one_tenants(self, designs: PostgresDesigns, pair: tuple[Design, Design]) -> None:
        same = pair[1].fingerprint.content_sha256
        prints = a_fingerprint(content_sha256=same)
        file_design(designs, a_design(user_id=OTHER, shop="Other", fingerprint=prints))

        assert allowed(designs, pair[1], OTHER) == set()

    def test_of_a_picture_that_nobody_filed_is_nothing(self, designs: PostgresDesigns) -> None:
        assert designs.allowed(USER, a_hash()) == set()

    def test_was_said_when_the_design_was_filed(
        self, designs: PostgresDesigns, pair: tuple[Design, Design]
    ) -> None:
        """Whichever side it is asked from: the decision is as old as the design that it let in."""
        first, second = pair
        for side, other in ((second, first), (first, second)):
            assert allowed(designs, side, before=second.sequence) == set()
            assert allowed(designs, side, before=second.sequence + 1) == {other.design_id}


class TestAllow:
    def test_twice_is_harmless_and_of_nothing_too(
        self, database_url: str, designs: PostgresDesigns, pair: tuple[Design, Design]
    ) -> None:
        allow(designs, pair[1], pair[0])
        allow(designs, pair[1])

        assert pairs(database_url) == 1

    def test_goes_with_a_pending_design_that_is_forgotten(
        self, database_url: str, designs: PostgresDesigns, pair: tuple[Design, Design]
    ) -> None:
        with designs.unit(USER) as unit:
            pending = unit.insert(a_design())
            unit.allow(pending.design_id, [pair[0].design_id])
        assert pairs(database_url) == 2
        with designs.unit(USER) as unit:
            unit.forget(pending.design_id)

        assert pairs(database_url) == 1
        assert allowed(designs, pending) == set()

    def test_goes_with_the_other_side_as_well(
        self, database_url: str, designs: PostgresDesigns
    ) -> None:
        filed = file_design(designs, a_design())
        with designs.unit(USER) as unit:
            pending = unit.insert(a_design())
        allow(designs, filed, pending)
        with designs.unit(USER) as unit:
            unit.forget(pending.design_id)

        assert pairs(database_url) == 0

    def test_is_rolled_back_with_its_unit(
        self, database_url: str, designs: PostgresDesigns, pair: tuple[Design, Design]
    ) -> None:
        def fail() -> None:
            with designs.unit(USER) as unit:
                unit.allow(pair[0].design_id, [pair[1].design_id])
                raise KeyError

        with pytest.raises(KeyError):
            fail()
        assert pairs(database_url) == 1

    def test_refuses_designs_that_there_are_not(
        self, designs: PostgresDesigns, pair: tuple[Design, Design]
    ) -> None:
        def refused() -> None:
            with designs.unit(USER) as unit:
                unit.allow(pair[0].design_id, [uuid4()])

        with pytest.raises(DatabaseRefused):
            refused()
