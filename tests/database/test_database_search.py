"""Matching reads the tenant's whole library, and nothing that means something else."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from uuid import UUID

import pytest
import sqlalchemy as sa
from database_rows import (
    USER,
    a_design,
    a_fingerprint,
    a_hash,
    a_probe,
    file_design,
    flipped,
    insert_many,
)

from shared.database.crowded import LOOKED_AT, Crowded
from shared.database.designs import PostgresDesigns
from shared.database.engine import patient
from shared.database.keys import PLACES, phash_keys, search_keys
from shared.database.queries import FARTHER, LIMIT
from shared.records import Design, Fingerprint, Probe, Reach, hamming


@pytest.fixture
def connection(database_url: str) -> Iterator[sa.Connection]:
    engine = patient(database_url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection
    engine.dispose()


def ids(designs: list[Design]) -> list[UUID]:
    return [design.design_id for design in designs]


def keys_of(user: UUID, version: int, hash_: str) -> list[int]:
    """The keys, written down a second time: bits put one by one into texts of 0 and 1."""
    digest = sha256(user.bytes + version.to_bytes(4, "big")).digest()
    tenant = int.from_bytes(digest[:8], "big")
    words = [["0"] * 32 for _ in range(24)]
    for place, bit in enumerate(f"{int(hash_, 16):0256b}"):
        row, column = divmod(place, 16)
        group = (row // 2 + row % 2 * 6 + column) % 8
        for part in {0, 1, 2} - {column % 3} if column < 15 else set():
            words[3 * group + part][place % 32] = bit
    keys = [tenant ^ (number << 32 | int("".join(word), 2)) for number, word in enumerate(words)]
    return [key - 2**64 if key >= 2**63 else key for key in keys]


def test_keys_of_rows_and_of_searches_are_those_of_the_reference(
    connection: sa.Connection,
) -> None:
    query = sa.text("SELECT platen_search_keys(:user, :version, platen_bits(:hash))")
    edges = ["0" * 64, "f" * 64, "8" + "0" * 63, "0" * 63 + "1"]
    for version, hash_ in enumerate([*edges, *(a_hash() for _ in range(50))]):
        values = {"user": USER, "version": version, "hash": hash_}
        keys = connection.execute(query, values).scalar_one()
        assert keys == keys_of(USER, version, hash_) == search_keys(USER, version, hash_)
        assert len(set(keys)) == 24


def test_keys_of_phashes_are_those_of_the_reference(connection: sa.Connection) -> None:
    query = sa.text("SELECT platen_phash_keys(:user, :version, platen_bits(:hash))")
    for version, hash_ in enumerate(["0" * 64, "f" * 64, *(a_hash() for _ in range(20))]):
        values = {"user": USER, "version": version, "hash": hash_}
        keys = connection.execute(query, values).scalar_one()
        assert keys == phash_keys(USER, version, hash_)
        assert len(set(keys)) == 6
        # A bit that is turned over changes one key: six are needed to change all.
        for place in range(256):
            other = f"{int(hash_, 16) ^ 1 << (255 - place):064x}"
            changed = [a != b for a, b in zip(keys, phash_keys(USER, version, other), strict=True)]
            assert changed == [group == place % 6 for group in range(6)]


def test_the_bits_of_the_first_key_are_the_published_ones() -> None:
    first = [8, 18, 26, 39, 49, 78, 88, 101, 109, 119]
    first += [132, 158, 171, 181, 189, 194, 202, 212, 225, 251]
    hash_ = f"{sum(1 << (255 - bit) for bit in first):064x}"
    pairs = zip(keys_of(USER, 2, hash_), keys_of(USER, 2, "0" * 64), strict=True)
    assert [(key ^ empty).bit_count() for key, empty in pairs] == [20, 10, 10] + [0] * 21


def test_each_of_eight_groups_survives_a_bit_that_is_turned_over() -> None:
    for group in range(8):
        own = PLACES[3 * group : 3 * group + 3]
        assert [len(key) for key in own] == [20, 20, 20]
        assert all(sum(place in key for key in own) in (0, 2) for place in range(256))
        others = {place for key in PLACES if key not in own for place in key}
        assert others.isdisjoint(own[0] + own[1])


def test_near_finds_every_neighbour_within_15_bits(
    database_url: str, designs: PostgresDesigns
) -> None:
    probes = [a_hash() for _ in range(20)]
    library = [a_hash() for _ in range(5_000)]
    library += [flipped(probe, bits) for probe in probes for bits in range(16)]
    insert_many(database_url, library)
    for hash_ in probes:
        probe = Probe(a_fingerprint(phash=hash_), a_hash())
        found = [design.fingerprint.phash for design in designs.near(USER, probe, Reach(15, 15))]
        near = [other for other in library if hamming(hash_, other) <= 15]
        assert sorted(found) == sorted(near)
        assert [hamming(hash_, other) for other in found] == sorted(
            hamming(hash_, other) for other in near
        )


def test_near_answers_with_the_500_nearest(database_url: str, designs: PostgresDesigns) -> None:
    hash_ = a_hash()
    # The nearest ones are not the newest.
    insert_many(database_url, [flipped(hash_, bits) for bits in [1] * 300 + [5] * 300])
    found = designs.near(USER, Probe(a_fingerprint(phash=hash_), a_hash()), Reach(15, 15))
    assert [hamming(hash_, design.fingerprint.phash) for design in found] == [1] * 300 + [5] * 200


def test_beyond_the_threshold_the_100_nearest_are_answered(
    database_url: str, designs: PostgresDesigns
) -> None:
    hash_ = a_hash()
    insert_many(database_url, [flipped(hash_, bits) for bits in [9] * 80 + [4] * 80 + [3] * 120])
    probe = Probe(a_fingerprint(phash=hash_), a_hash())
    for search in (designs.near, designs.recent):
        found = search(USER, probe, Reach(3, 15))
        distances = [hamming(hash_, design.fingerprint.phash) for design in found]
        assert distances == [3] * 120 + [4] * 80 + [9] * (FARTHER - 80)


def test_designs_that_do_not_count_take_no_place_in_the_answer(
    connection: sa.Connection, database_url: str, designs: PostgresDesigns
) -> None:
    hash_ = a_hash()
    insert_many(database_url, [flipped(hash_, 4) for _ in range(200)])
    connection.exec_driver_sql("UPDATE design_images SET is_active = false")
    insert_many(database_url, [flipped(hash_, 5) for _ in range(5)])
    found = designs.near(USER, Probe(a_fingerprint(phash=hash_), a_hash()), Reach(3, 15))
    assert [hamming(hash_, design.fingerprint.phash) for design in found] == [5] * 5


def test_recent_looks_at_the_newest_thousand_alone(
    database_url: str, designs: PostgresDesigns
) -> None:
    old, young = a_hash(), a_hash()
    insert_many(database_url, [old, young, *(a_hash() for _ in range(999))])
    for hash_, expected in ((old, []), (young, [young])):
        probe = Probe(a_fingerprint(phash=flipped(hash_, 5)), a_hash())
        assert [
            design.fingerprint.phash for design in designs.recent(USER, probe, Reach(5, 5))
        ] == expected
        assert len(designs.near(USER, probe, Reach(5, 5))) == 1


def test_only_what_is_within_the_radius_is_near(designs: PostgresDesigns) -> None:
    design = file_design(designs, a_design())
    probe = Probe(a_fingerprint(phash=flipped(design.fingerprint.phash, 6)), a_hash())
    for search in (designs.near, designs.recent):
        assert search(USER, probe, Reach(5, 5)) == []
        assert ids(search(USER, probe, Reach(6, 6))) == [design.design_id]


def opaque(**own: str) -> Fingerprint:
    return a_fingerprint(is_opaque=True, **own)


def test_the_nearer_of_index_hash_and_phash_counts(designs: PostgresDesigns) -> None:
    index, phash = a_hash(), a_hash()
    design = file_design(designs, a_design(fingerprint=opaque(phash=phash, index_hash=index)))
    for near in (
        opaque(phash=flipped(phash, 60), index_hash=flipped(index, 3)),
        opaque(phash=flipped(phash, 3), index_hash=flipped(index, 15)),
    ):
        for search in (designs.near, designs.recent):
            assert ids(search(USER, Probe(near, a_hash()), Reach(3, 3))) == [design.design_id]
            assert search(USER, Probe(near, a_hash()), Reach(2, 2)) == []


def test_an_equal_phash_is_near_however_far_the_index_hash_is(designs: PostgresDesigns) -> None:
    index = a_hash()
    design = file_design(designs, a_design(fingerprint=opaque(phash=a_hash(), index_hash=index)))
    far = f"{int(index, 16) ^ (2**256 - 1):064x}"
    probe = Probe(opaque(phash=design.fingerprint.phash, index_hash=far), a_hash())
    assert ids(designs.near(USER, probe, Reach(0, 0))) == [design.design_id]


def test_near_finds_every_phash_within_5_bits(database_url: str, designs: PostgresDesigns) -> None:
    insert_many(database_url, [a_hash() for _ in range(1_000)])
    filed = [
        file_design(designs, a_design(fingerprint=opaque(phash=a_hash(), index_hash=a_hash())))
        for _ in range(30)
    ]
    for bits, design in enumerate(filed):
        hash_ = flipped(design.fingerprint.phash, bits % 6)
        probe = Probe(opaque(phash=hash_, index_hash=a_hash()), a_hash())
        for search in (designs.near, designs.recent):
            assert design.design_id in ids(search(USER, probe, Reach(5, 5)))


def test_opaque_art_and_art_with_alpha_never_match_by_hash(designs: PostgresDesigns) -> None:
    design = file_design(designs, a_design())
    hashes = {"phash": design.fingerprint.phash, "index_hash": design.fingerprint.index_hash}
    probe = Probe(opaque(**hashes), a_hash())
    assert designs.exact(USER, probe) == []
    assert designs.near(USER, probe, Reach(31, 31)) == []
    assert designs.recent(USER, probe, Reach(31, 31)) == []


def test_each_exact_test_finds_by_itself_newest_first(designs: PostgresDesigns) -> None:
    upload, content, hash_ = a_hash(), a_hash(), a_hash()
    filed = [
        file_design(designs, a_design(upload_sha256=upload)),
        file_design(designs, a_design(fingerprint=a_fingerprint(content_sha256=content))),
        file_design(designs, a_design(fingerprint=a_fingerprint(phash=hash_))),
        file_design(designs, a_design()),
    ]
    probe = Probe(a_fingerprint(phash=hash_, content_sha256=content), upload)
    assert ids(designs.exact(USER, probe)) == ids(filed[:3])[::-1]


def test_many_designs_with_an_equal_hash_do_not_hide_the_same_upload(
    database_url: str, designs: PostgresDesigns
) -> None:
    oldest = file_design(designs, a_design())
    hash_ = a_hash()
    insert_many(database_url, [hash_] * 200)
    probe = Probe(a_fingerprint(phash=hash_), str(oldest.upload_sha256))
    found = designs.exact(USER, probe)
    assert len(found) == 65
    assert found[-1].design_id == oldest.design_id


def test_after_leaves_out_what_was_there_before(designs: PostgresDesigns) -> None:
    first = file_design(designs, a_design())
    mark = designs.watermark(USER)
    assert mark == first.sequence
    second = file_design(designs, a_design(fingerprint=first.fingerprint))
    probe = a_probe(first)
    assert ids(designs.exact(USER, probe)) == [second.design_id, first.design_id]
    assert ids(designs.exact(USER, probe, after=mark)) == [second.design_id]
    assert ids(designs.near(USER, probe, Reach(0, 0, after=mark))) == [second.design_id]
    assert ids(designs.recent(USER, probe, Reach(0, 0, after=mark))) == [second.design_id]


def test_before_leaves_out_what_came_later_and_that_takes_no_place(
    database_url: str, designs: PostgresDesigns
) -> None:
    first = file_design(designs, a_design())
    close = flipped(first.fingerprint.phash, 1)
    insert_many(database_url, [first.fingerprint.phash] * LIMIT + [close] * FARTHER)
    mark = first.sequence + 1
    for hash_ in (first.fingerprint.phash, close):
        probe = Probe(a_fingerprint(phash=hash_), a_hash())
        for search in (designs.near, designs.recent):
            found = search(USER, probe, Reach(0, 1, before=mark))
            assert ids(found) == [first.design_id]
            assert first.design_id not in ids(search(USER, probe, Reach(0, 1)))
    probe = Probe(a_fingerprint(phash=first.fingerprint.phash), a_hash())
    assert ids(designs.exact(USER, probe, before=mark)) == [first.design_id]
    assert first.design_id not in ids(designs.exact(USER, probe))
    assert ids(designs.cropped(USER, probe, radius=1, before=mark)) == [first.design_id]
    assert designs.near(USER, probe, Reach(9, 9, before=first.sequence)) == []


def test_a_template_narrows_every_search(designs: PostgresDesigns) -> None:
    design = file_design(designs, a_design(template="UVDTF Decal"))
    for template, expected in (("uvdtf DECAL", [design.design_id]), ("DTF Adult", [])):
        probe = a_probe(design, template=template)
        assert ids(designs.exact(USER, probe)) == expected
        assert ids(designs.near(USER, probe, Reach(0, 0))) == expected
        assert ids(designs.recent(USER, probe, Reach(0, 0))) == expected


def test_removed_designs_match_nothing(connection: sa.Connection, designs: PostgresDesigns) -> None:
    design = file_design(designs, a_design())
    connection.exec_driver_sql("UPDATE design_images SET is_active = false")
    probe = a_probe(design, upload_sha256=design.upload_sha256)
    assert designs.exact(USER, probe) == []
    assert designs.near(USER, probe, Reach(31, 31)) == []
    assert designs.recent(USER, probe, Reach(31, 31)) == []
    designs.activate(design)
    assert designs.exact(USER, probe) == []


def of_one_key(number: int, count: int) -> list[str]:
    """Random hashes whose bits of one key are all set."""
    mask = sum(1 << (255 - place) for place in PLACES[number])
    return [f"{int(a_hash(), 16) | mask:064x}" for _ in range(count)]


def test_crowded_keys_are_left_out_and_equal_hashes_found_all_the_same(
    connection: sa.Connection, database_url: str, designs: PostgresDesigns
) -> None:
    crowd = of_one_key(3, LOOKED_AT + 500)
    insert_many(database_url, [*crowd, *(a_hash() for _ in range(500))])
    connection.exec_driver_sql("ANALYZE design_hashes")
    keys = keys_of(USER, 2, crowd[0])
    assert Crowded().thin(connection, keys) == [*keys[:3], *keys[4:]]
    equal = Probe(a_fingerprint(phash=crowd[0]), a_hash())
    assert [found.fingerprint.phash for found in designs.near(USER, equal, Reach(5, 5))] == [
        crowd[0]
    ]
    connection.exec_driver_sql("SET ROLE pg_signal_backend")  # one that owns nothing
    assert Crowded().thin(connection, keys) == [*keys[:3], *keys[4:]]
    # Fifteen bits off: one in the part that this key leaves out, and in two parts of each other
    # group. The crowded key alone could find it.
    others = [0, *range(2, 15), 38]
    value = int(crowd[0], 16) ^ sum(1 << (255 - place) for place in others)
    given_up = Probe(a_fingerprint(phash=f"{value:064x}"), a_hash())
    assert designs.near(USER, given_up, Reach(15, 15)) == []


def test_where_every_key_is_crowded_the_rarest_is_looked_up(
    connection: sa.Connection, database_url: str, designs: PostgresDesigns
) -> None:
    full = "f" * 64
    insert_many(database_url, [full] * (LOOKED_AT + 500))
    insert_many(database_url, [hash_ for key in range(23) for hash_ in of_one_key(key, 50)])
    connection.exec_driver_sql("ANALYZE design_hashes")
    keys = keys_of(USER, 2, full)
    assert Crowded().thin(connection, keys) == [keys[23]]
    found = designs.near(USER, Probe(a_fingerprint(phash=full), a_hash()), Reach(0, 0))
    assert len(found) == LIMIT


def test_the_rarest_keys_are_looked_up_as_far_as_their_rows_together_allow(
    connection: sa.Connection, database_url: str
) -> None:
    sizes = {0: 2_400, 5: 1_800, 9: 1_200, 11: 600}
    insert_many(
        database_url, [hash_ for key, size in sizes.items() for hash_ in of_one_key(key, size)]
    )
    connection.exec_driver_sql("ANALYZE design_hashes")
    keys = keys_of(USER, 2, "f" * 64)
    # Without the most crowded one the others have 3,600 rows: with it, 6,000.
    assert set(keys) - set(Crowded().thin(connection, keys)) == {keys[0]}
    assert LOOKED_AT == 4_000


def hashed_rows(connection: sa.Connection) -> list[tuple[object, ...]]:
    """What near matches are searched by, once it is what the designs say."""
    should = """
        SELECT id, user_id, sequence, fingerprint_version, coalesce(index_hash, platen_bits(phash)),
               nullif(platen_bits(phash), coalesce(index_hash, platen_bits(phash)))
        FROM design_images WHERE coalesce(index_hash, platen_bits(phash)) IS NOT NULL
    """
    kept = connection.exec_driver_sql("SELECT * FROM design_hashes ORDER BY design_id").all()
    assert kept == connection.exec_driver_sql(f"{should} ORDER BY id").all()
    return [tuple(row) for row in kept]


def test_whoever_writes_a_design_its_hashes_are_kept(
    connection: sa.Connection, designs: PostgresDesigns
) -> None:
    own = file_design(designs, a_design())
    other = file_design(designs, a_design(fingerprint=opaque(phash=a_hash(), index_hash=a_hash())))
    assert len(hashed_rows(connection)) == 2
    change = sa.text("UPDATE design_images SET phash = :phash, index_hash = NULL WHERE id = :id")
    for phash, rows in ((a_hash(), 2), ("f0" * 8, 1), (None, 1), (a_hash(), 2)):
        connection.execute(change, {"phash": phash, "id": own.design_id})
        assert len(hashed_rows(connection)) == rows
    connection.exec_driver_sql("UPDATE design_images SET fingerprint_version = 1")
    connection.exec_driver_sql("UPDATE design_images SET id = gen_random_uuid()")
    assert len(hashed_rows(connection)) == 2
    connection.execute(
        sa.text("DELETE FROM design_images WHERE sequence = :sequence"),
        {"sequence": other.sequence},
    )
    assert len(hashed_rows(connection)) == 1


def test_a_writer_needs_no_right_to_the_hashes_nor_their_schema(
    connection: sa.Connection, database_url: str
) -> None:
    insert_many(database_url, [a_hash()])
    schema = connection.exec_driver_sql("SELECT current_schema").scalar_one()
    connection.exec_driver_sql("DROP ROLE IF EXISTS a_writer")
    connection.exec_driver_sql("CREATE ROLE a_writer")
    try:
        connection.exec_driver_sql(f"GRANT INSERT ON {schema}.design_images TO a_writer")
        connection.exec_driver_sql("SET ROLE a_writer")
        connection.exec_driver_sql("CREATE TEMPORARY TABLE design_hashes ()")
        connection.exec_driver_sql("SET search_path = pg_catalog")
        connection.execute(
            sa.text(
                f"INSERT INTO {schema}.design_images (user_id, filename, file_path, phash)"  # noqa: S608 - the tests' own
                " VALUES (:user, 'UV.png', '/UV.png', :phash)"
            ),
            {"user": USER, "phash": a_hash()},
        )
    finally:
        connection.exec_driver_sql("RESET ROLE")
        connection.exec_driver_sql("RESET search_path")
        connection.exec_driver_sql("DROP OWNED BY a_writer")
        connection.exec_driver_sql("DROP ROLE a_writer")
    assert len(hashed_rows(connection)) == 2
