"""What NAS boxes of different ages speak: each dialect and cipher carries a file there and back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from samba import Samba
from smb_site import PATH, body, site

from shared.errors import NasUnencrypted
from shared.settings import Encryption

CONTENT = body(3) + b"odd end"


@pytest.mark.parametrize("cipher", ["AES-128-GCM", "AES-128-CCM", "AES-256-GCM", "AES-256-CCM"])
def test_every_cipher_of_smb_3_1_1_encrypts(serve_smb: Callable[[str], Samba], cipher: str) -> None:
    options = f"server smb encrypt = required\nserver smb3 encryption algorithms = {cipher}"
    with site(serve_smb(options)) as place:
        store = place.open()
        store.create(PATH, CONTENT)
        assert store.read(PATH) == CONTENT


@pytest.mark.parametrize("dialect", ["SMB3_00", "SMB3_02"])
def test_older_dialects_that_can_encrypt_do(
    serve_smb: Callable[[str], Samba], dialect: str
) -> None:
    options = f"server smb encrypt = required\nserver max protocol = {dialect}"
    with site(serve_smb(options)) as place:
        store = place.open()
        store.create(PATH, CONTENT)
        assert store.read(PATH) == CONTENT


def test_smb_2_1_can_not_encrypt_and_is_signed_if_that_is_allowed(
    serve_smb: Callable[[str], Samba],
) -> None:
    with site(serve_smb("server max protocol = SMB2_10")) as place:
        with pytest.raises(NasUnencrypted):
            place.open().create(PATH, CONTENT)
        store = place.open(encryption=Encryption.PREFERRED)
        store.create(PATH, CONTENT)
        assert store.read(PATH) == CONTENT
