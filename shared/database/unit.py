"""One transaction under a tenant's lock."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from shared.database.crowded import Crowded
from shared.database.engine import details, translated
from shared.database.rows import to_designs, to_row
from shared.database.search import Search
from shared.database.tables import allowed_pairs, designs, folder_numbers, shops, users
from shared.errors import DatabaseRefused, NameTaken, ShopTaken
from shared.records import Design, State

_TENANTS = 0x506C
"""Namespace of the tenants' advisory locks."""


def lock(connection: sa.Connection, user_id: UUID) -> None:
    """Hold the tenant's lock until the transaction ends."""
    key = sa.func.hashtextextended(str(user_id), _TENANTS)
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))


def get(connection: sa.Connection, user_id: UUID, design_id: UUID) -> Design | None:
    rows = connection.execute(_one(), {"design": design_id, "user": user_id})
    return next(iter(to_designs(rows)), None)


@lru_cache
def _one() -> sa.Select[Any]:
    """Built once: that takes longer than the answer."""
    return sa.select(designs).where(
        designs.c.id == sa.bindparam("design"), designs.c.user_id == sa.bindparam("user")
    )


def know(connection: sa.Connection, user_id: UUID, shop: str | None = None) -> None:
    """Make sure that the user has a row.

    A legacy table may ask for more than we know of a user: then that user must exist already.
    """
    known = sa.select(users.c.id).where(users.c.id == user_id)
    if connection.execute(known).first() is None:
        connection.execute(
            insert(users).values(id=user_id, shop_name=shop).on_conflict_do_nothing()
        )


class PostgresUnit(Search):
    """`shared.ports.Unit`. After an error it can't be gone on with: the transaction is lost."""

    def __init__(self, connection: sa.Connection, user_id: UUID, crowded: Crowded) -> None:
        super().__init__(connection, crowded)
        self._user_id = user_id
        self.written: Design | None = None
        """The row that was inserted or moved last."""

    def get(self, design_id: UUID) -> Design | None:
        with translated():
            return get(self._connection, self._user_id, design_id)

    def claim(self, shop: str) -> str:
        key = _folded(shop)
        with translated():
            claimed = self._claimed(key)
            if claimed is None:
                know(self._connection, self._user_id, shop)
                self._connection.execute(
                    insert(shops)
                    .values(key=key, name=shop, user_id=self._user_id)
                    .on_conflict_do_nothing()
                )
                claimed = self._claimed(key)
        if claimed is None or claimed["user_id"] != self._user_id:
            raise ShopTaken(shop=shop)
        return str(claimed["name"])

    def take_number(self, folder: str, *, above: int = 0) -> int:
        key, last = _folded(folder), folder_numbers.c.last_number
        known = folder_numbers.c.folder == key
        greater = sa.func.greatest(last, above) + 1
        with translated():
            number = self._connection.execute(
                sa.update(folder_numbers).where(known).values({last: greater}).returning(last)
            ).scalar()
            if number is None:
                least = max(self._largest(folder), above) + 1
                new = insert(folder_numbers).values(folder=key, last_number=least)
                greater = sa.func.greatest(last + 1, new.excluded.last_number)
                number = self._connection.execute(
                    new.on_conflict_do_update(
                        index_elements=[folder_numbers.c.folder], set_={last: greater}
                    ).returning(last)
                ).scalar_one()
        return int(number)

    def insert(self, design: Design) -> Design:
        row: dict[str, Any] = to_row(design.model_copy(update={"state": State.PENDING}))
        # The time of the insertion, not of the wait for the lock before it.
        row["created_at"] = row["updated_at"] = sa.func.clock_timestamp()
        with translated(), one_file_a_path(design.filename):
            made = self._connection.execute(
                sa.insert(designs)
                .values(row)
                .returning(designs.c.state, designs.c.created_at, designs.c.sequence)
            ).one()
        self.written = design.model_copy(update={**made._mapping, "state": State(made.state)})
        return self.written

    def allow(self, design_id: UUID, others: Collection[UUID]) -> None:
        pairs = [{"design_id": design_id, "other_id": other} for other in others]
        if pairs:
            with translated():
                self._connection.execute(
                    insert(allowed_pairs).values(pairs).on_conflict_do_nothing()
                )

    def move(self, design: Design) -> None:
        place = {
            "number": design.number,
            "filename": design.filename,
            "file_path": design.file_path,
            "updated_at": sa.func.clock_timestamp(),
        }
        with translated(), one_file_a_path(design.filename):
            own = self._own(design.design_id)
            moved = self._connection.execute(sa.update(designs).where(own).values(place))
        if moved.rowcount == 0:
            raise DatabaseRefused
        self.written = design

    def forget(self, design_id: UUID) -> None:
        pending = self._own(design_id) & (designs.c.state == State.PENDING.value)
        with translated():
            self._connection.execute(sa.delete(designs).where(pending))

    def _claimed(self, key: str) -> sa.RowMapping | None:
        """Whose a shop is and its name, where it is claimed and its user has a row."""
        query = sa.select(shops.c.user_id, shops.c.name).join(users, users.c.id == shops.c.user_id)
        return self._connection.execute(query.where(shops.c.key == key)).mappings().first()

    def _own(self, design_id: UUID) -> sa.ColumnElement[bool]:
        return (designs.c.id == design_id) & (designs.c.user_id == self._user_id)

    def _largest(self, folder: str) -> int:
        """The largest number in the names of a folder's files that we did not number; else 0.

        A file's number is the last one of its name, its extension apart.
        """
        path = designs.c.file_path
        inner = sa.func.lower(sa.func.substring(path, "([^/]+)/[^/]+$"))
        outer = sa.func.lower(sa.func.regexp_replace(path, "/[^/]*$", ""))
        stem = sa.func.regexp_replace(path, r"^.*/|\.[^./]*$", "", "g")
        number = sa.func.substring(stem, r"([0-9]{1,18})[^0-9]*$")
        query = sa.select(sa.func.max(sa.cast(number, sa.BigInteger))).where(
            designs.c.user_id == self._user_id,
            designs.c.number.is_(None),
            inner == folder.rsplit("/", 1)[-1].lower(),  # narrows them down by an index
            outer.endswith(f"/{folder.lower()}", autoescape=True),
        )
        return self._connection.execute(query).scalar() or 0


@contextmanager
def one_file_a_path(name: str) -> Iterator[None]:
    """Raises NameTaken when another design is filed under the path, whatever its case."""
    try:
        yield
    except sa.exc.DBAPIError as error:
        if details(error).get("n") == "idx_design_images_filed_path":
            raise NameTaken(name=name) from error
        raise


def _folded(name: str) -> str:
    """What two names have in common that a share without case takes for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
