"""Migrations make a database, bring up a legacy one with its rows, and harm nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from alembic.config import Config
from alembic.script import ScriptDirectory
from database_rows import USER, a_design, a_fingerprint, a_hash, file_design, flipped

from shared.database import migrate
from shared.database.designs import PostgresDesigns
from shared.database.engine import create, patient
from shared.errors import DatabaseNotReady, DatabaseRefused, ShopTaken
from shared.imaging.templates import BUILT_IN
from shared.records import Probe, Reach, State

LEGACY = """
CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
INSERT INTO alembic_version VALUES ('add_phash_indexes');
CREATE TABLE users (
    id uuid PRIMARY KEY, email text NOT NULL, shop_name text, created_at timestamp
);
CREATE TABLE product_templates (
    id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES users (id), name varchar(80) NOT NULL,
    title text NOT NULL
);
CREATE TABLE design_images (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id uuid NOT NULL REFERENCES users (id),
    filename varchar(255) NOT NULL, file_path varchar(500) NOT NULL, description text,
    phash varchar(64), ahash varchar(64), dhash varchar(64), whash varchar(64),
    tags jsonb, tags_metadata jsonb, canvas_config_id uuid, platform varchar(20),
    is_active boolean DEFAULT true, is_digital boolean, created_at timestamp, updated_at timestamp
);
CREATE INDEX idx_design_images_phash ON design_images (phash);
CREATE INDEX idx_design_images_user_active ON design_images (user_id, is_active)
"""

ROW = """
INSERT INTO design_images (id, user_id, filename, file_path, phash, ahash, is_active, created_at)
VALUES (:id, :user, :name, :path, :phash, :ahash, :active, :time)
"""

FOLDER = "/share/Graphics/NookTransfers/OldShop/UVDTF Decal"


class Legacy:
    """The seed's tables, filled by hand."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.do(LEGACY)
        self.do("INSERT INTO users VALUES (:user, 'a@b.c', 'OldShop')", user=USER)
        self.do(
            "INSERT INTO product_templates VALUES (gen_random_uuid(), :user, 'dtf adult', 'Shirt')",
            user=USER,
        )

    def do(self, statement: str, **values: object) -> None:
        engine = patient(self.url)
        with engine.begin() as connection:
            connection.execute(sa.text(statement), values)
        engine.dispose()

    def add(
        self, phash: str | None, *, year: int = 2024, active: bool = True, ahash: str | None = None
    ) -> UUID:
        row = uuid4()
        name = f"UV {year} UVDTF_Decal_{year}.png"
        self.do(
            ROW,
            id=row,
            user=USER,
            name=name,
            path=f"{FOLDER}/{name}",
            phash=phash,
            ahash=ahash,
            active=active,
            time=f"{year}-01-01 12:00",
        )
        return row


Migrated = Callable[[Legacy], PostgresDesigns]


@pytest.fixture
def legacy(empty_database_url: str) -> Legacy:
    return Legacy(empty_database_url)


@pytest.fixture
def migrated() -> Iterator[Migrated]:
    """Migrates a legacy database and opens it."""
    engines: list[sa.Engine] = []

    def open_migrated(legacy: Legacy) -> PostgresDesigns:
        migrate.upgrade(legacy.url)
        engines.append(create(legacy.url, pool=2, timeout_s=10))
        return PostgresDesigns(engines[0])

    yield open_migrated
    for engine in engines:
        engine.dispose()


def test_the_code_expects_the_newest_step() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrate.STEPS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD]


def test_a_database_is_ready_once_it_is_migrated(empty_database_url: str) -> None:
    engine = create(empty_database_url, pool=1, timeout_s=10)
    designs = PostgresDesigns(engine)
    for ask in (
        designs.check,
        lambda: designs.has_legacy(USER),
        lambda: designs.template(USER, "UVDTF 16oz"),
    ):
        with pytest.raises(DatabaseNotReady, match="not migrated"):
            ask()
    migrate.upgrade(empty_database_url)
    designs.check()
    engine.dispose()


def test_processes_that_start_together_migrate_once(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(migrate.upgrade, [empty_database_url] * 4)) == [None] * 4
    engine = patient(empty_database_url)
    assert len(PostgresDesigns(engine).templates(USER)) == len(BUILT_IN)
    engine.dispose()


def test_every_step_can_meet_its_own_work(database_url: str, designs: PostgresDesigns) -> None:
    design = file_design(designs, a_design())
    engine = patient(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE {migrate.VERSION_TABLE}")
    engine.dispose()
    migrate.upgrade(database_url)
    designs.check()
    assert designs.get(USER, design.design_id) == design
    assert len(designs.templates(USER)) == len(BUILT_IN)
    assert file_design(designs, a_design()).sequence > design.sequence


def test_legacy_rows_are_found_afterwards(legacy: Legacy, migrated: Migrated) -> None:
    phash = a_hash()
    row = legacy.add(phash, year=2024, ahash="not a hash")
    for other in (None, "", "f0" * 8, "g" * 64, phash.upper()):
        legacy.add(other)
    legacy.add(phash, active=False)
    designs = migrated(legacy)
    assert designs.has_legacy(USER)
    upload = a_fingerprint(is_opaque=True)
    same = Probe(upload, a_hash(), legacy_phash=phash)
    close = Probe(upload, a_hash(), legacy_phash=flipped(phash, 15))
    for found in (
        designs.exact(USER, same),
        designs.near(USER, same, Reach(0, 0)),
        designs.near(USER, close, Reach(15, 15)),
        designs.recent(USER, close, Reach(15, 15)),
    ):
        assert [design.design_id for design in found] == [row]
    (candidate,) = designs.exact(USER, same)
    design = designs.get(USER, row)
    assert design is not None
    assert design.fingerprint == candidate.fingerprint
    assert (design.filename, design.file_path) == (candidate.filename, candidate.file_path)
    assert design.fingerprint.version == 1
    assert design.fingerprint.phash == phash
    assert design.fingerprint.ahash is None
    assert (design.shop, design.template) == ("OldShop", "UVDTF Decal")
    assert (design.state, design.is_digital) == (State.ACTIVE, False)
    assert design.created_at.isoformat() == "2024-01-01T12:00:00+00:00"
    assert designs.exact(USER, close) == []
    assert designs.exact(USER, Probe(upload, a_hash())) == []


def test_art_with_alpha_is_near_to_no_legacy_row(legacy: Legacy, migrated: Migrated) -> None:
    row = legacy.add(phash := a_hash())
    designs = migrated(legacy)
    probe = Probe(a_fingerprint(), a_hash(), legacy_phash=phash)
    assert [design.design_id for design in designs.exact(USER, probe)] == [row]
    assert designs.near(USER, probe, Reach(31, 31)) == []
    assert designs.recent(USER, probe, Reach(31, 31)) == []


def test_a_template_narrows_legacy_rows_by_their_folder(legacy: Legacy, migrated: Migrated) -> None:
    row = legacy.add(phash := a_hash())
    designs = migrated(legacy)
    for template, expected in (("uvdtf decal", [row]), ("DTF Adult", [])):
        probe = Probe(a_fingerprint(is_opaque=True), a_hash(), phash, template)
        assert [design.design_id for design in designs.near(USER, probe, Reach(0, 0))] == expected


def test_legacy_rows_are_as_old_as_they_say(legacy: Legacy, migrated: Migrated) -> None:
    phash = a_hash()
    rows = [legacy.add(phash, year=year) for year in (2025, 2023, 2024)]
    designs = migrated(legacy)
    found = designs.exact(USER, Probe(a_fingerprint(), a_hash(), legacy_phash=phash))
    assert [design.design_id for design in found] == [rows[0], rows[2], rows[1]]
    assert designs.watermark(USER) == 3
    new = file_design(designs, a_design())
    assert new.sequence == 4


def test_the_numbers_of_a_legacy_folder_go_on(legacy: Legacy, migrated: Migrated) -> None:
    legacy.add(a_hash(), year=2024)
    with migrated(legacy).unit(USER) as unit:
        assert unit.take_number("NookTransfers/OldShop/UVDTF Decal") == 2025


def test_the_seeds_own_inserts_go_on_working(legacy: Legacy, migrated: Migrated) -> None:
    designs = migrated(legacy)
    assert not designs.has_legacy(USER)
    row = legacy.add(phash := a_hash())
    assert designs.has_legacy(USER)
    probe = Probe(a_fingerprint(is_opaque=True), a_hash(), legacy_phash=flipped(phash, 9))
    assert [design.design_id for design in designs.near(USER, probe, Reach(9, 9))] == [row]


def test_legacy_templates_stay_and_are_none_of_ours(legacy: Legacy, migrated: Migrated) -> None:
    designs = migrated(legacy)
    assert designs.templates(USER) == sorted(BUILT_IN, key=lambda template: template.name)
    assert designs.template(USER, "DTF Adult").width_in == 10
    legacy.do("UPDATE product_templates SET title = title || '!' WHERE name = 'dtf adult'")


def test_a_user_that_the_legacy_table_asks_more_of_must_exist(
    legacy: Legacy, migrated: Migrated
) -> None:
    designs = migrated(legacy)
    with designs.unit(USER) as unit:
        unit.claim("OldShop")
    with pytest.raises(DatabaseRefused), designs.unit(uuid4()) as unit:
        unit.claim("Another")


def test_a_legacy_users_shop_is_nobody_elses(legacy: Legacy, migrated: Migrated) -> None:
    other = uuid4()
    legacy.do("INSERT INTO users VALUES (:user, 'd@e.f')", user=other)
    designs = migrated(legacy)
    with pytest.raises(ShopTaken), designs.unit(other) as unit:
        unit.claim("OLDSHOP")
