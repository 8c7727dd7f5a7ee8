"""`shared.ports.Designs` on PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from uuid import UUID

import sqlalchemy as sa

from shared.database import filing, legacy, migrate, templates
from shared.database.crowded import Crowded
from shared.database.engine import transaction, translated
from shared.database.search import Search
from shared.database.tables import designs
from shared.database.unit import PostgresUnit, get, know, lock
from shared.errors import DatabaseUnavailable
from shared.ports import Unit
from shared.records import (
    EVER,
    FINGERPRINT_VERSION,
    Candidate,
    Design,
    Filing,
    Fingerprint,
    FoundFile,
    Legacy,
    Probe,
    Reach,
    State,
    Template,
)


class PostgresDesigns:
    """The database of designs and templates. Every call checks out a connection of its own."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._crowded = Crowded()

    def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        self._engine.dispose()

    def exact(
        self, user_id: UUID, probe: Probe, *, after: int = 0, before: int = EVER
    ) -> list[Candidate]:
        with self._search() as search:
            return search.exact(user_id, probe, after=after, before=before)

    def near(self, user_id: UUID, probe: Probe, reach: Reach) -> list[Candidate]:
        with self._search() as search:
            return search.near(user_id, probe, reach)

    def recent(self, user_id: UUID, probe: Probe, reach: Reach) -> list[Candidate]:
        with self._search() as search:
            return search.recent(user_id, probe, reach)

    def cropped(
        self, user_id: UUID, probe: Probe, *, radius: int, before: int = EVER
    ) -> list[Candidate]:
        with self._search() as search:
            return search.cropped(user_id, probe, radius=radius, before=before)

    def allowed(self, user_id: UUID, content_sha256: str, *, before: int = EVER) -> set[UUID]:
        with self._search() as search:
            return search.allowed(user_id, content_sha256, before=before)

    def template(self, user_id: UUID, name: str) -> Template:
        with self._connection() as connection:
            return templates.find(connection, user_id, name)

    def templates(self, user_id: UUID) -> list[Template]:
        with self._connection() as connection:
            return templates.visible(connection, user_id)

    def save_template(self, user_id: UUID, template: Template) -> None:
        with transaction(self._engine) as connection, translated():
            lock(connection, user_id)
            know(connection, user_id)
            templates.save(connection, user_id, template)

    def remove_template(self, user_id: UUID, name: str) -> None:
        with self._connection() as connection:
            templates.remove(connection, user_id, name)

    def get(self, user_id: UUID, design_id: UUID) -> Design | None:
        with self._connection() as connection:
            return get(connection, user_id, design_id)

    def pending(self, design_ids: Collection[UUID]) -> dict[UUID, str]:
        among = designs.c.id.in_(design_ids) & (designs.c.state == State.PENDING.value)
        query = sa.select(designs.c.id, designs.c.file_sha256).where(among)
        with self._connection() as connection:
            return {row.id: row.file_sha256 for row in connection.execute(query)}

    def filings(self, grace_s: float, *, after: UUID | None, limit: int) -> list[Filing]:
        with self._connection() as connection:
            return filing.page(connection, grace_s, after, limit)

    def filing(self, grace_s: float, design_id: UUID) -> Filing | None:
        with self._connection() as connection:
            return filing.one(connection, grace_s, design_id)

    def recorded(self, paths: Collection[str]) -> set[str]:
        with self._connection() as connection:
            return filing.recorded(connection, paths)

    def has_legacy(self, user_id: UUID) -> bool:
        legacy = sa.exists().where(
            designs.c.user_id == user_id,
            designs.c.fingerprint_version < FINGERPRINT_VERSION,
            designs.c.is_active,
        )
        with self._connection() as connection:
            return bool(connection.execute(sa.select(legacy)).scalar_one())

    def count_legacy(self, user_id: UUID | None) -> int:
        with self._connection() as connection:
            return legacy.count(connection, user_id)

    def legacy(self, user_id: UUID | None, *, after: Legacy | None, limit: int) -> list[Legacy]:
        with self._connection() as connection:
            return legacy.page(connection, user_id, after, limit)

    def upgrade(self, row: Legacy, fingerprint: Fingerprint, file: FoundFile) -> bool:
        with self._connection() as connection:
            return legacy.upgrade(connection, row, fingerprint, file)

    def watermark(self, user_id: UUID) -> int:
        with self._search() as search:
            return search.watermark(user_id)

    @contextmanager
    def unit(self, user_id: UUID) -> Iterator[Unit]:
        written: Design | None = None
        try:
            with transaction(self._engine) as connection:
                with translated():
                    lock(connection, user_id)
                unit = PostgresUnit(connection, user_id, self._crowded)
                yield unit
                written = unit.written
        except DatabaseUnavailable:
            # Only the answer to the commit may be lost, not what it answers.
            if written is None or not self._is_there(written):
                raise

    def _is_there(self, written: Design) -> bool:
        """Whether a row is as it was written, but for its state: others may have set it active.

        Under the tenant's lock, which is free only once the doubtful transaction has ended.
        """
        with transaction(self._engine) as connection, translated():
            lock(connection, written.user_id)
            known = get(connection, written.user_id, written.design_id)
        return known is not None and known.model_copy(update={"state": written.state}) == written

    def activate(self, design: Design) -> bool:
        same = sa.and_(
            designs.c.id == design.design_id,
            designs.c.user_id == design.user_id,
            designs.c.file_path == design.file_path,
            designs.c.file_sha256.is_not_distinct_from(
                design.print_file and design.print_file.sha256
            ),
        )
        change = {"state": State.ACTIVE.value, "is_active": True, "updated_at": sa.func.now()}
        pending = same & (designs.c.state == State.PENDING.value)
        with self._connection() as connection:
            if connection.execute(sa.update(designs).where(pending).values(change)).rowcount:
                return True
            # A row that is active already stays as it is: the seller may have removed it since.
            return bool(connection.execute(sa.select(sa.exists().where(same))).scalar())

    def check(self) -> None:
        with self._connection() as connection:
            migrate.check(connection)

    @contextmanager
    def _search(self) -> Iterator[Search]:
        with self._connection() as connection:
            yield Search(connection, self._crowded)

    @contextmanager
    def _connection(self) -> Iterator[sa.Connection]:
        with translated(), self._engine.connect() as connection:
            yield connection
