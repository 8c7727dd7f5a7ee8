"""DATABASE_URL to what the driver needs."""

from __future__ import annotations

import ssl
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from shared.settings import SettingsInvalid

_KNOWN = frozenset(["sslmode", "sslrootcert", "unix_sock", "application_name"])
"""What may follow the ``?``; anything else would be a TypeError of pg8000's at each connection."""

_VERIFIED = ("require", "verify-ca", "verify-full")
"""Each has the certificate and the host's name checked, which libpq does for the last one only."""


def target(url: str) -> tuple[URL, dict[str, Any]]:
    """The URL for pg8000 and its options; what only libpq knows is taken out of the URL.

    Raises SettingsInvalid, which never repeats the URL: it holds a password.
    """
    address = _parsed(url)
    options: dict[str, Any] = {"application_name": "platen"}
    mode = address.query.get("sslmode")
    if "unix_sock" in address.query or mode == "disable":
        options["ssl_context"] = False
    elif mode in _VERIFIED:
        options["ssl_context"] = _verifying(address.query.get("sslrootcert"))
    elif mode is not None:
        raise SettingsInvalid(f"DATABASE_URL: sslmode is disable, {', '.join(_VERIFIED)} or unset")
    return address.difference_update_query(["sslmode", "sslrootcert"]), options


def _parsed(url: str) -> URL:
    try:
        address = make_url(url)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise _unusable() from error
    if address.drivername not in ("postgresql", "postgresql+pg8000"):
        raise _unusable()
    if unknown := sorted(address.query.keys() - _KNOWN):
        raise SettingsInvalid(f"DATABASE_URL: there is no option {', '.join(unknown)}")
    return address.set(drivername="postgresql+pg8000")


def _verifying(authority: object) -> ssl.SSLContext:
    """pg8000's own True would check neither the certificate nor the host's name."""
    try:
        return ssl.create_default_context(cafile=authority if isinstance(authority, str) else None)
    except OSError as error:
        raise SettingsInvalid(f"DATABASE_URL: sslrootcert: {error.strerror}") from error


def _unusable() -> SettingsInvalid:
    return SettingsInvalid(
        "DATABASE_URL: it must be postgresql+pg8000://user:password@host:port/database"
    )
