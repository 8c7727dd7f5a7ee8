"""ICC: whether embedded bytes are a colour profile (ICC.1:2022, section 7.2)."""

from __future__ import annotations

from shared.errors import CorruptImage

MAX_BYTES = 4 << 20
"""The largest printer profiles in use have about 3 MB; deflated ones can claim gigabytes."""

_HEADER_BYTES = 128


def checked(content: bytes) -> bytes | None:
    """The profile that ``content`` starts with; None where it is none, which viewers ignore too.

    Raises CorruptImage for one over `MAX_BYTES`: leaving it out would change the colours.
    """
    if len(content) > MAX_BYTES:
        raise CorruptImage(reason="its colour profile is too large")
    size = int.from_bytes(content[:4], "big")
    if content[36:40] != b"acsp" or not _HEADER_BYTES <= size <= len(content):
        return None
    return content[:size]


def space(profile: bytes) -> bytes:
    """The colour space of the data a profile describes: ``RGB ``, ``GRAY``, ``CMYK`` and others."""
    return profile[16:20]
