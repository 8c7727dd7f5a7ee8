"""A NAS reached over SMB (``smb://user@host:port/Share/sub/folder``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.settings import Encryption

if TYPE_CHECKING:
    from shared.nas.smb.store import SmbNas


def open_smb(
    url: str,
    password: str | None,
    *,
    timeout_s: float = 30.0,
    encryption: Encryption = Encryption.REQUIRED,
) -> SmbNas:
    """The store at ``url``; nothing is sent before its first verb.

    ``timeout_s`` bounds each verb, retries included. Raises SettingsInvalid for an unusable URL.
    """
    # smbprotocol and cryptography take 0.2 s to load, which other stores need not pay.
    from shared.nas.smb.address import Address
    from shared.nas.smb.store import SmbNas

    return SmbNas(Address.of(url), password, timeout_s=timeout_s, encryption=encryption)
