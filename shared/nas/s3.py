"""A NAS that speaks S3: ``s3://bucket/prefix?endpoint=http://host:port&region=name``.

S3 has no rename: two workers that publish one staged object under two different names may both
succeed. An upload that a crash cut off leaves no object, only parts: let the bucket's lifecycle
abort incomplete uploads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import uuid4

# Ships no types.
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from shared.errors import NameInvalid, StagedFileMissing
from shared.nas import aws
from shared.nas.bucket import Bucket
from shared.nas.names import STAGING, split
from shared.ports import Content
from shared.records import Entry
from shared.settings import SettingsInvalid

_CHUNK = 1024 * 1024


def open_s3(url: str, *, timeout_s: float) -> S3Nas:
    """The store at an ``s3://`` address; `aws.client` says what ``timeout_s`` bounds.

    Raises SettingsInvalid for an unusable URL, NasLogin for an unknown profile.
    """
    address = urlsplit(url)
    try:
        return S3Nas(
            Bucket(aws.client(url, timeout_s), address.netloc), unquote(address.path).strip("/")
        )
    except NameInvalid as error:
        raise SettingsInvalid(f"NAS_URL: {error}") from error


class S3Nas:
    """Implements `shared.ports.Nas`. Names that differ in case are different objects.

    Before its first write it tries out whether the bucket keeps conditions and refuses one that
    does not: it would replace files.
    """

    def __init__(self, bucket: Bucket, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = split(prefix) if prefix else ()

    def publish(self, staged: str, path: str) -> None:
        source, target = self._key(staged), self._key(path)
        with aws.translated():
            self._trust()
            try:
                self._bucket.copy(source, target)
            except ClientError as error:
                if aws.is_absent(error):
                    raise StagedFileMissing from error
                raise
            self._bucket.delete(source)

    def create(self, path: str, content: Content) -> None:
        key = self._key(path)
        with aws.translated():
            self._trust()
            self._bucket.put(key, content)

    def read(self, path: str) -> bytes | None:
        with aws.translated():
            body = self._open(path)
            return None if body is None else bytes(body.read())

    def stat(self, path: str) -> Entry | None:
        with aws.translated():
            facts = self._bucket.head(self._key(path))
        if facts is None:
            return None
        return Entry(path, facts["ContentLength"], facts["LastModified"].timestamp())

    def digest(self, path: str) -> tuple[int, str] | None:
        size, sha256 = 0, hashlib.sha256()
        with aws.translated():
            body = self._open(path)
            if body is None:
                return None
            for chunk in body.iter_chunks(_CHUNK):
                size += len(chunk)
                sha256.update(chunk)
        return size, sha256.hexdigest()

    def delete(self, path: str) -> None:
        with aws.translated():
            self._bucket.delete(self._key(path))

    def remove_folder(self, folder: str) -> None:
        split(folder)  # There are no folders but in the names of objects.

    def list(self, folder: str) -> Iterator[Entry]:
        parent = f"{self._key(folder)}/"
        pages = self._bucket.client.get_paginator("list_objects_v2")
        with aws.translated():
            for page in pages.paginate(Bucket=self._bucket.name, Prefix=parent, Delimiter="/"):
                for found in page.get("Contents", ()):
                    # Some programs mark a folder by an object that has no name.
                    with suppress(NameInvalid):
                        path = f"{folder}/{found['Key'].removeprefix(parent)}"
                        split(path)
                        yield Entry(path, found["Size"], found["LastModified"].timestamp())

    def folders(self, folder: str) -> Iterator[str]:
        parts = split(folder) if folder else ()
        parent = "".join(f"{part}/" for part in (*self._prefix, *parts))
        pages = self._bucket.client.get_paginator("list_objects_v2")
        with aws.translated():
            for page in pages.paginate(Bucket=self._bucket.name, Prefix=parent, Delimiter="/"):
                for found in page.get("CommonPrefixes", ()):
                    with suppress(NameInvalid):
                        name = found["Prefix"].removeprefix(parent).removesuffix("/")
                        split(path := "/".join((*parts, name)))
                        yield path

    def check(self) -> None:
        with aws.translated():
            self._bucket.client.head_bucket(Bucket=self._bucket.name)
            self._trust()

    def _key(self, path: str) -> str:
        return "/".join((*self._prefix, *split(path)))

    def _open(self, path: str) -> Any:
        """The body of an object, to be read; None when there is none."""
        try:
            place = {"Bucket": self._bucket.name, "Key": self._key(path)}
            return self._bucket.client.get_object(**place)["Body"]
        except ClientError as error:
            if aws.is_absent(error):
                return None
            raise

    def _trust(self) -> None:
        self._bucket.trust(self._key(f"{STAGING}/{uuid4().hex}.trial"))
