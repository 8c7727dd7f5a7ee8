"""Keys of opaque art's phash, so that the original rule's own distance finds what it should.

Where a row's phash is not the hash that its other keys are made of, its bits are in six groups: bit
number n, most significant first, in group n mod 6. Of two hashes within 5 bits of each other, one
group is equal. Its key is the start of a sha256 of tenant, version, group and bits.

And a function that tells what keys are crowded: the statistics of an index show to its owner alone,
and functions need not be that.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "phash_keys"
down_revision = "search_keys"

_GROUPS = 6
_MASKS = [
    f"{sum(1 << (255 - bit) for bit in range(group, 256, _GROUPS)):064x}"
    for group in range(_GROUPS)
]


def _key(group: int, mask: str) -> str:
    data = f"own || int4send({group}) || bit_send(phash & x'{mask}')"
    return f"('x' || left(encode(sha256({data}), 'hex'), 16))::bit(64)::bigint"


_FUNCTION = f"""
CREATE OR REPLACE FUNCTION platen_phash_keys(user_id uuid, version integer, phash bit(256))
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    own bytea := uuid_send(user_id) || int4send(version);
BEGIN
    RETURN ARRAY[{", ".join(_key(*each) for each in enumerate(_MASKS))}];
END $$
"""

_INDEX = """
CREATE INDEX IF NOT EXISTS idx_design_hashes_phash_keys ON design_hashes
    USING gin (platen_phash_keys(user_id, fingerprint_version::integer, phash))
    WITH (fastupdate = off);
ALTER INDEX idx_design_hashes_phash_keys ALTER COLUMN 1 SET STATISTICS 1000
"""

_CROWDED = """
CREATE OR REPLACE FUNCTION platen_crowded_keys(more_than bigint)
RETURNS TABLE (key bigint, rows bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = {schema}, pg_temp AS $$
    SELECT common.key, (frequency * (1 - null_frac) * reltuples)::bigint
    FROM pg_stats
    JOIN pg_class ON pg_class.oid = to_regclass('design_hashes')
    CROSS JOIN LATERAL unnest(most_common_elems::text::bigint[], most_common_elem_freqs)
        AS common (key, frequency)
    WHERE schemaname = current_schema
      AND tablename IN ('idx_design_hashes_search_keys', 'idx_design_hashes_phash_keys')
      AND common.key IS NOT NULL AND frequency * (1 - null_frac) * reltuples > more_than
$$
"""


def upgrade() -> None:
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema)")).scalar_one()
    op.execute(_FUNCTION)
    op.execute(_CROWDED.format(schema=schema))
    op.execute(_INDEX)
    op.execute("ANALYZE design_hashes")
