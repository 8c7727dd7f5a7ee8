"""Connections are lent to one borrower at a time, used again while they are good, and few."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import UUID

import pytest
from nas_stores import waiting
from smb_site import PATH, Site

from shared.errors import NameTaken, NasLogin, NasUnavailable
from shared.nas.smb.connection import StrictConnection
from shared.nas.smb.deadline import Deadline
from shared.nas.smb.pool import SIZE, Pool
from shared.nas.smb.status import Lost
from tests.proxy import Broken, Fault, Line


class FakeConnection:
    """A connection without a network, which knows whether it was lent twice at once."""

    def __init__(self) -> None:
        self.deadline = Deadline(0)
        self.healthy = True
        self.is_closed = False
        self.lent = threading.Lock()

    def cut(self) -> None:
        self.healthy = False

    def close(self) -> None:
        self.is_closed = True

    def blames(self, _error: Exception) -> bool:
        return False


class FakeTree:
    """The connection where the pool looks for it: ``tree.session.connection``."""

    def __init__(self) -> None:
        self.session = self
        self.connection = FakeConnection()


class Bench:
    """A pool, and all the connections it was given."""

    def __init__(self) -> None:
        self.made: list[FakeTree] = []
        self.pool = Pool(self._log_in)

    def _log_in(self, _deadline: Deadline) -> FakeTree:
        self.made.append(FakeTree())
        return self.made[-1]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_good_connection_is_lent_again(bench: Bench) -> None:
    for _ in range(3):
        with bench.pool.borrow(Deadline(1)):
            pass
    assert len(bench.made) == 1


def test_a_connection_on_which_the_nas_only_said_no_is_lent_again(bench: Bench) -> None:
    for _ in range(3):
        with pytest.raises(NameTaken), bench.pool.borrow(Deadline(1)):
            raise NameTaken(name="x")
    assert len(bench.made) == 1


@pytest.mark.parametrize("error", [Lost("x"), OSError(), KeyError("bug"), KeyboardInterrupt()])
def test_a_connection_is_closed_after_anything_else(bench: Bench, error: BaseException) -> None:
    with pytest.raises((Lost, type(error))), bench.pool.borrow(Deadline(1)):
        raise error
    assert bench.made[0].connection.is_closed
    with bench.pool.borrow(Deadline(1)) as tree:
        assert tree is bench.made[1]


def test_a_connection_that_is_no_longer_good_is_closed(bench: Bench) -> None:
    with bench.pool.borrow(Deadline(1)) as tree:
        tree.session.connection.healthy = False
    assert bench.made[0].connection.is_closed


def test_a_connection_that_goes_bad_while_nobody_has_it_is_not_lent(bench: Bench) -> None:
    with bench.pool.borrow(Deadline(1)):
        pass
    bench.made[0].connection.healthy = False
    with bench.pool.borrow(Deadline(1)) as tree:
        assert tree is bench.made[1]
    assert bench.made[0].connection.is_closed


def test_a_connection_that_nobody_had_for_long_is_not_lent(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.nas.smb.pool.IDLE_S", 0)
    for _ in range(2):
        with bench.pool.borrow(Deadline(1)):
            pass
    assert len(bench.made) == 2
    assert bench.made[0].connection.is_closed


def test_a_borrower_that_ran_out_of_time_leaves_no_connection_behind(bench: Bench) -> None:
    with bench.pool.borrow(Deadline(0.01)) as tree:
        connection = tree.session.connection
        while connection.healthy:
            pass
    assert bench.made[0].connection.is_closed


def test_one_lost_connection_makes_the_idle_ones_doubtful(bench: Bench) -> None:
    with bench.pool.borrow(Deadline(1)), bench.pool.borrow(Deadline(1)):
        pass
    with pytest.raises(Lost), bench.pool.borrow(Deadline(1)):
        raise Lost("x")
    assert [tree.connection.is_closed for tree in bench.made] == [True, True]


def test_many_borrowers_share_few_connections_one_at_a_time(bench: Bench) -> None:
    def borrow(_: int) -> None:
        with bench.pool.borrow(Deadline(5)) as tree:
            assert tree.session.connection.lent.acquire(blocking=False)
            threading.Event().wait(0.001)
            tree.session.connection.lent.release()

    with ThreadPoolExecutor(50) as threads:
        list(threads.map(borrow, range(200)))
    assert len(bench.made) == SIZE


def test_whoever_finds_no_connection_in_time_goes_without(bench: Bench) -> None:
    with ExitStack() as lent:
        for _ in range(SIZE):
            lent.enter_context(bench.pool.borrow(Deadline(5)))
        with pytest.raises(Lost), bench.pool.borrow(Deadline(0.05)):
            pass
        with bench.pool.apart(Deadline(5)):
            assert len(bench.made) == SIZE + 1
    with bench.pool.borrow(Deadline(0.05)):
        pass


def test_many_threads_with_a_wrong_password_try_it_once() -> None:
    tries: list[Deadline] = []

    def refuse(deadline: Deadline) -> FakeTree:
        tries.append(deadline)
        raise NasLogin

    pool = Pool(refuse)

    def borrow(_: int) -> None:
        with pytest.raises(NasLogin), pool.borrow(Deadline(5)):
            pass

    with ThreadPoolExecutor(50) as threads:
        list(threads.map(borrow, range(50)))
    assert len(tries) == 1


def test_each_connection_is_a_client_of_its_own() -> None:
    guids = {StrictConnection("nas", 445, Deadline(1)).client_guid for _ in range(50)}
    assert len(guids) == 50


def test_the_verbs_of_a_store_share_a_connection(smb: Site) -> None:
    store = smb.open()
    store.create(waiting(UUID(int=1)), b"x")
    store.publish(waiting(UUID(int=1)), PATH)
    assert store.digest(PATH) is not None
    with pytest.raises(NameTaken):
        store.create(PATH, b"x")
    assert store.read("Nobody/nothing.png") is None
    store.delete(PATH)
    assert smb.proxy.connections == 1


def test_a_connection_that_the_nas_ended_meanwhile_is_replaced(smb: Site) -> None:
    store = smb.open()
    store.check()
    smb.server.kill()
    smb.server.start()
    store.check()
    assert smb.proxy.connections == 2


def test_lists_that_are_not_read_to_the_end_stop_nobody(smb: Site) -> None:
    store = smb.open()
    for name in ("a", "b"):
        store.create(f"Shop/{name}.png", b"x")
    unfinished = [store.list("Shop") for _ in range(2 * SIZE)]
    for entries in unfinished:
        next(entries)
    for name in ("a", "b"):
        store.delete(f"Shop/{name}.png")
    for entries in unfinished:
        entries.close()
    assert list(store.list("Shop")) == []


def test_a_list_whose_connection_is_lost_is_unavailable(smb: Site) -> None:
    class Lossy(Line):
        left = 40_000

        def down(self, data: bytes) -> bytes:
            self.left -= len(data)
            if self.left < 0:
                raise Broken(Fault.RESET)
            return data

    folder = smb.folder / "Shop"
    folder.mkdir()
    for number in range(2_000):
        (folder / f"UV_{number:04}.png").touch()
    store = smb.open()
    assert len(list(store.list("Shop"))) == 2_000
    smb.proxy.line = Lossy
    with pytest.raises(NasUnavailable):
        list(store.list("Shop"))


def test_a_closed_store_can_be_used_again(smb: Site) -> None:
    store = smb.open()
    store.check()
    store.close()
    store.check()
    assert smb.proxy.connections == 2
