"""EXIF: the one tag that changes how a picture is seen (Exif 2.32, section 4.6.4, tag 0x0112)."""

from __future__ import annotations

import struct

ORIENTATION = 0x0112


def orientation(content: bytes) -> int:
    """The orientation 1..8 that an EXIF block gives; 1 where it gives none or is damaged."""
    content = content.removeprefix(b"Exif\0\0")
    endian = {b"II": "<", b"MM": ">"}.get(content[:2])
    if endian is None:
        return 1
    try:
        (directory,) = struct.unpack_from(f"{endian}I", content, 4)
        (entries,) = struct.unpack_from(f"{endian}H", content, directory)
        for entry in range(entries):
            tag, _, _, value = struct.unpack_from(
                f"{endian}HHIH", content, directory + 2 + 12 * entry
            )
            if tag == ORIENTATION:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1
