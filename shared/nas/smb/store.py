"""The SMB store: verbs of one `Share`, on a pool of connections, within a deadline."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from tenacity import (
    Retrying,
    before_sleep_log,
    retry_if_exception_type,
    wait_exponential_jitter,
)

from shared.errors import NasUnavailable
from shared.nas.smb.address import Address
from shared.nas.smb.deadline import Deadline
from shared.nas.smb.login import log_in
from shared.nas.smb.pool import Pool
from shared.nas.smb.share import Share
from shared.nas.smb.status import Lost
from shared.ports import Content
from shared.records import Entry
from shared.settings import Encryption

ATTEMPTS = 3
"""Each on another connection; only a lost connection is followed by another attempt."""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class SmbNas:
    """Implements `shared.ports.Nas`. Each verb, retries included, ends within ``timeout_s``;

    `list` and `folders` read each page within it. Beside NasUnavailable (NasBusy), NasFull
    (NasQuota) and NasRefused (NasLogin, NasShareUnknown, NasUnencrypted), verbs raise NameInvalid
    for names that the NAS can't hold. Looking up the host's name is not bounded: that is the
    resolver's.
    """

    def __init__(
        self, address: Address, password: str | None, *, timeout_s: float, encryption: Encryption
    ) -> None:
        self._folders = address.folders
        self._timeout_s = timeout_s
        self._pool = Pool(partial(log_in, address, password, encryption))

    def publish(self, staged: str, path: str) -> None:
        ours: set[int] = set()
        self._run(lambda share: share.publish(staged, path, ours))

    def create(self, path: str, content: Content) -> None:
        whole, ours = _whole(content), set[int]()
        self._run(lambda share: share.create(path, whole, ours))

    def read(self, path: str) -> bytes | None:
        return self._run(lambda share: share.read(path))

    def stat(self, path: str) -> Entry | None:
        return self._run(lambda share: share.stat(path))

    def digest(self, path: str) -> tuple[int, str] | None:
        return self._run(lambda share: share.digest(path))

    def delete(self, path: str) -> None:
        self._run(lambda share: share.delete(path))

    def remove_folder(self, folder: str) -> None:
        self._run(lambda share: share.remove_folder(folder))

    def list(self, folder: str) -> Iterator[Entry]:
        return self._walk(lambda share: share.list(folder))

    def folders(self, folder: str) -> Iterator[str]:
        return self._walk(lambda share: share.folders(folder))

    def check(self) -> None:
        self._run(Share.check)

    def close(self) -> None:
        """End the idle connections. The store can be used again afterwards."""
        self._pool.close()

    def _walk(self, verb: Callable[[Share], Iterator[_T]]) -> Iterator[_T]:
        """What a folder holds, read on a connection of its own for as long as it takes."""
        try:
            with self._pool.apart(Deadline(self._timeout_s)) as tree:
                yield from verb(Share(tree, self._folders))
        except Lost as error:
            raise NasUnavailable from error

    def _run(self, verb: Callable[[Share], _T]) -> _T:
        deadline = Deadline(self._timeout_s)

        def attempt() -> _T:
            with self._pool.borrow(deadline) as tree:
                return verb(Share(tree, self._folders))

        attempts = Retrying(
            retry=retry_if_exception_type(Lost),
            stop=lambda state: deadline.over or state.attempt_number == ATTEMPTS,
            wait=wait_exponential_jitter(multiplier=0.1, max=1, jitter=0.1),
            before_sleep=before_sleep_log(_log, logging.WARNING),
            reraise=True,
        )
        try:
            return attempts(attempt)
        except Lost as error:
            raise NasUnavailable from error


def _whole(content: Content) -> memoryview:
    """The content's bytes, whatever the items of its view; raises before anything is sent."""
    return memoryview(content).cast("B")
