"""Templates as rows: the built-in ones, which belong to nobody, and tenants' own."""

from __future__ import annotations

from uuid import UUID, uuid4

import sqlalchemy as sa

from shared.database.tables import templates
from shared.errors import TemplateUnknown
from shared.records import Template

_FIELDS = [templates.c[field] for field in Template.model_fields]


def find(connection: sa.Connection, user_id: UUID, name: str) -> Template:
    """The tenant's own template of that name, else the built-in one. Raises TemplateUnknown."""
    row = connection.execute(_visible(user_id).where(_is_named(name)).limit(1)).first()
    if row is None:
        raise TemplateUnknown(name=name)
    return _template(row)


def visible(connection: sa.Connection, user_id: UUID) -> list[Template]:
    """The tenant's own templates and the built-in ones whose names it does not use, by name."""
    rows = connection.execute(_visible(user_id))
    named: dict[str, Template] = {}
    for template in map(_template, rows):
        named.setdefault(template.name.lower(), template)
    return sorted(named.values(), key=lambda template: template.name)


def save(connection: sa.Connection, user_id: UUID, template: Template) -> None:
    """Add the tenant's own template, or replace the one of that name, under the tenant's lock."""
    connection.execute(sa.delete(templates).where(_is_own(user_id, template.name)))
    values = template.model_dump(mode="json")
    connection.execute(sa.insert(templates).values(id=uuid4(), user_id=user_id, **values))


def remove(connection: sa.Connection, user_id: UUID, name: str) -> None:
    """Remove the tenant's own template. Raises TemplateUnknown when it has none of the name."""
    removed = connection.execute(sa.delete(templates).where(_is_own(user_id, name)))
    if removed.rowcount == 0:
        raise TemplateUnknown(name=name)


def _visible(user_id: UUID) -> sa.Select[tuple[object, ...]]:
    """The tenant's own templates first. A legacy table's rows without a size are none of ours."""
    return (
        sa.select(*_FIELDS)
        .where((templates.c.user_id == user_id) | templates.c.user_id.is_(None))
        .where(templates.c.width_in.is_not(None))
        .order_by(templates.c.user_id.nulls_last())
    )


def _is_own(user_id: UUID, name: str) -> sa.ColumnElement[bool]:
    return (templates.c.user_id == user_id) & _is_named(name) & templates.c.width_in.is_not(None)


def _is_named(name: str) -> sa.ColumnElement[bool]:
    return sa.func.lower(templates.c.name) == sa.func.lower(name)


def _template(row: sa.Row[tuple[object, ...]]) -> Template:
    return Template.model_validate(dict(row._mapping))
