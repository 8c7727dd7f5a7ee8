"""Whatever cuts the connection: the final name is absent or complete, and the next upload works."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from uuid import UUID

import pytest
from nas_stores import waiting
from smb_site import PATH, Site, body

from shared.errors import NameTaken, NasUnavailable
from shared.nas.smb.store import ATTEMPTS
from tests.proxy import Broken, CutAfter, Fault, Frames, Line

CONTENT = body(8)
SMALL = CONTENT[: 3 << 20]
SHA256 = hashlib.sha256(CONTENT).hexdigest()
STEP = 64 << 10

# All 128 points and three faults take minutes: NAS_EVERY_CUT=1 does them, else every 40th is done.
POINTS = range(
    STEP, len(CONTENT) + 1, STEP if os.environ.get("NAS_EVERY_CUT") == "1" else 40 * STEP
)


def cut_after(size: int, fault: Fault) -> Callable[[], Line]:
    return lambda: CutAfter(size, fault)


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.FIN, Fault.HALF_OPEN])
@pytest.mark.parametrize("size", POINTS)
def test_a_write_that_is_cut_once_is_done_on_a_new_connection(
    smb: Site, size: int, fault: Fault
) -> None:
    smb.proxy.strike(cut_after(size, fault), times=1)
    smb.open().create(PATH, CONTENT)
    assert smb.proxy.connections == 2
    assert smb.sha256() == SHA256
    if fault is not Fault.HALF_OPEN:
        assert smb.leftovers() == []


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.FIN, Fault.HALF_OPEN])
@pytest.mark.parametrize("size", [100, STEP, len(CONTENT) // 2])
def test_a_write_that_is_cut_each_time_leaves_nothing_and_the_next_upload_works(
    smb: Site, size: int, fault: Fault
) -> None:
    store = smb.open()
    smb.proxy.strike(cut_after(size, fault), times=ATTEMPTS)
    with pytest.raises(NasUnavailable):
        store.create(PATH, CONTENT)
    assert smb.sha256() is None
    assert smb.proxy.connections == ATTEMPTS
    store.create(PATH, CONTENT)
    assert smb.sha256() == SHA256
    if fault is not Fault.HALF_OPEN:
        assert smb.leftovers() == []


class ReplyLost(Frames):
    """Lets the server do the client's ``number``th request, and resets before the reply."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def request(self, frame: bytes) -> bytes:
        self._number -= 1
        return frame

    def reply(self, frame: bytes) -> bytes:
        if self._number <= 0:
            raise Broken(Fault.RESET)
        return frame


# A login takes 5 requests: negotiate, two messages of NTLM, tree connect, echo. Then come the new
# file, 3 writes, flush, rename, flush and close; and a request for each folder that is missing.
@pytest.mark.parametrize("number", [1, 5, 6, 9, 10, 11, 12])
def test_a_create_succeeds_whichever_reply_is_lost(smb: Site, number: int) -> None:
    store = smb.open()
    store.create(f"{PATH}.other", b"makes the folders")
    store.close()
    smb.proxy.strike(lambda: ReplyLost(number), times=1)
    store.create(PATH, SMALL)
    assert smb.proxy.connections == 3
    assert smb.sha256() == hashlib.sha256(SMALL).hexdigest()
    assert smb.leftovers() == []


@pytest.mark.parametrize("number", [6, 8, 9, 14, 15, 18, 20, 21])
def test_a_create_in_a_new_folder_succeeds_whichever_reply_is_lost(smb: Site, number: int) -> None:
    smb.proxy.strike(lambda: ReplyLost(number), times=1)
    smb.open().create(PATH, SMALL)
    assert smb.proxy.connections == 2
    assert smb.sha256() == hashlib.sha256(SMALL).hexdigest()
    # The 14th says that the file is spared, but has no folder to go to: left for the sweeper.
    assert len(smb.leftovers()) == (number == 14)


@pytest.mark.parametrize("number", [6, 10, 11, 12])
def test_a_stage_succeeds_whichever_reply_is_lost(smb: Site, number: int) -> None:
    store = smb.open()
    store.create(waiting(UUID(int=1)), b"makes the folder")
    store.close()
    smb.proxy.strike(lambda: ReplyLost(number), times=1)
    store.create(waiting(UUID(int=2)), SMALL)
    assert smb.proxy.connections == 3
    assert smb.sha256(waiting(UUID(int=2))) == hashlib.sha256(SMALL).hexdigest()
    store.delete(waiting(UUID(int=1)))
    store.delete(waiting(UUID(int=2)))
    assert smb.leftovers() == []


# The 6th request opens the file, the 7th and, with the folders made, the 12th name it.
@pytest.mark.parametrize("number", [6, 7, 10, 12, 13])
def test_a_publish_succeeds_whichever_reply_is_lost(smb: Site, number: int) -> None:
    store = smb.open()
    store.create(waiting(UUID(int=1)), SMALL)
    store.close()
    smb.proxy.strike(lambda: ReplyLost(number), times=1)
    store.publish(waiting(UUID(int=1)), PATH)
    assert smb.proxy.connections == 3
    assert smb.sha256() == hashlib.sha256(SMALL).hexdigest()
    assert smb.leftovers() == []


def test_nothing_is_tried_again_when_only_the_last_close_is_not_answered(smb: Site) -> None:
    store = smb.open()
    store.create(f"{PATH}.other", b"makes the folders")
    store.close()
    smb.proxy.strike(lambda: ReplyLost(13), times=1)
    store.create(PATH, SMALL)
    assert smb.proxy.connections == 2
    assert smb.sha256() == hashlib.sha256(SMALL).hexdigest()
    store.check()
    assert smb.proxy.connections == 3


def test_a_foreign_file_is_never_taken_for_ones_own_after_a_lost_reply(smb: Site) -> None:
    store = smb.open()
    store.create(PATH, b"foreign")
    store.close()
    smb.proxy.strike(lambda: ReplyLost(11), times=1)
    with pytest.raises(NameTaken):
        store.create(PATH, SMALL)
    assert smb.proxy.connections == 3
    assert smb.sha256() == hashlib.sha256(b"foreign").hexdigest()


def test_the_number_of_ones_own_file_with_other_bytes_is_a_foreign_file(smb: Site) -> None:
    class Rewritten(ReplyLost):
        def reply(self, frame: bytes) -> bytes:
            if self._number <= 0 and (smb.folder / PATH).exists():
                (smb.folder / PATH).write_bytes(bytes(len(SMALL)))
            return super().reply(frame)

    store = smb.open()
    store.create(f"{PATH}.other", b"makes the folders")
    store.close()
    smb.proxy.strike(lambda: Rewritten(11), times=1)
    with pytest.raises(NameTaken):
        store.create(PATH, SMALL)
    assert smb.sha256() == hashlib.sha256(bytes(len(SMALL))).hexdigest()


def test_a_server_killed_and_restarted_in_mid_write_gets_the_file_by_a_second_try(
    smb: Site,
) -> None:
    def restart() -> None:
        smb.server.kill()
        smb.server.start()

    smb.proxy.strike(lambda: CutAfter(4 << 20, Fault.RESET, before=restart), times=1)
    store = smb.open()
    store.create(PATH, CONTENT)
    assert smb.sha256() == SHA256
    # The killed server can't have removed the first try; it is no file under a final name.
    assert all(name.endswith(".tmp") for name in smb.leftovers())
    store.create(f"{PATH}.next", CONTENT)
    assert smb.sha256(f"{PATH}.next") == SHA256


def test_a_server_that_stays_away_is_unavailable_and_welcome_back(smb: Site) -> None:
    store = smb.open()
    smb.proxy.strike(lambda: CutAfter(4 << 20, Fault.RESET, before=smb.server.kill), times=1)
    try:
        with pytest.raises(NasUnavailable):
            store.create(PATH, CONTENT)
        assert smb.sha256() is None
    finally:
        smb.server.start()
    store.create(PATH, CONTENT)
    assert smb.sha256() == SHA256
