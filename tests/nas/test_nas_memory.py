from __future__ import annotations

from uuid import uuid4

from shared.nas.memory import open_memory


def test_a_name_opened_twice_is_one_store() -> None:
    name = str(uuid4())
    open_memory(name).create("Shop/x.png", b"x")
    assert open_memory(name).read("Shop/x.png") == b"x"


def test_other_names_are_other_stores() -> None:
    open_memory(str(uuid4())).create("Shop/x.png", b"x")
    assert open_memory(str(uuid4())).read("Shop/x.png") is None


def test_a_list_stays_as_it_was_when_files_come_and_go() -> None:
    nas = open_memory(str(uuid4()))
    for number in range(3):
        nas.create(f"Shop/{number}.png", b"x")
    entries = nas.list("Shop")
    next(entries)
    nas.delete("Shop/1.png")
    nas.create("Shop/3.png", b"x")
    assert len(list(entries)) == 2
