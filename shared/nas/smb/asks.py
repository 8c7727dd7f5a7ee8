"""The messages that the store sends about a file or folder, and what it wants to know by them.

Each is an `Ask`, for `shared.nas.smb.transfer` to send. ``opened`` need not be open yet when the
message that opens it goes out in the same round trip.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smbprotocol.file_info import (
    FileDispositionInformation,
    FileFsFullSizeInformation,
    FileInternalInformation,
    FileRenameInformation,
)
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    DirectoryAccessMask,
    FilePipePrinterAccessMask,
    ImpersonationLevel,
    Open,
    ShareAccess,
    SMB2QueryInfoRequest,
    SMB2QueryInfoResponse,
    SMB2SetInfoRequest,
)

from shared.nas.smb.lean import Write

Ask = tuple[Any, Callable[[Any], Any]]
"""A message of smbprotocol, and what takes the answer out of the request when it is there."""

_EXCEPT_MOVING = ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE
_ALL = _EXCEPT_MOVING | ShareAccess.FILE_SHARE_DELETE
_LOOK = FilePipePrinterAccessMask.FILE_READ_ATTRIBUTES
_READ = FilePipePrinterAccessMask.FILE_READ_DATA | _LOOK
_WRITE = FilePipePrinterAccessMask.FILE_WRITE_DATA | _LOOK
_MOVE = FilePipePrinterAccessMask.DELETE | _WRITE
_FILE = CreateOptions.FILE_NON_DIRECTORY_FILE
_FOLDER = CreateOptions.FILE_DIRECTORY_FILE


def new(opened: Open) -> Ask:
    """Create a file, not replacing any.

    Others may do anything to it meanwhile, so that the handle of a dead connection, which the
    server may keep for minutes, bars nobody.
    """
    return _create(opened, _MOVE, CreateDisposition.FILE_CREATE, _FILE)


def movable(opened: Open) -> Ask:
    """Open a file that nobody else may rename or delete while it is open."""
    return _create(opened, _MOVE, CreateDisposition.FILE_OPEN, _FILE, sharing=_EXCEPT_MOVING)


def readable(opened: Open) -> Ask:
    return _create(opened, _READ, CreateDisposition.FILE_OPEN, _FILE)


def flushable(opened: Open) -> Ask:
    return _create(opened, _WRITE, CreateDisposition.FILE_OPEN, _FILE)


def removable(opened: Open) -> Ask:
    """Open a folder that may be doomed then."""
    return _create(opened, DirectoryAccessMask.DELETE, CreateDisposition.FILE_OPEN, _FOLDER)


def visible(opened: Open, *, any_kind: bool = False) -> Ask:
    """Open a file for its size and time only; ``any_kind``: or a folder."""
    return _create(opened, _LOOK, CreateDisposition.FILE_OPEN, 0 if any_kind else _FILE)


def going(opened: Open) -> Ask:
    """Open a file that is deleted when it is closed."""
    return _create(
        opened,
        FilePipePrinterAccessMask.DELETE,
        CreateDisposition.FILE_OPEN,
        _FILE | CreateOptions.FILE_DELETE_ON_CLOSE,
    )


def made(opened: Open) -> Ask:
    """Create a folder, or open it where somebody else has."""
    return _create(opened, _LOOK, CreateDisposition.FILE_OPEN_IF, _FOLDER)


def listable(opened: Open) -> Ask:
    """Open a folder."""
    access = DirectoryAccessMask.FILE_LIST_DIRECTORY | _LOOK
    return _create(opened, access, CreateDisposition.FILE_OPEN, _FOLDER)


def doomed(opened: Open, doomed: bool) -> Ask:
    """Whether the file is deleted when its last handle is closed, by whatever end."""
    information = FileDispositionInformation()
    information["delete_pending"] = doomed
    return _set(opened, information)


def renamed(opened: Open, path: str) -> Ask:
    """Give the file another path of the share, not replacing anything there."""
    information = FileRenameInformation()
    information["replace_if_exists"] = False
    information["file_name"] = path
    return _set(opened, information)


def index(opened: Open) -> Ask:
    """The server's own number of the file, the same under every name; 0 where it has none."""
    return _query(
        opened, FileInternalInformation, 8, lambda found: found["index_number"].get_value()
    )


def free(opened: Open) -> Ask:
    """Bytes that the account can still write."""

    def count(found: Any) -> int:
        units = ("caller_available_units", "sectors_per_unit", "bytes_per_sector")
        available, sectors, size = (int(found[unit].get_value()) for unit in units)
        return available * sectors * size

    return _query(opened, FileFsFullSizeInformation, 32, count)


def written(opened: Open, content: memoryview, offset: int) -> Ask:
    """Write bytes; the answer is how many."""
    if opened.tree_connect.session.encrypt_data:
        return Write(opened, content, offset), opened._write_response
    ask: Ask = opened.write(bytes(content), offset, send=False)
    return ask


def flushed(opened: Open) -> Ask:
    ask: Ask = opened.flush(send=False)
    return ask


def closed(opened: Open) -> Ask:
    ask: Ask = opened.close(send=False)
    return ask


def _create(opened: Open, access: int, disposition: int, options: int, sharing: int = _ALL) -> Ask:
    ask: Ask = opened.create(
        ImpersonationLevel.Impersonation, access, 0, sharing, disposition, options, send=False
    )
    return ask


def _set(opened: Open, information: Any) -> Ask:
    message = SMB2SetInfoRequest()
    message["info_type"] = information.INFO_TYPE
    message["file_info_class"] = information.INFO_CLASS
    message["file_id"] = opened.file_id
    message["buffer"] = information
    return message, opened.connection.receive


def _query(opened: Open, kind: type[Any], size: int, answer: Callable[[Any], Any]) -> Ask:
    message = SMB2QueryInfoRequest()
    message["info_type"] = kind.INFO_TYPE
    message["file_info_class"] = kind.INFO_CLASS
    message["output_buffer_length"] = size
    message["file_id"] = opened.file_id

    def take(request: Any) -> Any:
        reply = SMB2QueryInfoResponse()
        reply.unpack(opened.connection.receive(request)["data"].get_value())
        return answer(reply.parse_buffer(kind))

    return message, take
