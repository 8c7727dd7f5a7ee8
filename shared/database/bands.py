"""The band keys of a hash: what the band index is asked for.

The same as ``platen_band_keys`` of the migrations, which makes the keys of the rows, computed here
so that a search is one trip to the database and not two; a test holds the two equal.
"""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

BANDS = 16
"""Two hashes of 256 bits within 15 bits of each other agree on at least one of 16 bands."""

_TENANT_BITS = 43
"""Of a digest of tenant and fingerprint version; with 4 of the band and 16 of its bits, 63."""

PLACES = [
    [16 * u + v for u in range(16) for v in range(16) if (u + 3 * v) % BANDS == band]
    for band in range(BANDS)
]
"""The bits of each band, most significant first: interleaved, since neighbours are alike."""


def band_keys(user_id: UUID, version: int, hash_: str) -> list[int]:
    """The 16 keys of a hash (64 hex characters) of a tenant's, each non-negative and of 63 bits."""
    digest = sha256(user_id.bytes + version.to_bytes(4, "big")).digest()
    tenant = int.from_bytes(digest[:8], "big") & ((1 << _TENANT_BITS) - 1)
    bits = f"{int(hash_, 16):0256b}"
    return [
        tenant << 20 | band << 16 | int("".join(bits[place] for place in places), 2)
        for band, places in enumerate(PLACES)
    ]
