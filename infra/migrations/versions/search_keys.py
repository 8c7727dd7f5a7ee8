"""Keys of 20 bits in place of the bands' 16: a search looks at an eighth of the rows.

The bit of row u and column v of a hash (bit 16 * u + v, most significant first) is in group
(u // 2 + 6 * (u % 2) + v) mod 8 and in its part v mod 3; those of column 15 are in none. A key is a
group without one part. Two hashes within 15 bits of each other agree in at least one of the 24.
"""

from __future__ import annotations

from alembic import op

revision = "search_keys"
down_revision = "design_hashes"

_GROUPS, _PARTS, _LANES = 8, 3, 8
"""A lane is two rows of a hash, 32 bits. At each place of one, the lanes have a bit of each group:
folded on one another, the bits of a group are a word that has them all.
"""


def _bits(*, part: int | None = None, turn: int | None = None) -> int:
    """Bits of a lane: without a part; or those of the group that is so many after the lane."""
    return sum(
        1 << (31 - 16 * u - v)
        for u in range(2)
        for v in range(15)
        if v % _PARTS != part and turn in (None, (6 * u + v) % _GROUPS)
    )


def _word(group: int) -> str:
    lanes = (f"lane{lane} & {_bits(turn=(group - lane) % _GROUPS)}" for lane in range(_LANES))
    return " | ".join(f"({lane})" for lane in lanes)


def _key(group: int, part: int) -> str:
    number = (_PARTS * group + part) << 32
    return f"(word{group} & {_bits(part=part)} | {number}) # tenant"


# sha256 rather than one of PostgreSQL's own hash functions: those may change between versions,
# and a stored key must stay equal to the one that a query computes.
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION platen_search_keys(user_id uuid, version integer, hash bit(256))
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    digest text := encode(sha256(uuid_send(user_id) || int4send(version)), 'hex');
    tenant bigint := ('x' || left(digest, 16))::bit(64)::bigint;
    {
    " ".join(
        f"lane{lane} bigint := substring(hash FROM {32 * lane + 1} FOR 32)::bigint;"
        for lane in range(_LANES)
    )
}
    {" ".join(f"word{group} bigint := {_word(group)};" for group in range(_GROUPS))}
BEGIN
    RETURN ARRAY[{
    ", ".join(_key(group, part) for group in range(_GROUPS) for part in range(_PARTS))
}];
END $$
"""

# Without fastupdate a new row is in the index at once: a pending list would slow every search.
# Crowded keys are found in the index's statistics, so they must be fine enough.
_INDEX = """
CREATE INDEX IF NOT EXISTS idx_design_hashes_search_keys ON design_hashes
    USING gin (platen_search_keys(user_id, fingerprint_version::integer, hash))
    WITH (fastupdate = off);
ALTER INDEX idx_design_hashes_search_keys ALTER COLUMN 1 SET STATISTICS 1000
"""

_DROP = """
DROP INDEX IF EXISTS idx_design_hashes_band_keys;
DROP FUNCTION IF EXISTS platen_band_keys
"""


def upgrade() -> None:
    op.execute(_FUNCTION)
    op.execute(_DROP)
    op.execute(_INDEX)
    op.execute("ANALYZE design_hashes")
