"""A commit whose answer is lost: what was committed counts, what was not is told."""

from __future__ import annotations

import pytest
from database_rows import USER, a_design

from shared.database.designs import PostgresDesigns
from shared.errors import DatabaseUnavailable
from shared.records import Design
from tests.proxy import Broken, Fault, Line, Proxy

# pg8000 leaves the socket of a connection that failed to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

WRITES = (b"INSERT INTO design_images", b"UPDATE design_images", b"INSERT INTO folder_numbers")

FAULTS = [Fault.RESET, Fault.HALF_OPEN, Fault.HOLE]


class Before(Line):
    """Breaks the connection when the client asks for the commit."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._has_written = False

    def up(self, data: bytes) -> bytes:
        self._has_written |= any(statement in data for statement in WRITES)
        if self._has_written and b"COMMIT" in data:
            raise Broken(self._fault)
        return data


class After(Before):
    """Breaks the connection when the server tells that it has committed."""

    def up(self, data: bytes) -> bytes:
        self._has_written |= any(statement in data for statement in WRITES)
        return data

    def down(self, data: bytes) -> bytes:
        if self._has_written and b"COMMIT\0" in data:
            self.committed()
            raise Broken(self._fault)
        return data

    def committed(self) -> None:
        """What happens between the commit and its answer."""


def insert(designs: PostgresDesigns, design: Design) -> Design:
    with designs.unit(USER) as unit:
        unit.claim(design.shop)
        return unit.insert(design)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_row_that_was_committed_counts(
    designs: PostgresDesigns, cut: PostgresDesigns, between: Proxy, fault: Fault
) -> None:
    between.strike(lambda: After(fault), times=1)

    inserted = insert(cut, a_design())

    assert designs.get(USER, inserted.design_id) == inserted
    assert between.connections == 2


@pytest.mark.parametrize("fault", FAULTS)
def test_a_row_that_was_not_is_told_and_can_be_inserted_again(
    designs: PostgresDesigns, cut: PostgresDesigns, between: Proxy, fault: Fault
) -> None:
    design = a_design()
    between.strike(lambda: Before(fault), times=1)

    with pytest.raises(DatabaseUnavailable):
        insert(cut, design)

    assert designs.get(USER, design.design_id) is None
    between.close()
    assert designs.get(USER, insert(designs, design).design_id) is not None


def test_a_number_that_was_taken_anew_counts(
    designs: PostgresDesigns, cut: PostgresDesigns, between: Proxy
) -> None:
    design = insert(designs, a_design())
    moved = design.model_copy(update={"number": 7, "file_path": "/share/Graphics/UV_007.png"})
    between.strike(lambda: After(Fault.RESET), times=1)

    with cut.unit(USER) as unit:
        unit.move(moved)

    assert designs.get(USER, design.design_id) == moved


def test_a_row_that_another_worker_has_set_active_meanwhile_counts(
    designs: PostgresDesigns, cut: PostgresDesigns, between: Proxy
) -> None:
    design = a_design()

    class Activated(After):
        def committed(self) -> None:
            assert designs.activate(design)

    between.strike(lambda: Activated(Fault.RESET), times=1)

    assert insert(cut, design).design_id == design.design_id


def test_where_nothing_was_written_a_lost_answer_is_an_error(
    cut: PostgresDesigns, between: Proxy
) -> None:
    between.strike(lambda: After(Fault.RESET), times=1)

    with pytest.raises(DatabaseUnavailable), cut.unit(USER) as unit:
        unit.take_number("Shop/UVDTF 16oz")


def test_an_error_of_the_work_itself_is_no_lost_answer(
    cut: PostgresDesigns, designs: PostgresDesigns
) -> None:
    design = a_design()

    def fail() -> None:
        with cut.unit(USER) as unit:
            unit.claim(design.shop)
            unit.insert(design)
            raise DatabaseUnavailable

    with pytest.raises(DatabaseUnavailable):
        fail()

    assert designs.get(USER, design.design_id) is None
