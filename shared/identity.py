"""Who a request acts for, and the ids that make the same request give the same designs."""

from __future__ import annotations

from uuid import UUID, uuid4, uuid5

_USERS = UUID("6f0c1c5e-0d0b-5d8e-9b57-2f2d8f4b7a11")
"""Namespace of user ids that are not UUIDs themselves."""


def tenant(user_id: str) -> UUID:
    """The tenant's UUID: the user id itself where it is a UUID, else one made from its text."""
    try:
        return UUID(user_id)
    except ValueError:
        return uuid5(_USERS, user_id)


def fresh_key() -> str:
    """An idempotency key for a request that brought none."""
    return uuid4().hex


def design_id(tenant_id: UUID, idempotency_key: str, position: int) -> UUID:
    """The id of the file at ``position`` (from 0) of the request sent under a key.

    The same tenant, key and position always give the same id, so a request sent again finds
    what it filed the first time.
    """
    return uuid5(tenant_id, f"{idempotency_key}:{position}")
