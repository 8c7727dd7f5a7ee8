"""Rows of version 1: listed page by page, and upgraded only while they are what was listed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from database_rows import USER, a_design, a_fingerprint, a_hash, a_probe, file_design, flipped

from shared.database.designs import PostgresDesigns
from shared.database.engine import patient
from shared.errors import NameTaken
from shared.records import FoundFile, Legacy, Probe, Reach
from tests.legacy import Rows

FILE = FoundFile(a_hash(), 1_234, 3800, 1732, 400)
OWNER = str(USER)


@pytest.fixture
def rows(database_url: str) -> Rows:
    return Rows(database_url)


def listed(designs: PostgresDesigns, user: UUID | None = None, limit: int = 100) -> list[Legacy]:
    return designs.legacy(user, after=None, limit=limit)


def test_pages_hold_every_row_of_version_1_once(designs: PostgresDesigns, rows: Rows) -> None:
    owners = (OWNER, str(uuid4()), str(uuid4()))
    added = [
        (UUID(owner), rows.add(f"/share/Graphics/{number}.png", user=owner))
        for number in range(4)
        for owner in owners
    ]
    for user, expected in (
        (None, sorted(added)),
        (USER, sorted(place for place in added if place[0] == USER)),
    ):
        pages, after = [], None
        while page := designs.legacy(user, after=after, limit=3):
            pages.append([(row.user_id, row.design_id) for row in page])
            after = page[-1]
        assert pages == [expected[at : at + 3] for at in range(0, len(expected), 3)]
        assert designs.count_legacy(user) == len(expected)


@pytest.mark.parametrize("user", [None, USER])
def test_the_rows_that_are_left_are_found_without_a_look_at_the_library(
    database_url: str, user: UUID | None
) -> None:
    asked: list[sa.Select[Any]] = []
    engine = patient(database_url)
    sa.event.listen(engine, "before_execute", lambda _, query, *_rest: asked.append(query))
    after = Legacy(uuid4(), USER, "", is_digital=False)
    PostgresDesigns(engine).legacy(user, after=after, limit=500)
    query = asked[0].compile(engine, compile_kwargs={"literal_binds": True})
    with engine.connect() as connection:
        # A table this small would be read whole, and sorted.
        for way in ("seqscan", "bitmapscan", "sort"):
            connection.exec_driver_sql(f"SET enable_{way} = off")
        plan = connection.exec_driver_sql(f"EXPLAIN {query}").scalars().all()
    engine.dispose()
    assert [line for line in plan if "Sort" in line] == []
    assert "using idx_design_images_user_legacy_id" in plan[1]
    assert "ROW(user_id, id)" in plan[2]


def test_a_row_is_listed_whatever_it_lacks(designs: PostgresDesigns, rows: Rows) -> None:
    for phash in (None, "", "f0" * 8, a_hash()):
        row = rows.add("/share/Graphics/a.png", phash, user=OWNER, digital=None)
        assert Legacy(row, USER, "/share/Graphics/a.png", is_digital=False) in listed(designs)
    digital = rows.add("/share/Graphics/b.png", user=OWNER, digital=True)
    assert Legacy(digital, USER, "/share/Graphics/b.png", is_digital=True) in listed(designs)


def test_rows_of_version_2_and_removed_ones_are_not_listed(
    designs: PostgresDesigns, rows: Rows
) -> None:
    file_design(designs, a_design())
    with designs.unit(USER) as unit:
        unit.insert(a_design())
    rows.add("/share/Graphics/a.png", user=OWNER, active=False)
    assert listed(designs) == []
    assert designs.count_legacy(None) == 0


def test_a_tenant_has_its_own(designs: PostgresDesigns, rows: Rows) -> None:
    other = uuid4()
    mine = rows.add("/share/Graphics/a.png", user=OWNER)
    others = rows.add("/share/Graphics/b.png", user=str(other))
    for user, expected in ((USER, {mine}), (other, {others}), (None, {mine, others})):
        assert {row.design_id for row in listed(designs, user)} == expected
        assert designs.count_legacy(user) == len(expected)
    assert designs.count_legacy(uuid4()) == 0


@pytest.mark.parametrize("size", [(None, None), (3000, 2000)])
def test_an_upgraded_row_is_a_design_that_is_found(
    designs: PostgresDesigns, rows: Rows, size: tuple[int | None, int | None]
) -> None:
    row = rows.add("/share/Graphics/Shop/Cup/a.png", None, user=OWNER)
    prints = a_fingerprint(width_px=size[0], height_px=size[1])
    assert designs.get(USER, row) is None
    assert designs.upgrade(listed(designs)[0], prints, FILE)
    design = designs.get(USER, row)
    assert design is not None
    assert design.fingerprint == prints
    assert design.print_file is not None
    assert design.print_file.model_dump() == {
        name: getattr(FILE, name) for name in ("sha256", "size", "width_px", "height_px", "dpi")
    }
    probe = a_probe(design)
    for (found,) in (designs.exact(USER, probe), designs.near(USER, probe, Reach(0, 0))):
        assert (found.design_id, found.fingerprint) == (design.design_id, prints)
    assert not designs.has_legacy(USER)


def test_of_both_versions_the_nearest_come_first(designs: PostgresDesigns, rows: Rows) -> None:
    hash_ = a_hash()
    far = rows.add("/share/Graphics/far.png", flipped(hash_, 4), user=OWNER)
    prints = a_fingerprint(phash=flipped(hash_, 2), is_opaque=True)
    middle = file_design(designs, a_design(fingerprint=prints)).design_id
    close = rows.add("/share/Graphics/close.png", flipped(hash_, 1), user=OWNER)
    same = a_fingerprint(phash=hash_, is_opaque=True)
    probe = Probe(same, a_hash(), legacy_phash=hash_)
    for search in (designs.near, designs.recent):
        found = [one.design_id for one in search(USER, probe, Reach(5, 5))]
        assert found == [close, middle, far]


def test_a_row_is_upgraded_once(designs: PostgresDesigns, rows: Rows) -> None:
    rows.add("/share/Graphics/a.png", user=OWNER)
    (row,) = listed(designs)
    with ThreadPoolExecutor(4) as threads:
        done = threads.map(lambda _: designs.upgrade(row, a_fingerprint(), FILE), range(4))
        assert sorted(done) == [False, False, False, True]
    before = rows.all()
    assert not designs.upgrade(row, a_fingerprint(), FILE)
    assert rows.all() == before


@pytest.mark.parametrize(
    "other",
    [
        lambda row: replace(row, design_id=uuid4()),
        lambda row: replace(row, user_id=uuid4()),
        lambda row: replace(row, file_path="/share/Graphics/A.png"),
    ],
)
def test_a_row_that_is_not_what_was_listed_stays(
    designs: PostgresDesigns, rows: Rows, other: Callable[[Legacy], Legacy]
) -> None:
    rows.add("/share/Graphics/a.png", user=OWNER)
    before = rows.all()
    assert not designs.upgrade(other(listed(designs)[0]), a_fingerprint(), FILE)
    assert rows.all() == before


def test_a_path_is_one_design_of_version_2s(designs: PostgresDesigns, rows: Rows) -> None:
    file_design(designs, a_design(file_path="/share/Graphics/Shop/UV_001.png"))
    rows.add("/share/graphics/shop/uv_001.png", user=OWNER)
    before = rows.all()
    with pytest.raises(NameTaken, match=r"uv_001\.png"):
        designs.upgrade(listed(designs)[0], a_fingerprint(), FILE)
    assert rows.all() == before
