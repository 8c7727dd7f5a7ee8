"""doctor on every store: all right where it is, and each fault of a NAS a sentence of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from nas_moto import BUCKET, moto_server
from nas_stores import aws_account
from samba import ENCRYPTED, PASSWORD, Samba
from smb_site import PATH, Site

from shared.flows import doctor
from shared.flows.doctor import Finding
from shared.nas.folder import FolderNas
from shared.nas.names import Places
from shared.nas.s3 import open_s3
from shared.nas.smb import open_smb
from shared.ports import Nas
from tests.proxy import Broken, Fault, Line

PLACES = Places("/share/Graphics", "NookTransfers")


def examined(nas: Nas) -> list[Finding]:
    return list(doctor.nas(lambda: nas, PLACES))


def wrong(nas: Nas) -> dict[str, str]:
    return {finding.check: finding.message for finding in examined(nas) if not finding.ok}


def test_all_is_right_on_every_store_and_no_file_is_left(nas: Nas) -> None:
    assert [(finding.check, finding.ok) for finding in examined(nas)] == [
        ("nas", True),
        ("nas write", True),
        ("nas rename", True),
        ("nas delete", True),
    ]
    assert list(nas.list(".platen")) == []


def test_a_full_disk(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes((16 << 20) - 100_000))

    assert wrong(FolderNas(small_disk)) == {
        "nas write": "The NAS is full; free some space, then try again. (No space left on device.)"
    }


class TestSmb:
    def test_leaves_everything_as_it_found_it(self, smb: Site) -> None:
        smb.open().create(PATH, b"print file")
        before = sorted(smb.folder.rglob("*"))

        assert wrong(smb.open()) == {}
        assert sorted(smb.folder.rglob("*")) == before

    def test_a_wrong_password(self, smb: Site) -> None:
        message = wrong(smb.open(password="hunter2"))["nas"]  # noqa: S106

        assert message == (
            "The NAS refuses the account's name or password. Check the user in NAS_URL and the "
            "password in NAS_PASSWORD or NAS_PASSWORD_FILE; for S3, the AWS credentials."
        )

    def test_a_host_that_is_away(self) -> None:
        assert wrong(open_smb("smb://user@127.0.0.1:1/Graphics", "hunter2", timeout_s=2)) == {
            "nas": "The NAS can't be reached at the moment; try again. (Connection refused.) "
            "Check that it is on, and the address in NAS_URL."
        }

    def test_a_host_that_says_nothing(self, smb: Site) -> None:
        class Hole(Line):
            def up(self, _data: bytes) -> bytes:
                raise Broken(Fault.HOLE)

        smb.proxy.line = Hole

        assert "can't be reached" in wrong(smb.open(timeout_s=1))["nas"]

    def test_no_such_share(self, smb_server: Samba) -> None:
        url = smb_server.url.replace("Graphics", "Grafics")

        assert wrong(open_smb(url, PASSWORD)) == {
            "nas": "The NAS has no share of that name. Check the share or bucket in NAS_URL."
        }

    def test_a_server_that_does_not_encrypt(self, serve_smb: Callable[[str], Samba]) -> None:
        server = serve_smb("server max protocol = SMB2_10")

        assert wrong(open_smb(server.url, PASSWORD)) == {
            "nas": "The NAS can't encrypt what it is sent; turn encryption on there. "
            "Or set NAS_ENCRYPTION=preferred."
        }

    def test_a_share_that_may_only_be_read(
        self, serve_smb: Callable[[str], Samba], tmp_path: Path
    ) -> None:
        server = serve_smb(f"{ENCRYPTED}\n[Archive]\npath = {tmp_path}\nread only = yes")
        url = server.url.replace("Graphics", "Archive")

        assert wrong(open_smb(url, PASSWORD)) == {
            "nas": "The NAS refuses this; check the account and its rights. "
            "The account must read, write, rename and delete in NAS_ROOT and in .platen."
        }

    def test_a_connection_that_ends_half_way_leaves_nothing(self, smb: Site) -> None:
        class EndsOnce(Line):
            left = 600_000

            def up(self, data: bytes) -> bytes:
                self.left -= len(data)
                if self.left < 0:
                    raise Broken(Fault.RESET)
                return data

        store = smb.open(timeout_s=5)
        smb.proxy.strike(EndsOnce, times=3)

        assert list(wrong(store)) == ["nas write"]
        assert smb.leftovers() == []
        assert {path.name for path in smb.folder.rglob("*")} == {".platen"}


class TestS3:
    @pytest.mark.parametrize(
        ("bucket", "answer"),
        [
            (BUCKET, None),
            ("absent", "The NAS has no share of that name. Check the share or bucket in NAS_URL."),
        ],
    )
    def test_a_bucket_that_there_is_and_one_that_there_is_not(
        self, bucket: str, answer: str | None
    ) -> None:
        with moto_server() as endpoint, aws_account():
            told = wrong(open_s3(f"s3://{bucket}?endpoint={endpoint}", timeout_s=10))

        assert told == ({"nas": answer} if answer else {})

    def test_an_endpoint_that_is_away(self) -> None:
        with aws_account():
            store = open_s3("s3://bucket?endpoint=http://127.0.0.1:1", timeout_s=1)

        assert "(Connection refused.)" in wrong(store)["nas"]
