"""The tables as the code reads and writes them; `infra.migrations` makes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from shared.records import HASH_BITS


class Bits(sa.types.UserDefinedType[str]):
    """``bit(256)`` in the database, 64 lower-case hex characters in Python."""

    cache_ok = True
    render_bind_cast = True

    def get_col_spec(self, **_options: Any) -> str:
        return f"BIT({HASH_BITS})"

    def bind_processor(self, dialect: sa.Dialect) -> Callable[[str | None], str | None]:  # noqa: ARG002 - SQLAlchemy's signature
        return lambda text: None if text is None else f"{int(text, 16):0{HASH_BITS}b}"

    def result_processor(
        self,
        dialect: sa.Dialect,  # noqa: ARG002 - SQLAlchemy's signature
        coltype: object,  # noqa: ARG002 - SQLAlchemy's signature
    ) -> Callable[[str | None], str | None]:
        return lambda bits: None if bits is None else f"{int(bits, 2):0{HASH_BITS // 4}x}"


_metadata = sa.MetaData()

users = sa.Table(
    "users",
    _metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("shop_name", sa.Text),
)

templates = sa.Table(
    "product_templates",
    _metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid),
    sa.Column("name", sa.Text),
    sa.Column("width_in", sa.Double),
    sa.Column("height_in", sa.Double),
    sa.Column("fit", sa.Text),
    sa.Column("dpi", sa.Integer),
    sa.Column("canvas_width_in", sa.Double),
    sa.Column("canvas_height_in", sa.Double),
    sa.Column("rotate", sa.Boolean),
    sa.Column("pattern", sa.Text),
)

designs = sa.Table(
    "design_images",
    _metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid),
    sa.Column("shop", sa.Text),
    sa.Column("template", sa.Text),
    sa.Column("is_digital", sa.Boolean),
    sa.Column("number", sa.BigInteger),
    sa.Column("filename", sa.Text),
    sa.Column("file_path", sa.Text),
    sa.Column("source_filename", sa.Text),
    sa.Column("upload_sha256", sa.String(64)),
    sa.Column("state", sa.Text),
    sa.Column("is_active", sa.Boolean),
    sa.Column("file_sha256", sa.String(64)),
    sa.Column("file_size", sa.BigInteger),
    sa.Column("width_px", sa.Integer),
    sa.Column("height_px", sa.Integer),
    sa.Column("dpi", sa.Integer),
    sa.Column("preflight", JSONB(none_as_null=True)),
    sa.Column("fingerprint_version", sa.SmallInteger),
    sa.Column("phash", sa.String(64)),
    sa.Column("ahash", sa.String(64)),
    sa.Column("dhash", sa.String(64)),
    sa.Column("whash", sa.String(64)),
    sa.Column("index_hash", Bits),
    sa.Column("signature", sa.LargeBinary),
    sa.Column("content_sha256", sa.String(64)),
    sa.Column("is_opaque", sa.Boolean),
    sa.Column("crop_width", sa.Integer),
    sa.Column("crop_height", sa.Integer),
    sa.Column("created_at", sa.DateTime(timezone=True)),
    sa.Column("updated_at", sa.DateTime(timezone=True)),
    sa.Column("sequence", sa.BigInteger, sa.Identity(always=True)),
)
"""``is_active`` is true exactly when the state is active and the seller has not removed it."""

hashes = sa.Table(
    "design_hashes",
    _metadata,
    sa.Column("design_id", sa.Uuid, primary_key=True),
    sa.Column("user_id", sa.Uuid),
    sa.Column("sequence", sa.BigInteger),
    sa.Column("fingerprint_version", sa.SmallInteger),
    sa.Column("hash", Bits),
    sa.Column("phash", Bits),
)
"""What near matches are searched by; a trigger keeps it. ``phash``: where it is not the hash."""

allowed_pairs = sa.Table(
    "allowed_pairs",
    _metadata,
    sa.Column("design_id", sa.Uuid, primary_key=True),
    sa.Column("other_id", sa.Uuid, primary_key=True),
)
"""Designs that were filed in spite of others, since the seller wanted both."""

shops = sa.Table(
    "shops",
    _metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("name", sa.Text),
    sa.Column("user_id", sa.Uuid),
)

folder_numbers = sa.Table(
    "folder_numbers",
    _metadata,
    sa.Column("folder", sa.Text, primary_key=True),
    sa.Column("last_number", sa.BigInteger),
)
