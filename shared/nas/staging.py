"""Staging, the same for every store: an exclusive create that equal bytes may repeat."""

from __future__ import annotations

import hashlib
from uuid import UUID

from shared.errors import KeyReused, NameTaken
from shared.nas.names import staged
from shared.ports import Content, Nas


def stage(nas: Nas, design_id: UUID, content: Content) -> None:
    """Create the staged file of ``design_id``, or find it there with the same bytes.

    Raises KeyReused when other bytes are staged under the id.
    """
    path = staged(design_id)
    try:
        nas.create(path, content)
    except NameTaken as error:
        standing = nas.digest(path)
        # None: another worker has published the very same id meanwhile, which is no conflict.
        if standing is not None and standing != measure(content):
            raise KeyReused from error


def measure(content: Content) -> tuple[int, str]:
    """Size in bytes and sha256 (hex) of ``content``."""
    return memoryview(content).nbytes, hashlib.sha256(content).hexdigest()
