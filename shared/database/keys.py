"""The keys of a hash: what near matches are looked up by.

The bits of a hash are in eight groups, each of three parts of ten bits, and a key is a group
without one of its parts. Of two hashes within 15 bits of each other, some group differs in one bit
at most: without the part that has it, the two are equal.

Of opaque art a phash is searched for as well, as far as the original rule goes: its bits are in six
groups, and of two within 5 bits of each other, one group is equal.

The same as ``platen_search_keys`` and ``platen_phash_keys`` of the migrations, which make the keys
of the rows, computed here so that a search is one trip to the database and not two; a test holds
them equal.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from uuid import UUID

from shared.records import HASH_BITS

GROUPS, PARTS = 8, 3

PLACES = [
    [
        16 * u + v
        for u in range(16)
        for v in range(15)
        if (u // 2 + 6 * (u % 2) + v) % GROUPS == group and v % PARTS != part
    ]
    for group in range(GROUPS)
    for part in range(PARTS)
]
"""The 20 bits of each key, by row and column of the hash, most significant first.

Neighbours, which are alike, are in different groups. The last column is in none: with 21 bits, a
key would be equal less often of designs that differ in more than 15.
"""

PHASH_GROUPS = 6
"""Of a phash's bits: each sixth is in one group."""


def _mask(places: Iterable[int]) -> int:
    return sum(1 << (HASH_BITS - 1 - place) for place in places)


_MASKS = [_mask(places) for places in PLACES]
_PHASH_MASKS = [_mask(range(group, HASH_BITS, PHASH_GROUPS)) for group in range(PHASH_GROUPS)]

_WORD = 32
"""Bits that a key is folded to: of a group, no two bits are at one place of any two rows."""


def search_keys(user_id: UUID, version: int, hash_: str) -> list[int]:
    """The 24 keys of a hash (64 hex characters) of a tenant's, each of 64 bits with its sign.

    A key's number stands above its bits, and tenant and version are mixed into all of it.
    """
    tenant = _start(_owner(user_id, version))
    bits = int(hash_, 16)
    return [(number << _WORD | _folded(bits & mask)) ^ tenant for number, mask in enumerate(_MASKS)]


def _folded(bits: int) -> int:
    for half in (128, 64, _WORD):
        bits |= bits >> half
    return bits & ((1 << _WORD) - 1)


def phash_keys(user_id: UUID, version: int, phash: str) -> list[int]:
    """The 6 keys of a phash (64 hex characters) of a tenant's, each of 64 bits with its sign."""
    own = _owner(user_id, version)
    bits = int(phash, 16)
    keys = []
    for group, mask in enumerate(_PHASH_MASKS):
        # As PostgreSQL sends bits: how many they are, and then the bits.
        sent = HASH_BITS.to_bytes(4, "big") + (bits & mask).to_bytes(HASH_BITS // 8, "big")
        keys.append(_start(own + group.to_bytes(4, "big") + sent))
    return keys


def _owner(user_id: UUID, version: int) -> bytes:
    return user_id.bytes + version.to_bytes(4, "big")


def _start(content: bytes) -> int:
    """The first 64 bits of a sha256, as PostgreSQL's bigint."""
    return int.from_bytes(sha256(content).digest()[:8], "big", signed=True)
