"""The band index: near matches over a whole library by one look-up of 16 keys.

Two hashes of 256 bits within 15 bits of each other agree on at least one of 16 bands of 16 bits.
The bit of row u and column v of a hash (bit 16 * u + v, most significant first) belongs to band
(u + 3v) mod 16: interleaved, since neighbouring bits of flat art are alike and would crowd a band.
A key holds 43 bits of tenant and fingerprint version, 4 of the band and 16 of the band's bits.
"""

from __future__ import annotations

from alembic import op

revision = "band_index"
down_revision = "add_phash_indexes"

_BITS = """
CREATE OR REPLACE FUNCTION platen_bits(hash text) RETURNS bit(256)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    -- 64 lower-case hex characters as bits; NULL for anything else, such as older, shorter hashes
    SELECT CASE WHEN hash ~ '^[0-9a-f]{64}$' THEN ('x' || hash)::bit(256) END
$$
"""

# sha256 rather than one of PostgreSQL's own hash functions: those may change between versions,
# and a stored key must stay equal to the one that a query computes.
_BAND_KEYS = """
CREATE OR REPLACE FUNCTION platen_band_keys(user_id uuid, version integer, hash bit(256))
RETURNS bigint[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    digest text := encode(sha256(uuid_send(user_id) || int4send(version)), 'hex');
    prefix bigint := (('x' || left(digest, 16))::bit(64)::bigint & ((1::bigint << 43) - 1)) << 20;
    bands bigint[] := array_fill(0::bigint, ARRAY[16]);
    band integer;
BEGIN
    FOR u IN 0..15 LOOP
        FOR v IN 0..15 LOOP
            band := (u + 3 * v) % 16 + 1;
            bands[band] := (bands[band] << 1) | get_bit(hash, 16 * u + v);
        END LOOP;
    END LOOP;
    FOR band IN 1..16 LOOP
        bands[band] := prefix | ((band - 1)::bigint << 16) | bands[band];
    END LOOP;
    RETURN bands;
END $$
"""

_COLUMN = """
ALTER TABLE design_images ADD COLUMN IF NOT EXISTS band_keys bigint[]
    GENERATED ALWAYS AS (
        platen_band_keys(
            user_id, fingerprint_version::integer, coalesce(index_hash, platen_bits(phash))
        )
    ) STORED
"""

# Crowded keys are found in the column's statistics, so they must be fine enough.
_STATISTICS = "ALTER TABLE design_images ALTER COLUMN band_keys SET STATISTICS 1000"

# Without fastupdate a new row is in the index at once: a pending list would slow every search.
_INDEXES = """
CREATE INDEX IF NOT EXISTS idx_design_images_band_keys
    ON design_images USING gin (band_keys) WITH (fastupdate = off);
CREATE INDEX IF NOT EXISTS idx_design_images_user_index_hash
    ON design_images (user_id, index_hash) WHERE index_hash IS NOT NULL
"""


def upgrade() -> None:
    op.execute(_BITS)
    op.execute(_BAND_KEYS)
    op.execute(_COLUMN)
    op.execute(_STATISTICS)
    op.execute(_INDEXES)
