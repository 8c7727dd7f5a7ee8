"""Rows of version 1: listed page by page, and upgraded only while they are what was listed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from database_rows import USER, a_design, a_fingerprint, a_hash, a_probe, file_design

from shared.database.designs import PostgresDesigns
from shared.errors import NameTaken
from shared.records import FoundFile, Legacy
from tests.legacy import Rows

FILE = FoundFile(a_hash(), 1_234, 3800, 1732, 400)
OWNER = str(USER)


@pytest.fixture
def rows(database_url: str) -> Rows:
    return Rows(database_url)


def listed(designs: PostgresDesigns, user: UUID | None = None, limit: int = 100) -> list[Legacy]:
    return designs.legacy(user, after=None, limit=limit)


def test_pages_hold_every_row_of_version_1_once(designs: PostgresDesigns, rows: Rows) -> None:
    ids = sorted(rows.add(f"/share/Graphics/{number}.png", user=OWNER) for number in range(7))
    pages, after = [], None
    while page := designs.legacy(None, after=after, limit=3):
        pages.append([row.design_id for row in page])
        after = page[-1].design_id
    assert pages == [ids[:3], ids[3:6], ids[6:]]
    assert designs.count_legacy(None) == 7


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
    for user, expected in ((USER, [mine]), (other, [others]), (None, sorted([mine, others]))):
        assert [row.design_id for row in listed(designs, user)] == expected
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
    assert designs.exact(USER, probe) == [design]
    assert designs.near(USER, probe, radius=0) == [design]
    assert not designs.has_legacy(USER)


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
