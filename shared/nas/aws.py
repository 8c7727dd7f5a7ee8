"""boto3: the client of an ``s3://`` address, and what it raises as our errors.

Credentials come by boto3's usual chain: the environment, the profile, the machine's role.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

# Both ship no types.
import boto3.session  # type: ignore[import-untyped]
from botocore import exceptions as foreign  # type: ignore[import-untyped]
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]

from shared.errors import (
    NasError,
    NasFull,
    NasLogin,
    NasQuota,
    NasRefused,
    NasShareUnknown,
    NasUnavailable,
)
from shared.settings import SettingsInvalid

ATTEMPTS = 3
"""Of one request, the first included: what is lost on the way or answered by 5xx is sent again."""

_ERRORS: dict[str, type[NasError]] = {
    "QuotaExceeded": NasQuota,
    "XMinioStorageFull": NasFull,
    "InvalidAccessKeyId": NasLogin,
    "SignatureDoesNotMatch": NasLogin,
    "ExpiredToken": NasLogin,
    "NoSuchBucket": NasShareUnknown,
    # Asking for a bucket gets the bare status; of an object it isn't an error.
    "404": NasShareUnknown,
    "RequestTimeout": NasUnavailable,
    "ConditionalRequestConflict": NasUnavailable,
    "OperationAborted": NasUnavailable,
    # What stood there went while we looked at it.
    "PreconditionFailed": NasUnavailable,
    "NoSuchUpload": NasUnavailable,
}
"""S3's error codes; of the others, the status decides: 507 is NasFull, 429 and 5xx may pass."""

_LOST = (
    foreign.HTTPClientError,
    foreign.ConnectionError,
    foreign.IncompleteReadError,
    foreign.FlexibleChecksumError,
    ResponseParserError,
)
"""What ends an exchange half way."""

_LOGIN = (
    foreign.NoCredentialsError,
    foreign.PartialCredentialsError,
    foreign.CredentialRetrievalError,
    foreign.ProfileNotFound,
)
"""No account was found; what else botocore raises comes of wrong settings."""


def client(url: str, timeout_s: float) -> Any:
    """A boto3 S3 client for ``s3://bucket/prefix?endpoint=...&region=...``.

    A request to a server that says nothing ends in ``timeout_s`` seconds, its retries included.
    Raises SettingsInvalid for an address of another form, NasLogin for an unknown profile.
    """
    address = urlsplit(url)
    options = dict(parse_qsl(address.query, keep_blank_values=True))
    if not address.netloc or options.keys() - {"endpoint", "region"}:
        raise SettingsInvalid(
            "NAS_URL: an S3 address is s3://bucket/prefix?endpoint=http://host:port&region=name"
        )
    config = Config(
        connect_timeout=timeout_s / ATTEMPTS,
        read_timeout=timeout_s / ATTEMPTS,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        # A NAS box has no DNS name for each bucket.
        s3={"addressing_style": "path"},
        # Ours are set by hand; a NAS box needn't know S3's newer default ones.
        request_checksum_calculation="when_required",
    )
    try:
        with translated():
            return boto3.session.Session().client(
                "s3",
                endpoint_url=options.get("endpoint"),
                region_name=options.get("region"),
                config=config,
            )
    except ValueError as error:
        raise SettingsInvalid(f"NAS_URL: {error}") from error


@contextmanager
def translated() -> Iterator[None]:
    """Raise one of the NasError family for whatever botocore raises in the block."""
    try:
        yield
    except foreign.ClientError as error:
        raise _answer(error) from error
    except _LOST as error:
        raise NasUnavailable from error
    except _LOGIN as error:
        raise NasLogin from error
    except foreign.BotoCoreError as error:
        raise NasRefused from error


def _answer(error: foreign.ClientError) -> type[NasError]:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    passing = status == 429 or status >= 500
    known = NasFull if status == 507 else NasUnavailable if passing else NasRefused
    return _ERRORS.get(code(error), known)


def code(error: Exception) -> str:
    """S3's own name of what went wrong; empty for what isn't an answer of S3's."""
    return str(error.response["Error"]["Code"]) if isinstance(error, foreign.ClientError) else ""


def is_absent(error: foreign.ClientError) -> bool:
    """Whether an object isn't there; answers without a body have the bare status."""
    return code(error) in ("NoSuchKey", "404")
