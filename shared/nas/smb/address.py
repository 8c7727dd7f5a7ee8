"""Where a share is and who opens it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote, urlsplit

from shared.errors import NameInvalid
from shared.nas.names import split
from shared.settings import SettingsInvalid


@dataclass(frozen=True, slots=True)
class Address:
    """An SMB share, or a folder of it."""

    host: str
    port: int
    share: str
    folders: tuple[str, ...]
    """The folder of the share that everything lies in; empty for the share itself."""
    user: str
    """The account, ``DOMAIN\\user`` where it needs a domain."""

    @classmethod
    def of(cls, url: str) -> Self:
        """Read ``smb://user@host[:port]/Share[/sub/folder]``; parts may be percent-encoded.

        Raises SettingsInvalid, which never repeats the URL: somebody may have put a password in it.
        """
        try:
            parsed = urlsplit(url)
            host, port = parsed.hostname, parsed.port
            share, *folders = split(unquote(parsed.path).strip("/"))
        except (ValueError, NameInvalid) as error:
            raise SettingsInvalid("NAS_URL: not smb://user@host:port/Share/folder") from error
        if not host or not parsed.username:
            raise SettingsInvalid("NAS_URL: smb:// needs a user and a host, smb://user@host/Share")
        if parsed.password is not None or parsed.query or parsed.fragment:
            raise SettingsInvalid("NAS_URL: only user, host, port and path; see NAS_PASSWORD")
        return cls(host, port or 445, share, tuple(folders), unquote(parsed.username))
