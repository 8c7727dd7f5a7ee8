"""Writes to an S3 bucket that replace nothing.

S3 replaces by default, so every write is conditional (``If-None-Match: *``). Copies are multipart
uploads of one copied part: many stores ignore the condition on a plain CopyObject, but keep it when
an upload is completed. Raises what botocore raises, and NameTaken.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

# Ships no types.
from botocore.exceptions import (  # type: ignore[import-untyped]
    BotoCoreError,
    ClientError,
)
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from shared.errors import NameTaken, NasReplaces
from shared.nas.aws import code, is_absent
from shared.ports import Content

PART = 16 * 1024 * 1024
"""Bytes that are sent, and at most copied in memory, at once; S3 wants at least 5 MiB."""

PNG = "image/png"


class Bucket:
    """A bucket of a boto3 S3 ``client``."""

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name
        self._trial = threading.Lock()
        self._is_trusted = False

    def trust(self, key: str) -> None:
        """Find out, once, whether the bucket keeps conditions: else it would lose files.

        Writes a small object to ``key`` that two more writes must not replace, and removes it.
        Raises NasReplaces.
        """
        with self._trial:
            if self._is_trusted:
                return
            self.put(key, b"first")
            try:
                _expect_taken(lambda: self.put(key, b"second"))
                _expect_taken(lambda: self.copy(key, key))
            finally:
                self.delete(key)
            self._is_trusted = True

    def put(self, key: str, content: Content) -> None:
        """Write a new object with a sha256 that S3 checks. Raises NameTaken."""
        view = memoryview(content).cast("B")
        write = self._put_whole if view.nbytes <= PART else self._put_parts
        self._exclusively(key, partial(write, key, view))

    def copy(self, source: str, target: str) -> None:
        """Copy an object within the bucket, on the server. Raises NameTaken."""

        def copied(upload: dict[str, str]) -> list[dict[str, Any]]:
            answer = self.client.upload_part_copy(
                **upload, PartNumber=1, CopySource={"Bucket": self.name, "Key": source}
            )
            return [{"PartNumber": 1, "ETag": answer["CopyPartResult"]["ETag"]}]

        self._exclusively(target, partial(self._upload, target, copied))

    def head(self, key: str) -> dict[str, Any] | None:
        """What S3 says of an object, or None when there is none."""
        try:
            return dict(self.client.head_object(Bucket=self.name, Key=key))
        except ClientError as error:
            if is_absent(error):
                return None
            raise

    def delete(self, key: str) -> None:
        """Remove an object; removing none is harmless."""
        self.client.delete_object(Bucket=self.name, Key=key)

    def _exclusively(self, key: str, write: Callable[[str], None]) -> None:
        """Run a conditional write, marked with who writes so that a lost answer can be told.

        When an answer is lost the driver sends the request again and meets its own object.
        """
        writer = uuid4().hex
        retrying = Retrying(
            # Two conditional writes met in S3, which asks both to come again.
            retry=retry_if_exception(lambda error: code(error) == "ConditionalRequestConflict"),  # type: ignore[arg-type]
            stop=stop_after_attempt(5),
            wait=wait_random_exponential(multiplier=0.05, max=1),
            reraise=True,
        )
        try:
            retrying(write, writer)
        except ClientError as error:
            if code(error) not in ("PreconditionFailed", "NoSuchUpload"):
                raise
            standing = self.head(key)
            if standing is None:
                raise
            if standing["Metadata"].get("writer") != writer:
                raise NameTaken(name=key.rpartition("/")[2]) from error

    def _put_whole(self, key: str, view: memoryview, writer: str) -> None:
        self.client.put_object(
            Bucket=self.name,
            Key=key,
            **_checked(view),
            ContentType=PNG,
            Metadata={"writer": writer},
            IfNoneMatch="*",
        )

    def _put_parts(self, key: str, view: memoryview, writer: str) -> None:
        def sent(upload: dict[str, str]) -> list[dict[str, Any]]:
            starts = enumerate(range(0, view.nbytes, PART), start=1)
            return [self._send(upload, number, view[at : at + PART]) for number, at in starts]

        self._upload(key, sent, writer, ChecksumAlgorithm="SHA256")

    def _send(self, upload: dict[str, str], number: int, view: memoryview) -> dict[str, Any]:
        body = _checked(view)
        answer = self.client.upload_part(**upload, PartNumber=number, **body)
        checksum = {"ChecksumSHA256": body["ChecksumSHA256"]}
        return {"PartNumber": number, "ETag": answer["ETag"], **checksum}

    def _upload(
        self,
        key: str,
        send: Callable[[dict[str, str]], list[dict[str, Any]]],
        writer: str,
        **options: str,
    ) -> None:
        """A multipart upload of the parts that ``send`` gives to it, taken back if it fails."""
        place = {"Bucket": self.name, "Key": key}
        answer = self.client.create_multipart_upload(
            **place, ContentType=PNG, Metadata={"writer": writer}, **options
        )
        upload = {**place, "UploadId": answer["UploadId"]}
        try:
            self.client.complete_multipart_upload(
                **upload, MultipartUpload={"Parts": send(upload)}, IfNoneMatch="*"
            )
        except BaseException:
            # How the upload failed matters, not how taking it back did.
            with suppress(BotoCoreError, ClientError):
                self.client.abort_multipart_upload(**upload)
            raise


def _expect_taken(write: Callable[[], None]) -> None:
    try:
        write()
    except NameTaken:
        return
    raise NasReplaces


def _checked(view: memoryview) -> dict[str, Any]:
    """A request's body with its sha256."""
    sha256 = base64.b64encode(hashlib.sha256(view).digest()).decode()
    return {"Body": bytes(view), "ChecksumSHA256": sha256}
