"""The rows of designs: what is written is what is read, by its own tenant alone."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
import sqlalchemy as sa
from database_rows import a_design, a_probe, file_design

from shared.database.designs import PostgresDesigns
from shared.database.engine import patient
from shared.records import Filing, Reach, State


@pytest.fixture
def connection(database_url: str) -> Iterator[sa.Connection]:
    """The rows, past the adapter."""
    engine = patient(database_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection
    engine.dispose()


def test_a_design_comes_back_as_it_was_inserted(designs: PostgresDesigns) -> None:
    design = a_design()
    with designs.unit(design.user_id) as unit:
        unit.claim(design.shop)
        inserted = unit.insert(design)
    assert inserted.sequence > 0
    assert inserted.created_at != design.created_at
    changed = {"created_at": inserted.created_at, "sequence": inserted.sequence}
    assert inserted == design.model_copy(update=changed)
    assert designs.get(design.user_id, design.design_id) == inserted


def test_a_pending_design_is_found_and_stays_found_when_active(designs: PostgresDesigns) -> None:
    design = a_design()
    with designs.unit(design.user_id) as unit:
        unit.claim(design.shop)
        unit.insert(design)
    assert [found.state for found in designs.exact(design.user_id, a_probe(design))] == [
        State.PENDING
    ]
    assert designs.activate(design)
    assert designs.activate(design)
    for found in (
        designs.exact(design.user_id, a_probe(design)),
        designs.near(design.user_id, a_probe(design), Reach(0, 0)),
        designs.recent(design.user_id, a_probe(design), Reach(0, 0)),
    ):
        assert [(each.design_id, each.state) for each in found] == [
            (design.design_id, State.ACTIVE)
        ]


def test_another_tenant_sees_nothing(designs: PostgresDesigns) -> None:
    design = file_design(designs, a_design())
    other = uuid4()
    assert designs.get(other, design.design_id) is None
    assert designs.exact(other, a_probe(design)) == []
    assert designs.near(other, a_probe(design), Reach(31, 31)) == []
    assert designs.recent(other, a_probe(design), Reach(31, 31)) == []
    assert designs.watermark(other) == 0
    assert not designs.activate(design.model_copy(update={"user_id": other}))


@pytest.mark.parametrize("change", [{"file_path": "/share/Graphics/x.png"}, {"print_file": None}])
def test_a_design_that_was_filed_otherwise_meanwhile_is_not_set_active(
    designs: PostgresDesigns, change: dict[str, object]
) -> None:
    design = a_design()
    with designs.unit(design.user_id) as unit:
        unit.claim(design.shop)
        unit.insert(design)

    assert not designs.activate(design.model_copy(update=change))
    known = designs.get(design.user_id, design.design_id)
    assert known is not None
    assert known.state is State.PENDING


def test_which_designs_are_pending_is_told_across_tenants(designs: PostgresDesigns) -> None:
    waiting, others, active = a_design(), a_design(user_id=uuid4(), shop="Other"), a_design()
    for design in (waiting, others):
        with designs.unit(design.user_id) as unit:
            unit.claim(design.shop)
            unit.insert(design)
    file_design(designs, active)
    asked = [design.design_id for design in (waiting, others, active)]
    assert designs.pending([*asked, uuid4()]) == {
        design.design_id: design.print_file.sha256  # type: ignore[union-attr]
        for design in (waiting, others)
    }
    assert designs.pending([]) == {}
    assert designs.pending([uuid4() for _ in range(2_000)]) == {}


def test_rows_are_walked_in_pages_whoever_s_they_are(
    connection: sa.Connection, designs: PostgresDesigns
) -> None:
    filed = file_design(designs, a_design())
    pending = a_design(user_id=uuid4(), shop="Other")
    with designs.unit(pending.user_id) as unit:
        unit.claim(pending.shop)
        unit.insert(pending)
    file_design(designs, removed := a_design())
    change = sa.text("UPDATE design_images SET is_active = false WHERE id = :id")
    connection.execute(change, {"id": removed.design_id})

    walked: list[Filing] = []
    while page := designs.filings(3600, after=walked[-1].design_id if walked else None, limit=1):
        walked += page

    expected = [
        Filing(
            design_id=design.design_id,
            user_id=design.user_id,
            file_path=design.file_path,
            state=design.state,
            is_old=False,
            size=design.print_file.size,  # type: ignore[union-attr]
            sha256=design.print_file.sha256,  # type: ignore[union-attr]
        )
        for design in (filed, pending)
    ]
    assert walked == sorted(expected, key=lambda row: row.design_id)
    assert designs.filing(3600, filed.design_id) == expected[0]
    assert designs.filing(3600, removed.design_id) is None
    assert designs.filing(-60, filed.design_id).is_old  # type: ignore[union-attr]
    connection.execute(sa.text("UPDATE design_images SET created_at = NULL"))
    assert designs.filing(3600, filed.design_id).is_old  # type: ignore[union-attr]


def test_which_paths_a_row_has_is_told_for_rows_of_every_kind(
    connection: sa.Connection, designs: PostgresDesigns
) -> None:
    filed, other, removed = (file_design(designs, a_design()).file_path for _ in range(3))
    for change in ("is_active = false", "fingerprint_version = 1"):
        path = removed if "active" in change else other
        statement = sa.text(f"UPDATE design_images SET {change} WHERE file_path = :path")  # noqa: S608 - the test's own
        connection.execute(statement, {"path": path})
    unknown = [f"/share/Graphics/{number}.png" for number in range(1_000)]

    assert designs.recorded([filed.upper(), other, removed, *unknown]) == {
        filed.upper(), other, removed,
    }  # fmt: skip
    assert designs.recorded([]) == set()
