"""A man in the middle can end a connection; he can't make a write look done that is not."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import pytest
from samba import Samba
from smb_site import PATH, Site, body, site
from smbprotocol.connection import Connection
from smbprotocol.header import Commands, NtStatus

from shared.errors import NasError, NasUnavailable
from shared.nas.smb.connection import StrictConnection
from shared.settings import Encryption
from tests.proxy import Frames

CONTENT = body(1)
FROM_SERVER, SIGNED = 1, 8


@pytest.fixture(scope="module")
def signing_server(serve_smb: Callable[[str], Samba]) -> Samba:
    """A server that signs and does not encrypt."""
    return serve_smb("server smb encrypt = off")


@pytest.fixture(params=["encrypted", "signed"])
def place(
    request: pytest.FixtureRequest, smb_server: Samba, signing_server: Samba
) -> Iterator[Site]:
    server = smb_server if request.param == "encrypted" else signing_server
    with site(server) as there:
        yield there


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[StrictConnection]:
    """Every connection made: the forger is told what he might guess, the next message's id."""
    made: list[StrictConnection] = []

    class Seen(StrictConnection):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments)  # type: ignore[arg-type]
            made.append(self)

    monkeypatch.setattr("shared.nas.smb.login.StrictConnection", Seen)
    return made


class Forger(Frames):
    """Keeps a write from the server, and tells the client that it is done."""

    def __init__(
        self,
        connections: list[StrictConnection],
        *,
        command: int = Commands.SMB2_WRITE,
        flags: int = FROM_SERVER,
        status: int = NtStatus.STATUS_SUCCESS,
    ) -> None:
        super().__init__()
        self._connections = connections
        self._command = command
        self._flags = flags
        self._status = status

    def request(self, frame: bytes) -> bytes:
        if len(frame) < len(CONTENT):
            return frame
        connection = self._connections[-1]
        (message_id,) = connection.outstanding_requests
        (session_id,) = connection.session_table
        # [MS-SMB2] 2.2.1.2 and 2.2.22.
        header = struct.pack(
            "<4sHHIHHIIQIIQ16s",
            *(b"\xfeSMB", 64, 16, self._status, self._command, 16, self._flags, 0),
            *(message_id, 0, 1, session_id, bytes(16)),
        )
        reply = header + struct.pack("<HHIIHHB", 17, 0, len(CONTENT), 0, 0, 0, 0)
        self.forged = len(reply).to_bytes(4, "big") + reply
        return b""


FORGERIES = {
    "unsigned": {},
    "with a signature of zeros": {"flags": FROM_SERVER | SIGNED},
    "as if it answered a login": {"command": Commands.SMB2_SESSION_SETUP},
    "as if it answered a login, signed": {
        "command": Commands.SMB2_SESSION_SETUP,
        "flags": FROM_SERVER | SIGNED,
    },
    "as if it answered a negotiation": {"command": Commands.SMB2_NEGOTIATE},
    "to wait": {"status": NtStatus.STATUS_PENDING},
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_reply_is_not_believed(
    place: Site, connections: list[StrictConnection], forgery: str
) -> None:
    place.proxy.line = lambda: Forger(connections, **FORGERIES[forgery])
    store = place.open(timeout_s=2, encryption=Encryption.PREFERRED)
    with pytest.raises(NasUnavailable):
        store.create(PATH, CONTENT)
    assert place.sha256() is None


def test_smbprotocol_alone_would_believe_it(
    place: Site, connections: list[StrictConnection], monkeypatch: pytest.MonkeyPatch
) -> None:
    # When this fails, the library has learned to check: `StrictConnection.verify_signature` can go.
    monkeypatch.setattr(StrictConnection, "verify_signature", Connection.verify_signature)
    place.proxy.line = lambda: Forger(connections)
    place.open(encryption=Encryption.PREFERRED).create(PATH, CONTENT)
    assert (place.folder / PATH).read_bytes() != CONTENT


class Tampered(Frames):
    """Changes one byte of those of the server's replies, counted from 1."""

    def __init__(self, numbers: range, offset: int) -> None:
        super().__init__()
        self._numbers = numbers
        self._offset = offset
        self._number = 0

    def reply(self, frame: bytes) -> bytes:
        self._number += 1
        changed = bytearray(frame)
        changed[self._offset] ^= self._number in self._numbers
        return bytes(changed)


@pytest.mark.parametrize("number", [4, 8])
def test_a_changed_reply_is_not_believed(place: Site, number: int) -> None:
    place.proxy.line = lambda: Tampered(range(number, 1_000), -1)
    with pytest.raises(NasUnavailable):
        place.open(timeout_s=2, encryption=Encryption.PREFERRED).create(PATH, CONTENT)
    assert place.sha256() is None


SERVER_GUID = 4 + 64 + 8


def test_a_changed_negotiation_ends_in_no_login(place: Site) -> None:
    place.proxy.line = lambda: Tampered(range(1, 2), SERVER_GUID)
    with pytest.raises(NasError):
        place.open(timeout_s=2, encryption=Encryption.PREFERRED).check()
    assert list(place.folder.iterdir()) == []


def test_genuine_replies_are_believed_signed_and_encrypted(place: Site) -> None:
    store = place.open(encryption=Encryption.PREFERRED)
    store.create(PATH, CONTENT)
    assert store.read(PATH) == CONTENT
    assert [entry.size for entry in store.list(PATH.rpartition("/")[0])] == [len(CONTENT)]


def test_nothing_of_the_content_crosses_an_encrypted_line_in_plain_text(smb: Site) -> None:
    crossed = bytearray()

    class Ear(Frames):
        def request(self, frame: bytes) -> bytes:
            crossed.extend(frame)
            return frame

    smb.proxy.line = Ear
    smb.open().create(PATH, b"secret artwork" * 100)
    assert len(crossed) > 1400
    assert b"secret artwork" not in crossed
    assert "UV_001".encode("utf-16-le") not in crossed
