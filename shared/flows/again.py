"""Whether a design was recorded by the same request, sent again, or by another under its key."""

from __future__ import annotations

from shared.nas.names import key
from shared.records import Design


def is_same(known: Design, *, upload_sha256: str, shop: str, template: str) -> bool:
    """Whether ``known`` is what a request for this upload, shop and template recorded before.

    Names that differ only in case are the same: a template of the tenant's own may spell the name
    of the built-in one anew.
    """
    return (
        known.upload_sha256 == upload_sha256
        and key(known.shop) == key(shop)
        and key(known.template) == key(template)
    )
