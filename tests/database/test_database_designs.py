"""The rows of designs: what is written is what is read, by its own tenant alone."""

from __future__ import annotations

from uuid import uuid4

import pytest
from database_rows import a_design, a_probe, file_design

from shared.database.designs import PostgresDesigns
from shared.records import State


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
        designs.near(design.user_id, a_probe(design), radius=0),
        designs.recent(design.user_id, a_probe(design), radius=0),
    ):
        assert [(each.design_id, each.state) for each in found] == [
            (design.design_id, State.ACTIVE)
        ]


def test_another_tenant_sees_nothing(designs: PostgresDesigns) -> None:
    design = file_design(designs, a_design())
    other = uuid4()
    assert designs.get(other, design.design_id) is None
    assert designs.exact(other, a_probe(design)) == []
    assert designs.near(other, a_probe(design), radius=31) == []
    assert designs.recent(other, a_probe(design), radius=31) == []
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
