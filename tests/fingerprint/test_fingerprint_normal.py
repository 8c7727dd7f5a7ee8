"""The normal form: what moves it, what doesn't, and its way as text."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import pytest
from fingerprint_art import badge, cropped, lines, one_call, padded, wrap
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import FullyTransparent, RequestInvalid
from shared.fingerprint.normal import normal_form, pack, unpack
from shared.records import NormalForm


def same(one: NormalForm, other: NormalForm) -> bool:
    return bool(np.array_equal(one.pixels, other.pixels)) and (
        (one.width_px, one.height_px, one.is_opaque)
        == (other.width_px, other.height_px, other.is_opaque)
    )


def test_opaque_art_is_resized_as_rgb_and_keeps_full_alpha() -> None:
    art = wrap()
    form = normal_form(art)
    assert form.is_opaque
    assert (form.width_px, form.height_px) == (700, 330)
    assert form.pixels.shape == (256, 256, 4)
    assert form.pixels.dtype == np.uint8
    assert np.array_equal(form.pixels[..., :3], one_call(art, "RGB"))
    assert (form.pixels[..., 3] == 255).all()


@pytest.mark.parametrize("art", [badge(), lines()], ids=["badge", "lines"])
def test_art_with_alpha_is_cropped_and_resized_premultiplied(art: np.ndarray) -> None:
    visible = cropped(art)
    form = normal_form(art)
    assert not form.is_opaque
    assert (form.height_px, form.width_px) == visible.shape[:2]
    assert np.array_equal(form.pixels, one_call(visible, "RGBa"))


def test_opaque_art_in_a_transparent_margin_is_opaque() -> None:
    assert same(normal_form(padded(wrap(), 9, 0, 4, 31)), normal_form(wrap()))


@pytest.mark.parametrize("art", [wrap(), padded(wrap(), 9, 0, 4, 31), badge()], ids=range(3))
def test_it_is_the_same_where_it_is_known_beforehand_whether_art_is_opaque(art: np.ndarray) -> None:
    is_opaque = bool((art[..., 3] == 255).all())
    assert same(normal_form(art, is_opaque=is_opaque), normal_form(art))


def test_one_pixel_short_of_opaque_is_not_opaque() -> None:
    art = wrap()
    art[100, 100, 3] = 254
    assert not normal_form(art).is_opaque


@settings(deadline=None, max_examples=20)
@given(*[st.integers(0, 60)] * 4)
def test_a_transparent_margin_changes_nothing(left: int, top: int, right: int, bottom: int) -> None:
    assert same(normal_form(padded(badge(), left, top, right, bottom)), normal_form(badge()))


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_colour_hidden_under_no_alpha_changes_nothing(seed: int) -> None:
    art = badge()
    hidden = art[..., 3] == 0
    colours = np.random.default_rng(seed).integers(0, 256, (int(hidden.sum()), 3))
    art[hidden, :3] = colours
    assert same(normal_form(art), normal_form(badge()))


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 39), st.integers(0, 399), st.integers(1, 16))
def test_a_faint_speck_outside_the_art_changes_nothing(x: int, y: int, alpha: int) -> None:
    art = padded(badge(), 40, 0, 0, 0)
    art[y, x] = (255, 0, 255, alpha)
    assert same(normal_form(art), normal_form(badge()))


def test_a_speck_that_can_be_seen_is_part_of_the_art() -> None:
    art = padded(badge(), 40, 0, 0, 0)
    art[5, 5] = (255, 0, 255, 17)
    assert normal_form(art).width_px > normal_form(badge()).width_px


def test_art_that_is_faint_all_over_is_cropped_to_all_of_it() -> None:
    art = np.zeros((50, 60, 4), np.uint8)
    art[10:20, 5:45] = (0, 0, 0, 16)
    form = normal_form(art)
    assert (form.width_px, form.height_px) == (40, 10)


def test_art_that_can_not_be_seen_is_refused() -> None:
    art = np.full((20, 20, 4), 255, np.uint8)
    art[..., 3] = 0
    with pytest.raises(FullyTransparent):
        normal_form(art)


def test_one_pixel_is_art() -> None:
    form = normal_form(np.full((1, 1, 4), 255, np.uint8))
    assert (form.width_px, form.height_px, form.is_opaque) == (1, 1, True)
    assert (form.pixels == 255).all()


@pytest.mark.parametrize("art", [badge(), lines(), wrap()], ids=["badge", "lines", "wrap"])
def test_a_packed_form_comes_back_as_it_was(art: np.ndarray) -> None:
    form = normal_form(art)
    assert same(unpack(pack(form)), form)


@settings(deadline=None, max_examples=20)
@given(
    st.integers(0, 2**32 - 1), st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1), st.booleans()
)
def test_any_form_comes_back_as_it_was(seed: int, width: int, height: int, opaque: bool) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (256, 256, 4), dtype=np.uint8)
    if opaque:
        pixels[..., 3] = 255
    form = NormalForm(pixels, width, height, opaque)
    assert same(unpack(pack(form)), form)


def test_packing_makes_flat_art_small() -> None:
    assert len(pack(normal_form(badge()))) < 60_000


PACKED = pack(normal_form(badge()))


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_changed_byte_is_noticed(data: st.DataObject) -> None:
    raw = bytearray(base64.b64decode(PACKED))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] ^= data.draw(st.integers(1, 255))
    try:
        changed = unpack(base64.b64encode(raw).decode())
    except RequestInvalid:
        return
    # A few bits of deflate's own framing mean nothing; the picture must be the same then.
    assert same(changed, normal_form(badge()))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, len(PACKED) - 1))
def test_a_form_cut_short_is_refused(length: int) -> None:
    with pytest.raises(RequestInvalid):
        unpack(PACKED[:length])


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=200))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(RequestInvalid):
        unpack(text)


def packed(head: bytes, body: bytes, tail: bytes = b"") -> str:
    return base64.b64encode(zlib.compress(head + body) + tail).decode()


HEAD = struct.pack(">BII?", 1, 10, 10, False)
BODY = bytes(256 * 256 * 4)


def test_the_hand_made_form_of_the_next_tests_would_be_taken() -> None:
    assert not unpack(packed(HEAD, BODY)).pixels.any()


@pytest.mark.parametrize(
    "text",
    [
        packed(HEAD, BODY[:-1]),
        packed(HEAD, BODY + b"\0"),
        packed(HEAD, BODY, tail=b"more"),
        packed(HEAD, BODY[: 256 * 256 * 3]),
        packed(struct.pack(">BII?", 1, 10, 10, True), BODY),
        packed(struct.pack(">BII?", 2, 10, 10, False), BODY),
        packed(struct.pack(">BII?", 1, 0, 10, False), BODY),
        packed(struct.pack(">BII?", 1, 10, 0, False), BODY),
        packed(struct.pack(">BII?", 1, 2**31, 10, False), BODY),
        packed(struct.pack(">BII?", 1, 10, 2**32 - 1, False), BODY),
        packed(b"", b""),
        packed(HEAD[:5], b""),
        base64.b64encode(zlib.compress(HEAD + BODY)[:-4]).decode(),
        base64.b64encode(HEAD + BODY).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe" * 200).decode(),
        "",
        "=",
        "ü" * 40,
        "\ud800",
    ],
    ids=lambda text: f"{len(text)} characters",
)
def test_what_pack_can_not_have_written_is_refused(text: str) -> None:
    with pytest.raises(RequestInvalid):
        unpack(text)


def test_a_bomb_is_refused_without_being_inflated() -> None:
    bomb = packed(HEAD, bytes(200_000_000))
    assert len(bomb) < 300_000
    import tracemalloc

    tracemalloc.start()
    with pytest.raises(RequestInvalid):
        unpack(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000


def test_a_text_longer_than_any_form_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(RequestInvalid, match="too long"):
        unpack("A" * 400_001)
