"""Which keys so many designs share that a search is better off without them."""

from __future__ import annotations

import time
from collections.abc import Sequence

import sqlalchemy as sa

from shared.database.keys import PHASH_GROUPS, PLACES

LOOKED_AT = 4_000
"""Rows that the keys of one search may have together. Measured on a million hashes as crowded as
real art's: 99 of 100 copies of up to 15 bits are found, and no search takes long.
"""

CROWDED_ROWS = LOOKED_AT // (len(PLACES) + PHASH_GROUPS)
"""Rows of a key above which it counts: keys of fewer are all looked up in any case."""

_REFRESH_SECONDS = 300.0
"""Statistics change with ANALYZE only, which autovacuum runs after a tenth of the rows changed."""

_STATISTICS = sa.text("SELECT key, rows FROM platen_crowded_keys(:more_than)")


class Crowded:
    """The crowded keys by PostgreSQL's own statistics, read again every few minutes.

    Shared by a process's threads: at worst, two of them read the same statistics at once.
    """

    def __init__(self) -> None:
        self._rows: dict[int, int] = {}
        self._read_at = float("-inf")

    def thin(self, connection: sa.Connection, keys: Sequence[int]) -> list[int]:
        """The keys to look up: the rarest, at least one, that have `LOOKED_AT` rows together."""
        if time.monotonic() - self._read_at > _REFRESH_SECONDS:
            found = connection.execute(_STATISTICS, {"more_than": CROWDED_ROWS})
            self._rows = {row.key: row.rows for row in found}
            self._read_at = time.monotonic()
        crowds = self._rows
        rarest = sorted(keys, key=lambda key: crowds.get(key, 0))
        thinned, rows = rarest[:1], crowds.get(rarest[0], 0)
        for key in rarest[1:]:
            rows += crowds.get(key, 0)
            if rows > LOOKED_AT:
                break
            thinned.append(key)
        return thinned
