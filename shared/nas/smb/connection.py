"""A connection to an SMB server that believes authentic replies only and can't hang.

What it changes of smbprotocol 1.17's own connection is held by the forgery and fault tests.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Any
from uuid import uuid4

from smbprotocol.exceptions import SMBException
from smbprotocol.header import Commands, NtStatus, Smb2Flags

from shared.nas.smb.deadline import Deadline
from shared.nas.smb.lean import LeanConnection

_BEFORE_LOGIN = (Commands.SMB2_NEGOTIATE, Commands.SMB2_SESSION_SETUP)


class _Requests(dict[int, Any]):
    """Requests without an answer. The receiving thread walks through them while others come."""

    def values(self) -> Any:
        return list(super().values())


class StrictConnection(LeanConnection):
    """One TCP connection with a client GUID of its own, for one borrower at a time.

    ``deadline`` is the present operation's: no wait for a reply outlasts it.
    """

    def __init__(self, host: str, port: int, deadline: Deadline) -> None:
        # Servers join connections of one GUID into one client, whose requests then mix.
        super().__init__(uuid4(), host, port, require_signing=True)
        self.outstanding_requests = _Requests()
        self.deadline = deadline

    def verify_signature(self, header: Any, session_id: int, force: bool = False) -> None:
        """Refuse a plain reply that the session's protection does not allow ([MS-SMB2] 3.2.5.1.3).

        The library asks this of each reply that came unencrypted, and by itself accepts unsigned
        ones; ``force`` is its own second look at the last reply of a signed login.
        """
        if not force:
            self._demand_protection(header)
        super().verify_signature(header, session_id, force)

    def _demand_protection(self, header: Any) -> None:
        # What was asked is taken from our own request: a forger writes the reply's session and
        # command, and replies to a login may be plain.
        request = self.outstanding_requests[header["message_id"].get_value()]
        command = request.message["command"].get_value()
        session = self.session_table.get(request.session_id)
        if command in _BEFORE_LOGIN or session is None:
            return
        if session.encrypt_data:
            raise SMBException("a reply came in plain text in an encrypted session")
        if header["command"].get_value() != command:
            raise SMBException("a reply came to what was not asked")
        pending = header["status"].get_value() == NtStatus.STATUS_PENDING
        if not pending and not header["flags"].has_flag(Smb2Flags.SMB2_FLAGS_SIGNED):
            raise SMBException("a reply came without the signature agreed on")

    def receive(
        self, request: Any, wait: bool = True, timeout: float | None = None, **_options: Any
    ) -> Any:
        """The reply, within the deadline. Links on the share are never followed."""
        # The library cuts fractions off, and the deadline's own guard comes first.
        latest = self.deadline.remaining + 1
        timeout = latest if timeout is None else min(timeout, latest)
        return super().receive(request, wait, timeout, resolve_symlinks=False)

    @property
    def healthy(self) -> bool:
        """Whether it can be lent again: connected, nothing unanswered, nothing left open."""
        return (
            bool(self.transport.connected)
            and not self.outstanding_requests
            and not any(session.open_table for session in self.session_table.values())
        )

    def cut(self) -> None:
        """End the connection at once, without waiting for a lock: every call on it then fails."""
        if self.transport is not None and self.transport._sock is not None:
            with suppress(OSError):
                self.transport._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """`cut`, and wait for the receiving thread's end."""
        self.cut()
        if self.transport is not None:
            self.disconnect(close=False)

    def blames(self, error: Exception) -> bool:
        """Whether the receiving thread died of ``error``, which may be of any class."""
        return error is self._t_exc
