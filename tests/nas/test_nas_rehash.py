"""rehash on every store: a row from another system gets the fingerprint of its print file."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from shared.database.designs import PostgresDesigns
from shared.flows.rehash import Rehash
from shared.imaging.limits import Limits
from shared.nas.names import Places
from shared.ports import Nas
from tests.draw import encoded, wrap
from tests.legacy import SHOP, Rows

LIMITS = Limits(max_bytes=10**8, max_pixels=10**8, max_side=20_000)
PLACES = Places(mount="/share/Graphics", root="NookTransfers")


def test_files_are_read_and_missing_ones_told_of(
    designs: PostgresDesigns, database_url: str, nas: Nas
) -> None:
    rows = Rows(database_url)
    there = [rows.add(f"{SHOP}/Blümchen/UV_{number}.png") for number in range(4)]
    gone = rows.add(f"{SHOP}/Blümchen/gone.png")
    strange = rows.add(f"{SHOP}/what?/*.png")
    for number in range(4):
        path = f"NookTransfers/OldShop/Blümchen/UV_{number}.png"
        nas.create(path, encoded(wrap(number, 300, 137)))

    with ThreadPoolExecutor(3) as threads:
        told = list(Rehash(designs, nas, PLACES, LIMITS, threads, 3).run(None))

    assert {each.row.design_id for each in told if each.is_upgraded} == set(there)
    assert {each.row.design_id for each in told if each.reason} == {gone, strange}
