"""doctor: each thing that can be wrong is a clear sentence, and nothing stays behind."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from shared.database.designs import PostgresDesigns
from shared.database.engine import create, patient
from shared.errors import NasUnavailable
from shared.flows import doctor
from shared.flows.doctor import Finding
from shared.nas.folder import FolderNas
from shared.nas.memory import MemoryNas
from shared.nas.names import Places
from shared.ports import Nas
from shared.settings import SettingsInvalid

USER = UUID(int=7)
PLACES = Places("/share/Graphics", "NookTransfers")
NAS_CHECKS = ["nas", "nas write", "nas rename", "nas delete"]


def of_database(url: str) -> list[Finding]:
    designs = PostgresDesigns(create(url, pool=1, timeout_s=5))
    try:
        return list(doctor.database(lambda: designs, USER, PLACES))
    finally:
        designs.close()


def of_nas(nas: object) -> list[Finding]:
    return list(doctor.nas(lambda: nas, PLACES))  # type: ignore[arg-type, return-value]


def wrong(findings: list[Finding]) -> dict[str, str]:
    return {finding.check: finding.message for finding in findings if not finding.ok}


def execute(url: str, *statements: str) -> None:
    engine = patient(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def contents(url: str) -> dict[str, int]:
    """How many rows each table has."""
    engine = patient(url)
    with engine.connect() as connection:
        rows = {}
        for table in sa.inspect(connection).get_table_names():
            counted = sa.select(sa.func.count()).select_from(sa.table(table))
            rows[table] = connection.execute(counted).scalar_one()
    engine.dispose()
    return rows


class TestTheDatabase:
    def test_is_right_when_it_answers_is_migrated_and_takes_designs(
        self, database_url: str
    ) -> None:
        findings = of_database(database_url)

        assert [(finding.check, finding.ok) for finding in findings] == [
            ("database", True),
            ("database rights", True),
        ]

    def test_keeps_nothing_of_the_trial(self, database_url: str) -> None:
        before = contents(database_url)

        of_database(database_url)

        assert contents(database_url) == before
        assert before["design_images"] == 0

    def test_that_is_not_migrated_is_told_with_the_command(self, empty_database_url: str) -> None:
        assert wrong(of_database(empty_database_url)) == {
            "database": "The database is not ready: it is not migrated to this version of Platen; "
            "run 'python -m shared.driver migrate'."
        }

    def test_that_is_away_is_told_with_the_system_s_reason(self) -> None:
        findings = of_database("postgresql://platen:hunter2@127.0.0.1:1/platen")

        assert wrong(findings) == {
            "database": "The database can't be reached at the moment; try again. "
            "(Connection refused.) Check that it is on, and host and port in DATABASE_URL."
        }

    def test_on_an_unknown_host_is_told_apart(self) -> None:
        findings = of_database("postgresql://platen:hunter2@no-such-host.invalid/platen")

        # "Name or service not known", or "Temporary failure in name resolution".
        assert "name" in wrong(findings)["database"].casefold()

    def test_that_refuses_the_account_is_told(self, database_url: str) -> None:
        url = sa.make_url(database_url).set(username="stranger")

        assert wrong(of_database(url.render_as_string(hide_password=False))) == {
            "database": "The database is not ready: it refuses the account or the database's name; "
            "check DATABASE_URL."
        }

    def test_that_may_only_be_read_is_told(self, database_url: str) -> None:
        name = sa.make_url(database_url).database
        execute(database_url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")

        assert wrong(of_database(database_url)) == {
            "database rights": "The database is not ready: it can only be read; check that "
            "DATABASE_URL names the primary server."
        }

    def test_without_the_right_to_write_is_told_with_the_rights(
        self, database_url: str, postgres_url: str
    ) -> None:
        name = sa.make_url(database_url).database
        execute(
            database_url,
            f"CREATE ROLE reader_{name}",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_{name}",
            f"ALTER ROLE platen IN DATABASE {name} SET role = reader_{name}",
        )
        findings = of_database(database_url)
        execute(postgres_url, f"ALTER ROLE platen IN DATABASE {name} RESET role")
        execute(database_url, f"DROP OWNED BY reader_{name}", f"DROP ROLE reader_{name}")

        assert list(wrong(findings)) == ["database rights"]
        assert "needs SELECT, INSERT, UPDATE and DELETE" in wrong(findings)["database rights"]

    def test_whose_users_are_another_program_s_asks_for_one_of_them(
        self, database_url: str
    ) -> None:
        execute(
            database_url,
            "ALTER TABLE users ADD COLUMN email text",
            "UPDATE users SET email = ''",
            "ALTER TABLE users ALTER COLUMN email SET NOT NULL",
        )

        assert "name one of them with --user" in wrong(of_database(database_url))["database rights"]
        execute(database_url, f"INSERT INTO users (id, email) VALUES ('{USER}', 'x')")  # noqa: S608
        assert wrong(of_database(database_url)) == {}


class TestTheNas:
    def test_is_right_when_files_stay_as_they_are(self, tmp_path: Path) -> None:
        findings = of_nas(FolderNas(tmp_path))

        assert [finding.check for finding in findings] == NAS_CHECKS
        assert wrong(findings) == {}

    def test_keeps_nothing_of_the_trial(self, tmp_path: Path) -> None:
        nas = FolderNas(tmp_path)
        nas.create("NookTransfers/Nook/UVDTF 16oz/UV_001.png", b"print file")
        before = sorted(tmp_path.rglob("*"))

        of_nas(nas)

        assert sorted(tmp_path.rglob("*")) == before

    def test_that_may_only_be_read_is_told(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o500)
        if os.access(tmp_path, os.W_OK):
            pytest.skip("this user may write anywhere")
        try:
            findings = of_nas(FolderNas(tmp_path))
        finally:
            tmp_path.chmod(0o700)

        assert wrong(findings) == {
            "nas": "The NAS refuses this; check the account and its rights. (Permission denied.) "
            "The account must read, write, rename and delete in NAS_ROOT and in .platen."
        }

    def test_whose_place_is_a_file_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "nas").touch()

        assert "(File exists.)" in wrong(of_nas(FolderNas(tmp_path / "nas")))["nas"]

    def test_whose_shops_may_not_be_written_to_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "NookTransfers").touch()

        findings = of_nas(FolderNas(tmp_path))

        assert list(wrong(findings)) == ["nas rename"]
        assert "in NAS_ROOT" in wrong(findings)["nas rename"]
        assert findings[-1].ok
        assert list((tmp_path / ".platen").iterdir()) == []

    def test_that_is_full_is_told(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        link = os.link

        def full(source: str, *rest: str, **options: int) -> None:
            if os.stat(source, dir_fd=options["src_dir_fd"]).st_size:
                raise OSError(errno.ENOSPC, "No space left on device")
            link(source, *rest, **options)

        monkeypatch.setattr(os, "link", full)

        assert wrong(of_nas(FolderNas(tmp_path))) == {
            "nas write": "The NAS is full; free some space, then try again. "
            "(No space left on device.)"
        }

    def test_that_changes_what_it_is_given_is_told(self) -> None:
        class Careless(MemoryNas):
            def read(self, path: str) -> bytes | None:
                content = super().read(path)
                return content and content[:-1] + b"?"

        findings = of_nas(Careless())

        assert wrong(findings) == {
            "nas write": "What is read back is not what was written; check the NAS's disks and "
            "network."
        }
        assert findings[-1].check == "nas delete"

    def test_that_replaces_files_is_told(self) -> None:
        class Careless(MemoryNas):
            def publish(self, staged: str, path: str) -> None:
                self.delete(path)
                super().publish(staged, path)

        assert "replaced" in wrong(of_nas(Careless()))["nas rename"]

    def test_that_deletes_nothing_is_told_with_the_files(self) -> None:
        class Careless(MemoryNas):
            def delete(self, path: str) -> None:
                pass

        message = wrong(of_nas(Careless()))["nas delete"]

        assert "is still there: NookTransfers/Platen trial" in message

    def test_that_can_t_be_opened_is_told(self) -> None:
        def unusable() -> Nas:
            raise SettingsInvalid("NAS_URL: it must be another")

        assert [finding.message for finding in doctor.nas(unusable, PLACES)] == [
            "NAS_URL: it must be another"
        ]


class Counted:
    """A NAS whose ``number``th call of a verb (from 0) is lost, before or after it is done."""

    def __init__(self, nas: Nas, number: int, *, done: bool) -> None:
        self._nas = nas
        self._left = number
        self._done = done
        self.hit = False

    def __getattr__(self, name: str) -> Callable[..., object]:
        verb = getattr(self._nas, name)

        def call(*args: object) -> object:
            self._left -= 1
            if self._left == -1:
                self.hit = True
                if self._done:
                    verb(*args)
                raise NasUnavailable
            return verb(*args)

        return call


class TestAFaultHalfWay:
    @pytest.mark.parametrize("done", [False, True])
    def test_leaves_nothing_whichever_call_it_hits_before_the_last_step(
        self, tmp_path: Path, done: bool
    ) -> None:
        hit: list[str] = []
        for number in range(50):
            root = tmp_path / str(number)
            nas = Counted(FolderNas(root), number, done=done)
            failed = wrong(of_nas(nas))
            if not nas.hit:
                break
            hit += failed
            if "nas delete" in failed:
                assert "Remove by hand" in failed["nas delete"]
            else:
                names = {path.name for path in root.rglob("*")}
                assert names <= {".platen", "NookTransfers"}

        assert list(dict.fromkeys(hit)) == NAS_CHECKS

    def test_and_leaving_in_the_middle_leaves_nothing(self, tmp_path: Path) -> None:
        findings: Iterator[Finding] = iter(doctor.nas(lambda: FolderNas(tmp_path), PLACES))
        while next(findings).check != "nas rename":
            pass
        assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 2
        findings.close()  # type: ignore[attr-defined]

        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
