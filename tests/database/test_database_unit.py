"""One transaction under the tenant's lock: numbers, shops and rows that races can't spoil."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar
from uuid import UUID, uuid4

import pytest
from database_rows import USER, a_design, a_probe, disconnect_all, file_design

from shared.database.designs import PostgresDesigns
from shared.errors import DatabaseRefused, DatabaseUnavailable, NameTaken, ShopTaken
from shared.records import Reach, State

Answer = TypeVar("Answer")

FOLDER = "NookTransfers/LocalShop/UVDTF 16oz"
STORED = f"/share/Graphics/{FOLDER}"


class Failure(Exception):
    """What a flow fails with inside a unit."""


def race(count: int, act: Callable[[int], Answer]) -> list[Answer]:
    """The answers of ``count`` threads that act at the same moment."""
    barrier = Barrier(count)

    def wait_and_act(place: int) -> Answer:
        barrier.wait()
        return act(place)

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(wait_and_act, range(count)))


def take(designs: PostgresDesigns, folder: str = FOLDER, above: int = 0) -> int:
    with designs.unit(USER) as unit:
        return unit.take_number(folder, above=above)


def test_twenty_threads_take_twenty_numbers(designs: PostgresDesigns) -> None:
    assert sorted(race(20, lambda _: take(designs))) == list(range(1, 21))


def test_each_folder_counts_for_itself_whatever_its_case(designs: PostgresDesigns) -> None:
    assert [take(designs), take(designs, FOLDER.upper()), take(designs, "Other/Folder")] == [
        1,
        2,
        1,
    ]


def test_a_number_is_above_what_the_caller_saw(designs: PostgresDesigns) -> None:
    assert [take(designs, above=7), take(designs, above=3), take(designs)] == [8, 9, 10]


def test_a_number_that_was_rolled_back_was_never_given(designs: PostgresDesigns) -> None:
    def take_and_fail() -> None:
        with designs.unit(USER) as unit:
            raise Failure(unit.take_number(FOLDER))

    with pytest.raises(Failure, match="1"):
        take_and_fail()
    assert take(designs) == 1


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["UV_001.png", "UV_012.png", "UV_007.png"], 13),
        (["UV 906 UVDTF_16oz_906.png"], 907),
        (["Digital 004.PNG", "0031.old.png"], 32),
        (["logo.png", "no number"], 1),
        (["huge_1234567890123456789012.png"], 567890123456789013),
    ],
)
def test_a_folders_first_number_is_above_its_files(
    designs: PostgresDesigns, names: list[str], expected: int
) -> None:
    for name in names:
        file_design(designs, a_design(number=None, file_path=f"{STORED.upper()}/{name}"))
    for elsewhere in (f"{STORED}/deeper", f"/share/Graphics/Another {FOLDER}"):
        file_design(designs, a_design(number=None, file_path=f"{elsewhere}/UV_990.png"))
    assert take(designs) == expected


def test_a_folder_name_is_no_pattern(designs: PostgresDesigns) -> None:
    for folder in ("Shop_1/a", "Shop1%/a"):
        file_design(designs, a_design(number=None, file_path=f"/share/{folder}/UV_005.png"))
    assert take(designs, "Shop11/a") == 1
    assert take(designs, "%/a") == 1
    assert take(designs, "Shop_1/a") == 6


def test_one_of_many_who_claim_a_shop_gets_it(designs: PostgresDesigns) -> None:
    def claim(place: int) -> UUID | None:
        user = uuid4()
        try:
            with designs.unit(user) as unit:
                unit.claim("Shop" if place % 2 else "SHOP")
        except ShopTaken:
            return None
        return user

    (winner,) = filter(None, race(8, claim))
    with designs.unit(winner) as unit:
        unit.claim("shop")


def test_a_shop_is_taken_in_every_spelling_that_a_share_takes_for_it(
    designs: PostgresDesigns,
) -> None:
    with designs.unit(USER) as unit:
        assert unit.claim("Straße") == "Straße"
        assert unit.claim("STRASSE") == "Straße"
    with pytest.raises(ShopTaken, match="strasse"), designs.unit(uuid4()) as unit:
        unit.claim("strasse")


def test_racing_uploads_of_one_picture_leave_one_row(designs: PostgresDesigns) -> None:
    design = a_design()

    def upload(place: int) -> bool:
        own = design.model_copy(
            update={"design_id": uuid4(), "file_path": f"{STORED}/UV_{place:03}.png"}
        )
        mark = designs.watermark(USER)
        if designs.near(USER, a_probe(design), Reach(5, 5)):
            return False
        with designs.unit(USER) as unit:
            if unit.near(USER, a_probe(design), Reach(5, 5, after=mark)):
                return False
            unit.claim(own.shop)
            unit.insert(own)
            return True

    assert race(10, upload).count(True) == 1


def test_the_lock_of_one_tenant_does_not_hold_up_another(designs: PostgresDesigns) -> None:
    with designs.unit(USER), designs.unit(uuid4()) as other:
        assert other.take_number("Other/Folder") == 1


def test_a_unit_sees_its_own_rows_alone(designs: PostgresDesigns) -> None:
    design = file_design(designs, a_design())
    with designs.unit(design.user_id) as unit:
        assert unit.get(design.design_id) == design
        assert [found.design_id for found in unit.exact(USER, a_probe(design))] == [
            design.design_id
        ]
        assert [found.design_id for found in unit.recent(USER, a_probe(design), Reach(0, 0))] == [
            design.design_id
        ]
    with designs.unit(uuid4()) as unit:
        assert unit.get(design.design_id) is None


def test_two_designs_never_have_one_path(designs: PostgresDesigns) -> None:
    first = file_design(designs, a_design(file_path=f"{STORED}/UV_001.png"))
    with pytest.raises(NameTaken, match=r"UV_001\.png"), designs.unit(USER) as unit:
        unit.insert(a_design(file_path=f"{STORED}/uv_001.PNG"))
    second = file_design(designs, a_design(file_path=f"{STORED}/UV_002.png"))
    with pytest.raises(NameTaken), designs.unit(USER) as unit:
        unit.move(second.model_copy(update={"file_path": first.file_path}))
    assert designs.get(USER, second.design_id) == second


def test_a_move_changes_number_name_and_path(designs: PostgresDesigns) -> None:
    design = file_design(designs, a_design())
    place = {"number": 2, "filename": "UV_002.png", "file_path": f"{STORED}/UV_002.png"}
    moved = design.model_copy(update=place)
    with designs.unit(USER) as unit:
        unit.move(moved)
    assert designs.get(USER, design.design_id) == moved
    with pytest.raises(DatabaseRefused), designs.unit(USER) as unit:
        unit.move(a_design())


def test_only_a_pending_design_is_forgotten(designs: PostgresDesigns) -> None:
    filed, pending = file_design(designs, a_design()), a_design()
    with designs.unit(USER) as unit:
        unit.insert(pending)
    with designs.unit(uuid4()) as unit:
        unit.forget(pending.design_id)
    assert designs.get(USER, pending.design_id)
    with designs.unit(USER) as unit:
        unit.forget(filed.design_id)
        unit.forget(pending.design_id)
    assert designs.get(USER, pending.design_id) is None
    assert designs.get(USER, filed.design_id) == filed
    assert not designs.activate(pending)


def test_an_insert_is_pending_whatever_it_was_given(designs: PostgresDesigns) -> None:
    design = a_design(state=State.ACTIVE)
    with designs.unit(USER) as unit:
        unit.claim(design.shop)
        assert unit.insert(design).state is State.PENDING
    assert getattr(designs.get(USER, design.design_id), "state", None) is State.PENDING


def test_a_row_of_nobody_is_refused(designs: PostgresDesigns) -> None:
    with pytest.raises(DatabaseRefused), designs.unit(USER) as unit:
        unit.insert(a_design())


def test_nothing_of_a_unit_that_failed_is_kept(designs: PostgresDesigns) -> None:
    design = a_design()

    def insert_and_fail() -> None:
        with designs.unit(USER) as unit:
            unit.claim(design.shop)
            raise Failure(unit.insert(design))

    with pytest.raises(Failure):
        insert_and_fail()
    assert designs.get(USER, design.design_id) is None
    with designs.unit(uuid4()) as unit:
        unit.claim(design.shop)


def test_a_unit_whose_connection_was_lost_is_rolled_back(
    database_url: str, designs: PostgresDesigns
) -> None:
    design = a_design()

    def insert_and_lose() -> None:
        with designs.unit(USER) as unit:
            unit.claim(design.shop)
            unit.insert(design)
            disconnect_all(database_url)

    with pytest.raises(DatabaseUnavailable):
        insert_and_lose()
    assert designs.get(USER, design.design_id) is None
