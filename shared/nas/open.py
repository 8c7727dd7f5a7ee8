"""NAS_URL to the store behind it. Each store's driver is loaded only when it is asked for."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from shared.ports import Nas
from shared.settings import Settings, SettingsInvalid

# A bare ? or # would cut the folder's name short: they are written %3F and %23.
_FOLDER = re.compile(r"file://(localhost)?/[^?#]*", re.IGNORECASE)


def open_nas(settings: Settings) -> Nas:
    """The store at ``NAS_URL``; without one, the folder ``nas`` in ``PLATEN_HOME``.

    ``file:///folder`` (percent-encoded as any URL), ``memory://name``, ``smb://user@host/Share``,
    ``s3://bucket/prefix?endpoint=...``. Nothing is sent before the store's first verb.
    Raises SettingsInvalid, or NasLogin where the account's own settings can't be read.
    """
    url = settings.nas_url
    if url is None:
        return _open_folder(settings.home / "nas")
    match urlsplit(url).scheme:
        case "file" if _FOLDER.fullmatch(url):
            return _open_folder(Path(unquote(urlsplit(url).path)))
        case "memory":
            from shared.nas.memory import open_memory

            return open_memory(urlsplit(url).netloc)
        case "s3":
            from shared.nas.s3 import open_s3

            return open_s3(url, timeout_s=settings.nas_timeout_s)
        case "smb":
            from shared.nas.smb import open_smb

            return open_smb(
                url,
                settings.nas_secret(),
                timeout_s=settings.nas_timeout_s,
                encryption=settings.nas_encryption,
            )
    raise SettingsInvalid(
        "NAS_URL: it must be file:///folder, memory://name, s3://bucket/prefix or smb://user@host/Share"
    )


def _open_folder(folder: Path) -> Nas:
    from shared.nas.folder import FolderNas

    return FolderNas(folder)
