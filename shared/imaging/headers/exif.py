"""EXIF: the one tag that changes how a picture is seen (Exif 2.32, section 4.6.4)."""

from __future__ import annotations

import struct

_ORIENTATION = 0x0112


def orientation(content: bytes) -> int:
    """The orientation 1..8 that an EXIF block gives; 1 where it gives none or is damaged."""
    content = content.removeprefix(b"Exif\0\0")
    endian = {b"II": "<", b"MM": ">"}.get(content[:2])
    if endian is None:
        return 1
    try:
        (directory,) = struct.unpack_from(f"{endian}I", content, 4)
        (entries,) = struct.unpack_from(f"{endian}H", content, directory)
        for place in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, _, _, value = struct.unpack_from(f"{endian}HHIH", content, place)
            if tag == _ORIENTATION:
                return upright_unless_known(value)
    except struct.error:
        pass  # viewers show a picture with damaged EXIF as it is stored
    return 1


def upright_unless_known(value: int) -> int:
    """``value`` where it is one of the eight orientations, else 1."""
    return value if 1 <= value <= 8 else 1
