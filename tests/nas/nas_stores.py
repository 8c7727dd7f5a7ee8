"""The stores that the contract suite runs over: add one here and every test runs over it.

A store's entry opens what it needs (a server, a folder) once for the session and yields a callable
that answers an empty store each time. It raises `StoreAbsent` when the machine lacks what it needs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from shared.nas.folder import FolderNas
from shared.nas.memory import MemoryNas
from shared.nas.names import staged
from shared.ports import Nas


class StoreAbsent(Exception):
    """What the store needs is not on this machine; the text says what is missing."""


Serve = Callable[[Path], AbstractContextManager[Callable[[], Nas]]]


@contextmanager
def memory(_folder: Path) -> Iterator[Callable[[], Nas]]:
    yield MemoryNas


@contextmanager
def folder(folder: Path) -> Iterator[Callable[[], Nas]]:
    yield lambda: FolderNas(folder / uuid4().hex)


@contextmanager
def s3(_folder: Path) -> Iterator[Callable[[], Nas]]:
    try:
        from nas_moto import BUCKET, moto_server

        from shared.nas import aws
        from shared.nas.bucket import Bucket
        from shared.nas.s3 import S3Nas
    except ImportError as error:
        raise StoreAbsent(f"{error.name} is not installed") from error
    with moto_server() as endpoint, aws_account():
        bucket = Bucket(aws.client(f"s3://{BUCKET}?endpoint={endpoint}", 60), BUCKET)
        yield lambda: S3Nas(bucket, uuid4().hex)


@contextmanager
def smb(folder: Path) -> Iterator[Callable[[], Nas]]:
    from samba import PASSWORD, SambaAbsent, samba

    from shared.nas.smb import open_smb

    with ExitStack() as opened:
        try:
            server = opened.enter_context(samba(folder))
        except SambaAbsent as absent:
            raise StoreAbsent(str(absent)) from absent

        def empty() -> Nas:
            store = open_smb(f"{server.url}/{uuid4().hex}", PASSWORD)
            opened.callback(store.close)
            return store

        yield empty


@contextmanager
def aws_account() -> Iterator[None]:
    """Credentials of nobody; whatever this machine's owner has set up stays out of it."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            environment.delenv(name)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            environment.setenv(name, os.devnull)
        environment.setenv("AWS_ACCESS_KEY_ID", "nobody")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "nothing")
        yield


STORES: dict[str, Serve] = {"memory": memory, "folder": folder, "s3": s3, "smb": smb}

LONG_LIST = {"s3": 110}
"""Entries that take more than one page of a store; 1,010 where it isn't said."""


def waiting(design_id: UUID) -> str:
    """Where a design's print file is staged; its sha256 is of no matter to a store."""
    return staged(design_id, "0" * 64)
