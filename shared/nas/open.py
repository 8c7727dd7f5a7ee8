"""NAS_URL to the store behind it. Each store's driver is loaded only when it is asked for."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.ports import Nas
from shared.settings import SettingsInvalid

# A bare ? or # would cut the folder's name short: they are written %3F and %23.
_FOLDER = re.compile(r"file://(localhost)?/[^?#]*", re.IGNORECASE)


def open_nas(url: str | None, home: Path) -> Nas:
    """The store at ``url``; without one, the folder ``nas`` in ``home``.

    ``file:///folder`` (percent-encoding as in any URL), ``memory://name``, ``s3://bucket/prefix``.
    Reaches for nothing yet but the driver. Raises SettingsInvalid.
    """
    if url is None:
        return _open_folder(home / "nas")
    address = urlsplit(url)
    match address.scheme:
        case "file":
            if not _FOLDER.fullmatch(url):
                raise SettingsInvalid("NAS_URL: a folder's address is file:///folder")
            return _open_folder(Path(unquote(address.path)))
        case "memory":
            from shared.nas.memory import open_memory

            return open_memory(address.netloc)
        case "s3":
            from shared.nas.s3 import open_s3

            return open_s3(url)
    raise SettingsInvalid("NAS_URL: it must begin with file://, memory://, s3:// or smb://")


def _open_folder(folder: Path) -> Nas:
    from shared.nas.folder import FolderNas

    return FolderNas(folder)
