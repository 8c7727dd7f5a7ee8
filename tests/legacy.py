"""Rows as another system left them: hashes of a picture whose alpha was dropped, or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from shared.database.engine import patient
from shared.identity import tenant
from shared.wiring import Parts

SELLER = "seller"
SHOP = "/share/Graphics/NookTransfers/OldShop"
ZEROS = "0" * 64
"""The phash of any art in black ink, once its alpha is dropped."""

_INSERT = """
INSERT INTO design_images (
    id, user_id, filename, file_path, phash, is_active, is_digital, created_at, updated_at
)
VALUES (:id, :user, :name, :path, :phash, :active, :digital, '2024-01-01', '2024-01-01')
"""


@dataclass(frozen=True)
class Rows:
    """The rows of one database, past the adapter."""

    url: str

    def add(
        self,
        path: str,
        phash: str | None = ZEROS,
        *,
        user: str = SELLER,
        digital: bool | None = False,
        active: bool = True,
        design_id: UUID | None = None,
    ) -> UUID:
        row = design_id or uuid4()
        self.do("INSERT INTO users (id) VALUES (:id) ON CONFLICT DO NOTHING", id=tenant(user))
        self.do(
            _INSERT,
            id=row,
            user=tenant(user),
            name=path.rpartition("/")[2],
            path=path,
            phash=phash,
            active=active,
            digital=digital,
        )
        return row

    def do(self, statement: str, **values: object) -> None:
        engine = patient(self.url)
        with engine.begin() as connection:
            connection.execute(sa.text(statement), values)
        engine.dispose()

    def read(self, row: UUID) -> dict[str, Any]:
        return next(each for each in self.all() if each["id"] == row)

    def all(self) -> list[dict[str, Any]]:
        """Every row as it stands, in the order of their ids."""
        engine = patient(self.url)
        with engine.connect() as connection:
            query = sa.text("SELECT * FROM design_images ORDER BY id")
            found = [dict(row._mapping) for row in connection.execute(query)]
        engine.dispose()
        return found

    def versions(self) -> list[int]:
        return [row["fingerprint_version"] for row in self.all()]


def rows_of(parts: Parts) -> Rows:
    assert parts.settings.database_url is not None
    return Rows(parts.settings.database_url)


def file_legacy(parts: Parts, content: bytes | None, name: str, **own: Any) -> UUID:
    """A legacy row, and its file on the NAS if it has one."""
    path = f"{SHOP}/UVDTF 16oz/{name}"
    if content is not None:
        parts.nas.create(parts.places.relative(path), content)
    return rows_of(parts).add(path, **own)
