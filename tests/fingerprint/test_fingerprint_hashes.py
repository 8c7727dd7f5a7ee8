"""The fingerprint: known answers, an independent reference, and what must not change it."""

from __future__ import annotations

import hashlib

import cv2
import imagehash
import numpy as np
import pytest
from fingerprint_art import badge, cropped, lines, one_call, padded, text, wrap
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError
from scipy.fft import dctn, idctn

from shared.errors import FullyTransparent
from shared.fingerprint.hashes import fingerprint, legacy_phash, telling
from shared.fingerprint.normal import normal_form, pack, unpack
from shared.records import Fingerprint

HASHES = ("phash", "ahash", "dhash", "whash")

NEAR = 15
"""Bits within which re-encoded and resized copies lie."""


def prints(art: np.ndarray) -> Fingerprint:
    return fingerprint(normal_form(art))


def apart(one: np.ndarray, other: np.ndarray) -> int:
    """Distance in bits of what near matches are searched by."""
    bits = prints(one).distances(prints(other)).index
    assert bits is not None
    return bits


# Known answers, written down after the references below agreed with them

KNOWN = {
    "wrap": {
        "phash": "8008003c07cc079e3882005a0442057f77fe1bfbffbf649f3f2f1e4fe1e509fd",
        "ahash": "00a65d76752db6d91366633671cbd0f0f00e7fff0fff1e1c8e7898cfd9b3c96d",
        "dhash": "aaacab4489696d936ec6d464e31b23c1497ad4819e06a07878e173999326b249",
        "whash": "00a04d5e752db4991366663171c3d0f0b8137fff07fc1c3e0e390ccd69b3db2c",
        "index_hash": "80080038078c071e3882025e04020f7f7ffe1bfbfbbff41f3f2f1e4de1e509fd",
        "content_sha256": "922a437012479ff68f04c52ab744374e74ae072b1486905beeb25f84091cd319",
    },
    "badge": {
        "phash": "d140ca292fbfa5d766ba3ecb6ff9b7593e0436006b54302f3d0292b478163a0f",
        "ahash": "0e003f807fc07fe0ffe0ffe0ffe07ff87ffc1ffe07fe01fe01fe01fe00fc0000",
        "dhash": "7c26f61dce8ca948eb45ee84b9c3bbc0d3c875943f2c4fcc674c9bb44bf0e9e1",
        "whash": "06001f807fc07fe07fe0ffe07fe07ff03ffc1ffe03fe01fe01fe00fc00780000",
        "index_hash": "d140ca292fbfa5d766ba3ecb6ff9b7593e0436006b54302f3d0292b478163a0f",
        "content_sha256": "080e09c41a43a3653fc352348f89eca477678fb8204238f0733ee206ed5106be",
    },
    "lines": {
        "phash": "c11ac4636ab97ff19693a467e92b2a55dbbc829d70117c4b7d4282fcc6b69089",
        "ahash": "26810244710434803ff963067ebc1ff841040c109884ac4490e04c12349b7cd8",
        "dhash": "c4a7148da67cc90e6b49c69cd1bd7ad1924430b231a54acc6dcc98f64932e991",
        "whash": "66c102c4771470803ff9f7c67efc1ffd40bc4c129885bc44b0e46e5234bb7cdc",
        "index_hash": "c11ac4636ab97ff19693a467e92b2a55dbbc829d70117c4b7d4282fcc6b69089",
        "content_sha256": "3526956ea9a98f1d842c11d02bb157f4bf4b063ac7d39937487567e1bbf2dd7a",
    },
}


@pytest.mark.parametrize("name", ["wrap", "badge", "lines"])
def test_a_drawn_picture_has_its_known_hashes(name: str) -> None:
    found = prints({"wrap": wrap, "badge": badge, "lines": lines}[name]())
    assert {key: getattr(found, key) for key in KNOWN[name]} == KNOWN[name]


# An independent reference


def four(picture: Image.Image) -> dict[str, str]:
    return {
        "phash": str(imagehash.phash(picture, hash_size=16)),
        "ahash": str(imagehash.average_hash(picture, hash_size=16)),
        "dhash": str(imagehash.dhash(picture, hash_size=16)),
        "whash": str(imagehash.whash(picture, hash_size=16)),
    }


def slow_bias(luma: np.ndarray, strength: int) -> Image.Image:
    signs = np.zeros((256, 256))
    seed = int("411a4c63e8397f6396938e77cbbb2a55592c229dd291f45dfd42aafcc6069089", 16)
    for place, bit in enumerate(f"{seed:0256b}"):
        signs[place // 16, place % 16] = 1 if bit == "1" else -1
    signs[0, 0] = 0
    wave = idctn(signs, norm="ortho")
    wave = np.round(strength * wave / wave.std())
    level = (luma.astype(int) * (255 - 4 * strength) + 127) // 255 + 2 * strength + wave
    return Image.fromarray(np.clip(level, 0, 255).astype(np.uint8))


def slow_alpha_luma(art: np.ndarray) -> np.ndarray:
    small = one_call(cropped(art), "RGBa").astype(int)
    mixed = np.minimum(255, (small[..., 3:] * 128 + 127) // 255 + small[..., :3] // 2)
    return (mixed @ np.array([19595, 38470, 7471]) + 32768) >> 16


def slow_phash(picture: Image.Image) -> int:
    small = np.asarray(picture.resize((64, 64), Image.Resampling.LANCZOS)).astype(float)
    low = dctn(small, type=2)[:16, :16]
    bits = (low > np.median(low)).ravel()
    return int("".join("01"[int(bit)] for bit in bits), 2)


@pytest.mark.parametrize(
    "art", [badge(), lines(), text("Hello"), text("Hello", "white")], ids=range(4)
)
def test_art_with_alpha_is_hashed_as_biased_alpha_luma(art: np.ndarray) -> None:
    reference = slow_bias(slow_alpha_luma(art), 6)
    found = prints(art)
    assert {name: getattr(found, name) for name in HASHES} == four(reference)
    assert int(found.phash, 16) == slow_phash(reference)
    assert found.index_hash == found.phash


def test_opaque_art_is_indexed_by_its_picture_biased_by_two() -> None:
    grey = Image.fromarray(one_call(wrap(), "RGB")).convert("L")
    reference = slow_bias(np.asarray(grey), 2)
    found = prints(wrap())
    assert found.index_hash == str(imagehash.phash(reference, hash_size=16))
    assert int(found.index_hash, 16) == slow_phash(reference)


@pytest.mark.parametrize("size", [(330, 700), (1500, 900), (64, 64), (256, 256), (2000, 700)])
def test_opaque_art_has_the_hashes_that_the_workflows_own_lines_compute(
    size: tuple[int, int],
) -> None:
    art = wrap(*size)
    png = cv2.imencode(".png", cv2.cvtColor(art, cv2.COLOR_RGBA2BGR))[1]
    image = cv2.imdecode(np.frombuffer(png.tobytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    picture = Image.fromarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    picture = picture.resize((256, 256), Image.Resampling.LANCZOS)
    found = prints(art)
    assert {name: getattr(found, name) for name in HASHES} == four(picture)
    assert legacy_phash(art) == found.phash


def test_the_content_hash_is_the_sha256_of_size_kind_and_pixels() -> None:
    art = badge()
    height, width = cropped(art).shape[:2]
    pixels = one_call(cropped(art), "RGBa").tobytes()
    expected = hashlib.sha256(f"{width}x{height}:alpha:".encode() + pixels).hexdigest()
    assert prints(art).content_sha256 == expected


def test_the_fingerprint_is_whole_and_says_what_it_was_taken_from() -> None:
    found = prints(padded(badge(), 3, 3, 3, 3))
    assert found.version == 2
    assert None not in found.model_dump().values()
    height, width = cropped(badge()).shape[:2]
    assert (found.width_px, found.height_px, found.is_opaque) == (width, height, False)


# What must not change it


@settings(deadline=None, max_examples=10)
@given(
    st.tuples(*[st.integers(0, 40)] * 4),
    st.integers(0, 16),
    st.integers(0, 2**32 - 1),
)
def test_margin_speck_hidden_colour_and_a_png_leave_the_fingerprint_as_it_is(
    margin: tuple[int, int, int, int], speck: int, seed: int
) -> None:
    art = padded(badge(), 1 + margin[0], *margin[1:])
    hidden = art[..., 3] == 0
    colours = np.random.default_rng(seed).integers(0, 256, (int(hidden.sum()), 3))
    art[hidden, :3] = colours
    art[0, 0, 3] = speck
    png = cv2.imencode(".png", cv2.cvtColor(art, cv2.COLOR_RGBA2BGRA))[1]
    again = cv2.cvtColor(cv2.imdecode(png, cv2.IMREAD_UNCHANGED), cv2.COLOR_BGRA2RGBA)
    assert prints(again) == prints(badge())


@pytest.mark.parametrize("art", [wrap(), badge()], ids=["wrap", "badge"])
def test_a_normal_form_sent_as_text_gives_the_same_fingerprint(art: np.ndarray) -> None:
    form = normal_form(art)
    assert fingerprint(unpack(pack(form))) == fingerprint(form)


def resized(art: np.ndarray, share: float) -> np.ndarray:
    height, width = (round(side * share) for side in art.shape[:2])
    return np.asarray(Image.fromarray(art).resize((width, height), Image.Resampling.BICUBIC))


def as_jpeg(art: np.ndarray, quality: int) -> np.ndarray:
    bgr = cv2.cvtColor(art, cv2.COLOR_RGBA2BGR)
    data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGBA)


def square() -> np.ndarray:
    """A black square on white: most of its DCT coefficients are zero."""
    art = np.full((800, 800, 4), 255, np.uint8)
    art[200:601, 200:601, :3] = 0
    return art


@pytest.mark.parametrize("art", [wrap(900, 1400), square()], ids=["wrap", "square"])
@pytest.mark.parametrize("quality", [95, 75, 50])
def test_a_jpeg_of_opaque_art_is_near_by_the_index_hash(art: np.ndarray, quality: int) -> None:
    assert apart(art, as_jpeg(art, quality)) <= NEAR


@pytest.mark.parametrize(
    "art", [wrap(900, 1400), square(), badge(1260, 1080)], ids=["wrap", "square", "badge"]
)
@pytest.mark.parametrize("share", [0.5, 0.7, 2.0])
def test_a_resized_copy_is_near(art: np.ndarray, share: float) -> None:
    assert apart(art, resized(art, share)) <= NEAR


def test_a_plain_phash_would_lose_the_square_that_the_index_hash_finds() -> None:
    distances = prints(square()).distances(prints(as_jpeg(square(), 50)))
    assert distances.phash > NEAR
    assert distances.index is not None
    assert distances.index <= 5


# What must change it

BLACK_ART = [lines(3), lines(5), text("Hello world"), text("Best mum ever"), text("Team bride")]


@pytest.mark.parametrize("one", range(5))
@pytest.mark.parametrize("other", range(5))
def test_black_art_on_nothing_is_far_from_other_black_art(one: int, other: int) -> None:
    if one != other:
        assert apart(BLACK_ART[one], BLACK_ART[other]) > 31
        assert prints(BLACK_ART[one]).whash != prints(BLACK_ART[other]).whash


def test_black_art_is_all_the_same_to_the_workflows_own_lines() -> None:
    found = {
        str(imagehash.phash(Image.fromarray(art).convert("RGB"), hash_size=16)) for art in BLACK_ART
    }
    assert len(found) == 1


@pytest.mark.parametrize("art", [wrap(), badge(), text("Hello")], ids=["wrap", "badge", "text"])
@pytest.mark.parametrize("axis", [0, 1], ids=["upside down", "mirrored"])
def test_a_turned_over_copy_is_far(art: np.ndarray, axis: int) -> None:
    assert apart(art, np.flip(art, axis)) > 31


def test_white_and_black_lettering_are_not_the_same_picture() -> None:
    one, other = prints(text("Hello", "white")), prints(text("Hello", "black"))
    assert one.content_sha256 != other.content_sha256
    assert one.signature != other.signature


def test_distances_are_symmetric_and_zero_only_to_itself() -> None:
    one, other = prints(text("Hello world")), prints(text("Team bride"))
    assert one.distances(other) == other.distances(one)
    assert set(one.distances(one).model_dump().values()) == {0}
    assert 0 not in one.distances(other).model_dump().values()


def test_opaque_art_is_not_comparable_with_art_with_alpha() -> None:
    with pytest.raises(ValueError, match="unlike kinds"):
        prints(wrap()).distances(prints(badge()))


@pytest.mark.parametrize("lacking", sorted(set(Fingerprint.model_fields) - {"version"}))
def test_version_2_needs_every_field_but_the_size_of_the_crop(lacking: str) -> None:
    whole = prints(badge()).model_dump()
    if lacking in ("width_px", "height_px"):
        assert Fingerprint.model_validate(whole | {lacking: None}).version == 2
        return
    with pytest.raises(
        ValidationError, match="valid string" if lacking == "phash" else "needs every"
    ):
        Fingerprint.model_validate(whole | {lacking: None})


# Version 1


def test_the_version_1_phash_drops_the_alpha_of_the_cropped_upload() -> None:
    art = padded(badge(), 5, 9, 0, 30)
    # The workflow crops at any alpha at all, hidden colours and faint specks included.
    art[2, 1] = (9, 200, 9, 3)
    visible = cropped(art, above=0)
    picture = Image.fromarray(cv2.cvtColor(np.ascontiguousarray(visible), cv2.COLOR_RGBA2RGB))
    picture = picture.resize((256, 256), Image.Resampling.LANCZOS)
    assert visible.shape != cropped(art).shape
    assert legacy_phash(art) == str(imagehash.phash(picture, hash_size=16))


@pytest.mark.parametrize("art", BLACK_ART, ids=range(5))
def test_black_art_has_no_version_1_phash_that_tells_anything(art: np.ndarray) -> None:
    assert legacy_phash(art) is None


@pytest.mark.parametrize("level", range(0, 256, 15))
def test_a_flat_colour_has_no_version_1_phash_that_tells_anything(level: int) -> None:
    assert legacy_phash(np.full((90, 160, 4), (level, level, level, 255), np.uint8)) is None


def test_art_that_can_not_be_seen_has_no_version_1_phash() -> None:
    with pytest.raises(FullyTransparent):
        legacy_phash(np.zeros((9, 9, 4), np.uint8))


@pytest.mark.parametrize(
    ("bits", "tells"), [(0, False), (1, False), (16, False), (17, True), (128, True)]
)
def test_a_phash_tells_something_from_17_bits_on(bits: int, tells: bool) -> None:
    assert telling(f"{(1 << bits) - 1:064x}") is tells
