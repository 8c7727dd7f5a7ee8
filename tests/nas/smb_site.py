"""A folder on a Samba server, and the way to it through a proxy: what the SMB tests play with."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from samba import PASSWORD, Samba

from shared.nas.smb import open_smb
from shared.nas.smb.store import SmbNas
from shared.settings import Encryption
from tests.proxy import Proxy, proxy

PATH = "NookTransfers/Shop/UVDTF 16oz/UV_001.png"


@dataclass
class Site:
    """``folder`` is where the files really are: what is there is read without SMB."""

    server: Samba
    proxy: Proxy
    folder: Path
    opened: ExitStack

    def open(
        self,
        *,
        password: str | None = PASSWORD,
        timeout_s: float = 10,
        encryption: Encryption = Encryption.REQUIRED,
    ) -> SmbNas:
        """A store whose connections go through the proxy."""
        url = f"{self.server.url_at(self.proxy.port)}/{self.folder.name}"
        store = open_smb(url, password, timeout_s=timeout_s, encryption=encryption)
        self.opened.callback(store.close)
        return store

    def sha256(self, path: str = PATH) -> str | None:
        """Of the file as it lies on the server's disk, None when there is none."""
        file = self.folder / path
        return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else None

    def leftovers(self) -> list[str]:
        """Files without a final name, once the server has noticed which connections are gone."""
        staging = self.folder / ".platen"
        give_up = time.monotonic() + 1
        while staging.exists():
            names = sorted(file.name for file in staging.iterdir())
            if not names or time.monotonic() > give_up:
                return names
            time.sleep(0.01)
        return []


@contextmanager
def site(server: Samba) -> Iterator[Site]:
    """A site in an empty folder of the server."""
    folder = server.folder / uuid4().hex
    folder.mkdir()
    with ExitStack() as opened:
        yield Site(server, opened.enter_context(proxy(server.port)), folder, opened)


def body(megabytes: int) -> bytes:
    """So many MiB of which no two blocks are alike."""
    return hashlib.shake_128(b"platen").digest(megabytes << 20)
