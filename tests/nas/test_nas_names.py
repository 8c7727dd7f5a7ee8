from __future__ import annotations

import posixpath
import unicodedata
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.errors import NameInvalid
from shared.nas.names import MAX_BYTES, MAX_CHARACTERS, Places, key, part, print_file, split, staged
from shared.settings import Settings

PLACES = Places(mount="/share/Graphics", root="NookTransfers")


@pytest.mark.parametrize(
    "name",
    [
        "LocalShop",
        "UVDTF 16oz",
        "DTF Adult+",
        "Mom & Me's Gifts (UK)",
        "a,b-c_d.e",
        "Größe 16oz",
        "カップ",
        "Кружка",
        "🎁",
        "x" * MAX_CHARACTERS,
        "CONcert",
        "COM10",
        "NULL.png",
        "100%",
    ],
)
def test_an_ordinary_name_passes_unchanged(name: str) -> None:
    assert part(name, "shop") == name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        (".", "starts or ends"),
        ("..", "starts or ends"),
        (".platen", "starts or ends"),
        (" Shop", "starts or ends"),
        ("Shop ", "starts or ends"),
        ("Shop.", "starts or ends"),
        ("...", "starts or ends"),
        ("a/b", "holds one of"),
        ("../a", "holds one of"),
        ("..\\a", "holds one of"),
        ("C:", "holds one of"),
        ("a:stream", "holds one of"),
        ("what?", "holds one of"),
        ("all*", "holds one of"),
        ('3.5" Decal', "holds one of"),
        ("<a>", "holds one of"),
        ("a|b", "holds one of"),
        ("NOOKTR~1", "holds one of"),
        ("a\0b", "control, invisible"),
        ("a\nb", "control, invisible"),
        ("a\x7fb", "control, invisible"),
        ("a\x85b", "control, invisible"),
        ("a\u202eb", "control, invisible"),
        ("a\u200bb", "control, invisible"),
        ("a\u00a0b", "control, invisible"),
        ("a\u2028b", "control, invisible"),
        ("a\uf022b", "control, invisible"),
        ("a\uffffb", "control, invisible"),
        ("a\ud800b", "control, invisible"),
        ("CON", "device"),
        ("nul", "device"),
        ("aux.png", "device"),
        ("Com1.tar.gz", "device"),
        ("LPT¹", "device"),
        ("PRN .txt", "device"),
        ("conin$", "device"),
        ("x" * (MAX_CHARACTERS + 1), "longer"),
        ("カ" * (MAX_BYTES // 3 + 1), "longer"),
    ],
)
def test_a_name_that_is_no_plain_name_everywhere_is_refused_with_its_reason(
    name: str, reason: str
) -> None:
    with pytest.raises(NameInvalid, match=f"^The template can't .*{reason}"):
        part(name, "template")


def test_composed_and_decomposed_letters_are_one_name() -> None:
    assert part("Gro\u0308\u00dfe", "shop") == "Gr\u00f6\u00dfe"


@given(st.text())
@example("\u212a\u037e")
def test_a_name_that_passes_is_one_part_inside_its_folder_and_passes_again(text: str) -> None:
    try:
        name = part(text, "shop")
    except NameInvalid:
        return
    assert posixpath.normpath(posixpath.join("/share/shop", name)) == f"/share/shop/{name}"
    assert Path("/share/shop", name).parent == Path("/share/shop")
    assert name == unicodedata.normalize("NFC", text) == part(name, "shop")
    assert split(f"shops/{name}") == ("shops", name)
    assert len(name) <= MAX_CHARACTERS
    assert len(name.encode()) <= MAX_BYTES
    assert not set(name) & set('/\\:*?"<>|\0')
    assert not name.startswith(".")


@given(st.text(alphabet="./\\:a\0", max_size=12))
def test_a_path_that_is_split_stays_below_where_it_starts(path: str) -> None:
    try:
        parts = split(path)
    except NameInvalid:
        return
    assert posixpath.normpath(f"/share/{path}") == "/".join(["/share", *parts])


def test_a_print_file_ends_in_png() -> None:
    assert print_file("UV 906 UVDTF_16oz_906.png") == "UV 906 UVDTF_16oz_906.png"


@pytest.mark.parametrize(
    "name", ["UV_001", "UV_001.PNG", "UV_001.jpg", ".png", "UV_001.png ", "png"]
)
def test_another_ending_is_refused(name: str) -> None:
    with pytest.raises(NameInvalid, match="file name"):
        print_file(name)


@given(st.text(alphabet="aAkK\u212a\u00e9\u00c9\u00df\u017f\u0130\u0131 e\u0301"))
def test_names_that_differ_in_case_alone_have_one_key(text: str) -> None:
    assert key(text.upper()) == key(text.upper().lower().upper())
    assert key(key(text)) == key(text)
    assert key(unicodedata.normalize("NFD", text)) == key(text)


def test_names_that_differ_in_more_have_other_keys() -> None:
    assert key("UVDTF 16oz") == key("uvdtf 16OZ")
    assert len({key(name) for name in ("Shop", "Shop1", "Sho p", "Shöp")}) == 4


def test_folders_lie_by_shop_and_template() -> None:
    assert PLACES.folder("Shop", "UVDTF 16oz", digital=False) == "NookTransfers/Shop/UVDTF 16oz"
    assert PLACES.folder("Shop", "16oz", digital=True) == "NookTransfers/Shop/Digital/16oz"


@pytest.mark.parametrize(("shop", "template"), [("..", "16oz"), ("Shop", "../Other"), ("", "16oz")])
def test_no_folder_is_made_of_a_name_that_is_refused(shop: str, template: str) -> None:
    with pytest.raises(NameInvalid):
        PLACES.folder(shop, template, digital=False)


def test_rows_hold_the_nas_own_names_and_lead_back() -> None:
    path = "NookTransfers/Shop/UVDTF 16oz/UV_001.png"
    assert PLACES.stored(path) == f"/share/Graphics/{path}"
    assert PLACES.relative(PLACES.stored(path)) == path


@pytest.mark.parametrize(
    "stored",
    [
        "",
        "NookTransfers/x.png",
        "/share/Other/x.png",
        "/share/GraphicsOld/x.png",
        "/share/Graphics",
        "/share/Graphics/",
        "/share/Graphics/../x.png",
        "/share/Graphics//x.png",
    ],
)
def test_a_row_that_leads_out_of_the_share_is_refused(stored: str) -> None:
    with pytest.raises(NameInvalid):
        PLACES.relative(stored)


@pytest.mark.parametrize(
    ("mount", "root", "folder", "stored"),
    [
        (
            "/share/Graphics",
            "/share/Graphics/NookTransfers",
            "NookTransfers/S/T",
            "/share/Graphics/a",
        ),
        ("/share/Graphics/", "/share/Graphics/a/b/", "a/b/S/T", "/share/Graphics/a"),
        ("/share/Graphics", "/share/Graphics", "S/T", "/share/Graphics/a"),
        ("/", "/Prints", "Prints/S/T", "/a"),
    ],
)
def test_places_follow_the_settings(mount: str, root: str, folder: str, stored: str) -> None:
    places = Places.of(Settings(nas_mount=mount, nas_root=root, _env_file=None))
    assert places.folder("S", "T", digital=False) == folder
    assert places.stored("a") == stored


def test_a_staged_file_is_named_by_its_design_and_its_bytes() -> None:
    design_id = UUID("01234567-89ab-cdef-0123-456789abcdef")
    path = staged(design_id, "ab" * 32)
    assert path == f".platen/01234567-89ab-cdef-0123-456789abcdef.{'ab' * 32}.part"
    assert len(path.rpartition("/")[2]) <= MAX_BYTES
