"""reconcile on every store: what broke off is finished, what differs is told of."""

from __future__ import annotations

import hashlib
from uuid import UUID

from shared.database.designs import PostgresDesigns
from shared.flows.reconcile import reconcile
from shared.messages import Discrepancy, Trouble
from shared.nas.names import Places, staged
from shared.ports import Nas
from shared.records import Design, PrintFile, State
from tests.database.database_rows import USER, a_design

PLACES = Places(mount="/share/Graphics", root="NookTransfers")
FOLDER = "NookTransfers/Nook/UVDTF 16oz"
ALL_AGES = -60.0
"""A grace period within which not even a file that is written now lies."""


def insert(designs: PostgresDesigns, number: int, content: bytes) -> Design:
    """A pending design, whose file may be anywhere."""
    sha256 = hashlib.sha256(content).hexdigest()
    design = a_design(
        design_id=UUID(int=number),
        file_path=PLACES.stored(f"{FOLDER}/UV_{number:03}.png"),
        print_file=PrintFile(sha256=sha256, size=len(content), width_px=1, height_px=1, dpi=400),
    )
    with designs.unit(USER) as unit:
        unit.claim(design.shop)
        return unit.insert(design)


def found(designs: PostgresDesigns, nas: Nas, *, repair: bool = False) -> list[Discrepancy]:
    return list(reconcile(designs, nas, PLACES, ALL_AGES, repair=repair, verify=True))


def test_everything_that_is_not_in_order(designs: PostgresDesigns, nas: Nas) -> None:
    rows = {number: insert(designs, number, b"print file %d" % number) for number in range(1, 7)}
    nas.create(staged(UUID(int=1), hashlib.sha256(b"print file 1").hexdigest()), b"print file 1")
    for number, content in ((2, b"print file 2"), (4, b"short"), (5, b"PRINT FILE 5"), (9, b"x")):
        nas.create(f"{FOLDER}/UV_{number:03}.png", content)
    for number in (3, 4, 5):
        assert designs.activate(rows[number])
    left = staged(UUID(int=7), "0" * 64)
    nas.create(left, b"left over")

    wrong = [(Trouble.MISSING, 3), (Trouble.SIZE, 4), (Trouble.CONTENT, 5)]
    told = found(designs, nas, repair=True)

    assert [(each.trouble, each.repaired) for each in told] == [
        *[(Trouble.PENDING, True)] * 2,
        *[(trouble, False) for trouble, _ in wrong],
        (Trouble.PENDING, True),
        (Trouble.LEFTOVER, True),
        (Trouble.UNRECORDED, False),
    ]
    again = found(designs, nas, repair=True)
    assert [(each.trouble, each.design_id and each.design_id.int) for each in again] == [
        *wrong,
        (Trouble.UNRECORDED, None),
    ]
    for number in (1, 2):
        design = designs.get(USER, UUID(int=number))
        assert design is not None
        assert design.state is State.ACTIVE
        assert nas.read(PLACES.relative(design.file_path)) == b"print file %d" % number
    assert designs.get(USER, UUID(int=6)) is None
    assert list(nas.list(".platen")) == []
    assert nas.read(f"{FOLDER}/UV_009.png") == b"x"


def test_a_share_that_is_the_root_of_the_shops(designs: PostgresDesigns, nas: Nas) -> None:
    places = Places(mount="/share", root="")
    nas.create("Nook/UVDTF 16oz/UV_001.png", b"x")
    nas.create(".platen/by hand/x.png", b"x")
    nas.create(staged(UUID(int=7), "0" * 64), b"x")

    told = [each.file_path for each in reconcile(designs, nas, places, ALL_AGES)]

    assert told == [
        places.stored(staged(UUID(int=7), "0" * 64)),
        "/share/Nook/UVDTF 16oz/UV_001.png",
    ]
