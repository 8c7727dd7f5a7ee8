"""What the server's status codes mean to us ([MS-ERREF] 2.3.1), and what a lost connection is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from smbprotocol.exceptions import SMBAuthenticationError, SMBException, SMBResponseException
from smbprotocol.header import NtStatus

from shared.errors import (
    NameInvalid,
    NasBusy,
    NasError,
    NasFull,
    NasLogin,
    NasQuota,
    NasRefused,
    NasShareUnknown,
    NasUnavailable,
)
from shared.nas.smb.connection import StrictConnection

# Codes that smbprotocol has no name for.
FILE_LOCK_CONFLICT = 0xC0000054
QUOTA_EXCEEDED = 0xC0000044
DISK_QUOTA_EXCEEDED = 0xC0000802
MEDIA_WRITE_PROTECTED = 0xC00000A2
ACCOUNT_RESTRICTION = 0xC000006E
INVALID_LOGON_HOURS = 0xC000006F
INVALID_WORKSTATION = 0xC0000070
ACCOUNT_DISABLED = 0xC0000072
LOGON_TYPE_NOT_GRANTED = 0xC000015B
ACCOUNT_EXPIRED = 0xC0000193
PASSWORD_MUST_CHANGE = 0xC0000224
ACCOUNT_LOCKED_OUT = 0xC0000234
NETWORK_SESSION_EXPIRED = 0xC000035C

ABSENT = frozenset(
    [
        NtStatus.STATUS_OBJECT_NAME_NOT_FOUND,
        NtStatus.STATUS_OBJECT_PATH_NOT_FOUND,
        NtStatus.STATUS_OBJECT_PATH_INVALID,
        NtStatus.STATUS_NO_SUCH_FILE,
        NtStatus.STATUS_NOT_A_DIRECTORY,
        NtStatus.STATUS_FILE_IS_A_DIRECTORY,
        NtStatus.STATUS_DELETE_PENDING,
    ]
)
"""No plain file (or no folder, where one was asked for) is there."""

NO_FOLDER = frozenset([NtStatus.STATUS_OBJECT_PATH_NOT_FOUND, NtStatus.STATUS_OBJECT_PATH_INVALID])
"""A folder on the way is missing."""

NO_NAME = NO_FOLDER | {NtStatus.STATUS_OBJECT_NAME_NOT_FOUND}
"""Nothing at all has the name."""

IN_THE_WAY = frozenset(
    [
        NtStatus.STATUS_OBJECT_NAME_COLLISION,
        NtStatus.STATUS_SHARING_VIOLATION,
        NtStatus.STATUS_DELETE_PENDING,
        NtStatus.STATUS_ACCESS_DENIED,
    ]
)
"""Answers to a rename when something stands at the new name, some of them for other reasons too."""

_UNNAMEABLE = frozenset(
    [NtStatus.STATUS_OBJECT_NAME_INVALID, NtStatus.STATUS_OBJECT_PATH_SYNTAX_BAD]
)
_LOST = frozenset(
    [
        NtStatus.STATUS_USER_SESSION_DELETED,
        NtStatus.STATUS_NETWORK_NAME_DELETED,
        NtStatus.STATUS_FILE_CLOSED,
        NETWORK_SESSION_EXPIRED,
    ]
)
_MEANINGS: dict[type[NasError], tuple[int, ...]] = {
    NasFull: (NtStatus.STATUS_DISK_FULL,),
    NasQuota: (QUOTA_EXCEEDED, DISK_QUOTA_EXCEEDED),
    NasBusy: (
        NtStatus.STATUS_SHARING_VIOLATION,
        NtStatus.STATUS_DELETE_PENDING,
        FILE_LOCK_CONFLICT,
    ),
    NasLogin: (
        NtStatus.STATUS_LOGON_FAILURE,
        NtStatus.STATUS_WRONG_PASSWORD,
        NtStatus.STATUS_PASSWORD_EXPIRED,
        PASSWORD_MUST_CHANGE,
        ACCOUNT_RESTRICTION,
        ACCOUNT_DISABLED,
        ACCOUNT_EXPIRED,
        ACCOUNT_LOCKED_OUT,
        INVALID_LOGON_HOURS,
        INVALID_WORKSTATION,
        LOGON_TYPE_NOT_GRANTED,
    ),
    NasShareUnknown: (NtStatus.STATUS_BAD_NETWORK_NAME,),
    NasRefused: (
        NtStatus.STATUS_ACCESS_DENIED,
        NtStatus.STATUS_PRIVILEGE_NOT_HELD,
        NtStatus.STATUS_CANNOT_DELETE,
        # What a write meets where a link or a file is in the place of a folder.
        NtStatus.STATUS_OBJECT_NAME_NOT_FOUND,
        NtStatus.STATUS_OBJECT_PATH_NOT_FOUND,
        NtStatus.STATUS_OBJECT_NAME_COLLISION,
        NtStatus.STATUS_NOT_A_DIRECTORY,
        NtStatus.STATUS_FILE_IS_A_DIRECTORY,
        NtStatus.STATUS_STOPPED_ON_SYMLINK,
        MEDIA_WRITE_PROTECTED,
    ),
}
_ERRORS = {status: error for error, statuses in _MEANINGS.items() for status in statuses}
"""Anything else is NasUnavailable."""


class Lost(Exception):
    """The connection can't be used any more; what was asked last may have happened or not."""


@contextmanager
def translated(connection: StrictConnection) -> Iterator[None]:
    """Raise `shared.errors` for what the server answered in the block, Lost when it was cut off."""
    try:
        yield
    except SMBResponseException as error:
        if error.status in _LOST:
            raise Lost(f"status {error.status:#x}") from error
        if error.status in _UNNAMEABLE:
            raise NameInvalid(what="path", reason="the NAS can't hold such a name") from error
        raise _ERRORS.get(error.status, NasUnavailable) from error
    except SMBAuthenticationError as error:
        raise NasLogin from error
    except Exception as error:
        if isinstance(error, SMBException | OSError) or connection.blames(error):
            raise Lost(f"{type(error).__name__}: {error}") from error
        raise
