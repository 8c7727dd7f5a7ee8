"""From an address to a share that is logged in to."""

from __future__ import annotations

from smbprotocol.exceptions import SMBException
from smbprotocol.session import Session
from smbprotocol.tree import TreeConnect

from shared.errors import NasLogin, NasUnavailable, NasUnencrypted
from shared.nas.smb.address import Address
from shared.nas.smb.connection import StrictConnection
from shared.nas.smb.deadline import Deadline
from shared.nas.smb.status import Lost, translated
from shared.nas.smb.transfer import CREDITS
from shared.settings import Encryption

_CONNECT_S = 5.0
"""Longest wait for one of the host's addresses to take the connection."""


def log_in(
    address: Address, password: str | None, encryption: Encryption, deadline: Deadline
) -> TreeConnect:
    """Connect, authenticate and open the share.

    Raises NasLogin, NasShareUnknown, NasRefused, NasUnencrypted, or Lost when it can't be reached.
    """
    connection = StrictConnection(address.host, address.port, deadline)
    try:
        with translated(connection), deadline.guard(connection.cut):
            _connect(connection)
            if encryption is Encryption.REQUIRED and not connection.supports_encryption:
                raise NasUnencrypted
            session = _authenticate(connection, address.user, password)
            tree = TreeConnect(session, rf"\\{address.host}\{address.share}")
            tree.connect()
            connection.echo(session.session_id, credit_request=CREDITS)
    except BaseException as error:
        connection.close()
        if isinstance(error, NasUnavailable):
            # A server that is only just starting answers all sorts of things.
            raise Lost("the server is not ready") from error
        raise
    return tree


def _connect(connection: StrictConnection) -> None:
    # A host may have several addresses, each of which is waited for.
    timeout_s = min(_CONNECT_S, connection.deadline.remaining / 3)
    if not timeout_s:
        raise Lost("no time is left to connect")
    try:
        connection.connect(timeout=timeout_s)
    except ValueError as error:
        raise Lost("the server can't be reached") from error


def _authenticate(connection: StrictConnection, user: str, password: str | None) -> Session:
    session = Session(
        connection, user, password, require_encryption=bool(connection.supports_encryption)
    )
    try:
        session.connect()
    except SMBException as error:
        # A NAS may take a wrong name or password for a guest's; guests can't sign or encrypt.
        if session.session_id is None:
            raise NasLogin from error
        raise
    return session
