"""What a NAS may refuse: each reason is an error of its own, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

import pytest
from nas_stores import waiting
from samba import ENCRYPTED, PASSWORD, Samba
from smb_site import PATH, Site, body, site
from smbprotocol.exceptions import SMBAuthenticationError, SMBConnectionClosed, SMBResponseException
from smbprotocol.header import SMB2HeaderResponse
from smbprotocol.open import (
    CreateDisposition,
    FilePipePrinterAccessMask,
    ImpersonationLevel,
    Open,
)

from shared.errors import (
    NameInvalid,
    NameTaken,
    NasBusy,
    NasFull,
    NasLogin,
    NasQuota,
    NasRefused,
    NasShareUnknown,
    NasUnavailable,
    NasUnencrypted,
)
from shared.nas.smb import open_smb
from shared.nas.smb.address import Address
from shared.nas.smb.connection import StrictConnection
from shared.nas.smb.deadline import Deadline
from shared.nas.smb.login import log_in
from shared.nas.smb.status import Lost, translated
from shared.settings import Encryption
from tests.proxy import Line

CONTENT = body(4)


@contextmanager
def held(smb: Site, path: str) -> Iterator[None]:
    """Another program has the file open and shares it with nobody."""
    address = Address.of(f"{smb.server.url}/{smb.folder.name}")
    tree = log_in(address, PASSWORD, Encryption.REQUIRED, Deadline(10))
    opened = Open(tree, "\\".join((smb.folder.name, *path.split("/"))))
    opened.create(
        ImpersonationLevel.Impersonation,
        FilePipePrinterAccessMask.FILE_READ_DATA | FilePipePrinterAccessMask.DELETE,
        0,
        0,
        CreateDisposition.FILE_OPEN,
        0,
    )
    try:
        yield
    finally:
        tree.session.connection.close()


def test_a_file_that_another_program_holds_is_busy_and_its_name_taken(smb: Site) -> None:
    store = smb.open()
    store.create(PATH, b"held")
    store.create(waiting(UUID(int=1)), b"staged")
    with held(smb, PATH):
        for verb in (store.read, store.digest, store.delete):
            with pytest.raises(NasBusy):
                verb(PATH)
        with pytest.raises(NameTaken):
            store.create(PATH, b"other")
        with pytest.raises(NameTaken):
            store.publish(waiting(UUID(int=1)), PATH)
    store.delete(PATH)
    store.publish(waiting(UUID(int=1)), PATH)
    assert store.read(PATH) == b"staged"
    assert smb.proxy.connections == 1


def test_a_staged_file_that_another_program_holds_is_busy(smb: Site) -> None:
    store = smb.open()
    store.create(waiting(UUID(int=1)), b"staged")
    with held(smb, waiting(UUID(int=1))), pytest.raises(NasBusy):
        store.publish(waiting(UUID(int=1)), PATH)
    store.publish(waiting(UUID(int=1)), PATH)


def test_a_folder_under_the_name_of_a_file_takes_the_name(smb: Site) -> None:
    (smb.folder / PATH).mkdir(parents=True)
    with pytest.raises(NameTaken):
        smb.open().create(PATH, b"x")
    assert smb.leftovers() == []


def test_a_file_in_the_way_of_a_folder_is_refused(smb: Site) -> None:
    (smb.folder / "NookTransfers").write_bytes(b"x")
    with pytest.raises(NasRefused):
        smb.open().create(PATH, b"x")
    assert smb.leftovers() == []


def test_a_name_that_the_nas_can_not_hold_is_invalid(smb: Site) -> None:
    with pytest.raises(NameInvalid):
        smb.open().create("Shop/what?.png", b"x")
    assert smb.leftovers() == []


def test_a_link_that_leads_out_of_the_share_is_not_followed(smb: Site, tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"another tenant's")
    (smb.folder / "link.png").symlink_to(tmp_path / "secret.png")
    (smb.folder / "Shop").symlink_to(tmp_path)
    store = smb.open()
    for path in ("link.png", "Shop/secret.png"):
        with suppress(NasRefused):
            assert store.read(path) is None
    with pytest.raises(NasRefused):
        store.create("Shop/new.png", b"x")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["secret.png"]


@pytest.mark.parametrize("password", ["wrong", "", None])
def test_a_wrong_password_is_tried_once_and_then_not_for_a_while(
    smb: Site, password: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = smb.open(password=password)
    for _ in range(3):
        with pytest.raises(NasLogin):
            store.check()
    assert smb.proxy.connections == 1
    monkeypatch.setattr("shared.nas.smb.pool.time.monotonic", lambda: 10**9)
    with pytest.raises(NasLogin):
        store.check()
    assert smb.proxy.connections == 2


def test_a_nas_that_takes_strangers_for_guests_refuses_the_login(
    serve_smb: Callable[[str], Samba],
) -> None:
    server = serve_smb("server smb encrypt = desired\nmap to guest = bad user")
    store = open_smb(f"smb://stranger@127.0.0.1:{server.port}/Graphics", PASSWORD)
    with pytest.raises(NasLogin):
        store.check()


def test_a_share_that_is_not_there_is_unknown(smb: Site) -> None:
    store = open_smb(smb.server.url + "Nowhere", PASSWORD)
    with pytest.raises(NasShareUnknown):
        store.check()


def test_a_share_for_reading_only_refuses_to_be_written(
    serve_smb: Callable[[str], Samba], tmp_path: Path
) -> None:
    server = serve_smb(f"{ENCRYPTED}\n[Shelf]\npath = {tmp_path}\nread only = yes")
    (tmp_path / "design.png").write_bytes(b"x")
    store = open_smb(server.url.replace("Graphics", "Shelf"), PASSWORD)
    for write in (
        store.check,
        lambda: store.create("new.png", b""),
        lambda: store.delete("design.png"),
    ):
        with pytest.raises(NasRefused):
            write()
    assert store.read("design.png") == b"x"
    assert [file.name for file in tmp_path.iterdir()] == ["design.png"]
    store.close()


def test_a_nas_that_can_not_encrypt_is_refused_unless_told_otherwise(
    serve_smb: Callable[[str], Samba],
) -> None:
    with site(serve_smb("server smb encrypt = off")) as place:
        with pytest.raises(NasUnencrypted):
            place.open().check()
        place.open(encryption=Encryption.PREFERRED).check()


def test_what_does_not_fit_is_refused_before_it_is_written(
    serve_smb: Callable[[str], Samba], tmp_path: Path
) -> None:
    script = tmp_path / "free"
    script.write_text("#!/bin/sh\necho 100000 3000 1024\n")
    script.chmod(0o755)
    sent: list[int] = []

    class Counted(Line):
        def up(self, data: bytes) -> bytes:
            sent.append(len(data))
            return data

    with site(serve_smb(f"{ENCRYPTED}\ndfree command = {script}")) as place:
        place.proxy.line = Counted
        store = place.open()
        with pytest.raises(NasFull):
            store.create(PATH, CONTENT)
        assert sum(sent) < 10_000
        assert place.leftovers() == []
        store.create(PATH, CONTENT[:3_000_000])
        assert place.proxy.connections == 1


def test_a_disk_that_fills_up_in_mid_write_keeps_nothing_and_works_again_with_space(
    small_disk: Path, serve_smb: Callable[[str], Samba]
) -> None:
    filler = small_disk / "filler"

    def fill() -> None:
        filler.write_bytes(bytes(13 << 20))

    class FilledMeanwhile(Line):
        left = 1_000_000

        def up(self, data: bytes) -> bytes:
            if 0 < self.left <= len(data):
                fill()
            self.left -= len(data)
            return data

    server = serve_smb(f"{ENCRYPTED}\n[Small]\npath = {small_disk}\nread only = no")
    with site(server) as place:
        place.proxy.line = FilledMeanwhile
        url = place.server.url_at(place.proxy.port).replace("Graphics", "Small")
        store = open_smb(url, PASSWORD, timeout_s=10)
        with pytest.raises(NasFull):
            store.create("Shop/UV_001.png", CONTENT)
        assert sorted(p.name for p in small_disk.rglob("*") if p.is_file()) == ["filler"]
        filler.unlink()
        store.create("Shop/UV_001.png", CONTENT)
        assert (small_disk / "Shop/UV_001.png").read_bytes() == CONTENT
        assert place.proxy.connections == 1
        store.close()


STATUSES: dict[int, type[Exception]] = {
    0xC000007F: NasFull,
    0xC0000044: NasQuota,
    0xC0000043: NasBusy,
    0xC0000054: NasBusy,
    0xC0000056: NasBusy,
    0xC000006D: NasLogin,
    0xC0000071: NasLogin,
    0xC0000072: NasLogin,
    0xC0000234: NasLogin,
    0xC00000CC: NasShareUnknown,
    0xC0000022: NasRefused,
    0xC00000A2: NasRefused,
    0x8000002D: NasRefused,
    0xC000003A: NasRefused,
    0xC0000033: NameInvalid,
    0xC0000203: Lost,
    0xC00000C9: Lost,
    0xC000035C: Lost,
    0xC000009A: NasUnavailable,
    0xC00000E5: NasUnavailable,
    0xC0DEC0DE: NasUnavailable,
}


def answered(status: int) -> SMBResponseException:
    header = SMB2HeaderResponse()
    header["status"] = status
    return SMBResponseException(header)


@pytest.mark.parametrize("status", STATUSES, ids=hex)
def test_a_status_is_one_error_of_ours(status: int) -> None:
    connection = StrictConnection("nas", 445, Deadline(1))
    with pytest.raises(STATUSES[status]) as raised, translated(connection):
        raise answered(status)
    assert type(raised.value) is STATUSES[status]


@pytest.mark.parametrize(
    ("foreign", "error"),
    [
        (SMBConnectionClosed(), Lost),
        (ConnectionResetError(), Lost),
        (SMBAuthenticationError(), NasLogin),
        (TypeError(), TypeError),
        (NameTaken(name="x"), NameTaken),
    ],
)
def test_what_the_library_raises_is_translated_and_our_own_mistakes_are_not(
    foreign: Exception, error: type[Exception]
) -> None:
    connection = StrictConnection("nas", 445, Deadline(1))
    with pytest.raises(error), translated(connection):
        raise foreign


def test_what_killed_the_receiving_thread_is_a_lost_connection_of_whatever_class() -> None:
    connection = StrictConnection("nas", 445, Deadline(1))
    connection._t_exc = KeyError(7)
    with pytest.raises(Lost), translated(connection):
        raise connection._t_exc
