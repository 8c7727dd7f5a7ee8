"""The pipeline: artwork in, print-ready PNG out, for every kind of template."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from imaging_art import Pixels, disc, logo, noise, plain, wrap
from PIL import Image, ImageCms

from shared.errors import FullyTransparent, TemplateInvalid
from shared.imaging.decode import Artwork
from shared.imaging.pipeline import Prepared, prepare
from shared.imaging.templates import BUILT_IN
from shared.records import Fit, Template
from shared.settings import Effort

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def artwork(pixels: Pixels, icc: bytes | None = None) -> Artwork:
    pixels.flags.writeable = False
    return Artwork(pixels, icc, bool((pixels[..., 3] == 255).all()))


def template(**changes: Any) -> Template:
    """Two inches by one at 100 DPI."""
    return Template(**{"name": "Small", "width_in": 2, "height_in": 1, "dpi": 100, **changes})


def prepared(art: Pixels, *, digital: bool = False, **changes: Any) -> Prepared:
    return prepare(artwork(art), template(**changes), digital=digital, max_side_px=20_000)


def picture(done: Prepared) -> Image.Image:
    return Image.open(io.BytesIO(done.png))


PRINTED = {
    # Of art of 960 x 470 px.
    "UVDTF 16oz": (3800, 1732),
    "UVDTF Decal": (1600, 1600),
    "DTF Adult+": (6400, 3133),
    "DTF Adult": (5600, 2742),
    "DTF Youth": (4800, 2350),
}


@pytest.mark.parametrize("built_in", BUILT_IN, ids=lambda built_in: built_in.name)
def test_a_built_in_template_gives_a_png_of_its_size_at_400_dpi(
    built_in: Template,
) -> None:
    size = PRINTED[built_in.name]
    art = plain(470, 960, 9, 8, 7, 255)
    art[100:200, 300:400] = 0
    done = prepare(artwork(art), built_in, max_side_px=20_000)
    assert (done.width_px, done.height_px, done.dpi) == (*size, 400)
    image = picture(done)
    image.load()
    assert (image.size, image.mode, image.format) == (size, "RGBA", "PNG")
    assert image.info["dpi"] == pytest.approx((400, 400), abs=0.01)


def test_art_is_trimmed_before_it_is_fitted() -> None:
    art = plain(90, 120, 0, 0, 0, 0)
    art[20:60, 30:110] = (10, 20, 30, 255)
    assert (np.asarray(picture(prepared(art))) == (10, 20, 30)).all()


def test_a_canvas_is_transparent_around_the_art() -> None:
    art = plain(50, 100, 10, 20, 30, 255)
    done = prepared(art, fit=Fit.LONGEST, canvas_width_in=2, canvas_height_in=2)
    pixels = np.asarray(picture(done))
    assert (done.width_px, done.height_px) == (200, 200)
    assert (pixels[50:150] == (10, 20, 30, 255)).all()
    assert not pixels[:50].any()
    assert not pixels[150:].any()


def test_inside_fits_both_sides() -> None:
    done = prepared(noise(300, 100), fit=Fit.INSIDE)
    assert (done.width_px, done.height_px) == (33, 100)


def test_landscape_art_is_turned_before_it_is_fitted_where_the_template_says_so() -> None:
    art = plain(40, 80, 0, 0, 255, 255)
    art[:, :40] = (255, 0, 0, 255)
    done = prepared(art, rotate=True, width_in=1, height_in=2)
    pixels = np.asarray(picture(done)).astype(int)
    assert (done.width_px, done.height_px) == (100, 200)
    # Clockwise: what was left is on top.
    assert (pixels[:90] == (255, 0, 0)).all()
    assert (pixels[110:] == (0, 0, 255)).all()
    assert (done.preflight.width_px, done.preflight.height_px) == (40, 80)
    assert done.preflight.distortion == 0


def test_digital_art_is_only_trimmed() -> None:
    art = wrap()
    done = prepared(art, digital=True, rotate=True, canvas_width_in=2, canvas_height_in=1, dpi=300)
    assert (np.asarray(picture(done)) == art[20:490, 15:975]).all()
    assert picture(done).info["dpi"] == pytest.approx((300, 300), abs=0.01)
    assert (done.preflight.scale, done.preflight.effective_dpi) == (1, 300)


def test_opaque_art_is_written_without_alpha() -> None:
    assert picture(prepared(plain(30, 40, 1, 2, 3, 255))).mode == "RGB"


def test_the_colour_profile_goes_with_the_print_file() -> None:
    done = prepare(artwork(noise(30, 40), icc=PROFILE), template(), max_side_px=20_000)
    assert picture(done).info["icc_profile"] == PROFILE


def test_a_red_disc_keeps_its_colour_to_the_edge_in_the_print_file() -> None:
    pixels = np.asarray(picture(prepared(disc(), height_in=2))).astype(int)
    visible = pixels[pixels[..., 3] > 0]
    assert np.abs(visible[:, :3] - (255, 0, 0)).max() <= 2


def test_preflight_is_of_the_trimmed_art_and_without_the_canvas() -> None:
    art = plain(90, 120, 0, 0, 0, 0)
    art[20:60, 30:110, 3] = 255
    art[20, 30:110, 3] = 128
    facts = prepared(art, canvas_width_in=3, canvas_height_in=3).preflight
    assert (facts.width_px, facts.height_px) == (80, 40)
    assert (facts.width_in, facts.height_in) == (2, 1)
    assert (facts.effective_dpi, facts.scale, facts.distortion) == (40, 2.5, 0)
    assert facts.soft_alpha == pytest.approx(80 / 3200)


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        ({}, {"crop", "resize", "encode"}),
        ({"canvas_width_in": 2, "canvas_height_in": 1}, {"crop", "resize", "pad", "encode"}),
        ({"digital": True}, {"crop", "encode"}),
    ],
)
def test_every_step_that_was_taken_has_its_time(changes: dict[str, Any], steps: set[str]) -> None:
    timings = prepared(noise(30, 40), **changes).timings_ms
    assert set(timings) == steps
    assert all(milliseconds > 0 for milliseconds in timings.values())


@pytest.mark.parametrize("digital", [False, True])
def test_fully_transparent_art_is_refused(digital: bool) -> None:
    with pytest.raises(FullyTransparent):
        prepared(plain(30, 40, 200, 100, 50, 0), digital=digital)


def test_a_template_that_can_not_be_used_is_refused_before_any_work() -> None:
    with pytest.raises(TemplateInvalid):
        prepare(artwork(noise(3, 3)), template(), max_side_px=199)


def test_the_same_artwork_gives_the_same_bytes_and_is_not_written_to() -> None:
    art = wrap()
    before = art.copy()
    assert prepared(art).png == prepared(art).png
    assert (art == before).all()


def test_a_single_visible_pixel_is_art() -> None:
    art = plain(30, 40, 0, 0, 0, 0)
    art[7, 9] = (9, 8, 7, 1)
    assert np.asarray(picture(prepared(art))).shape == (100, 200, 4)


def test_more_effort_makes_a_smaller_file() -> None:
    art = artwork(logo().copy())

    fast, small = (
        prepare(art, template(), digital=True, max_side_px=20_000, effort=effort)
        for effort in (Effort.FAST, Effort.SMALL)
    )

    assert len(small.png) < len(fast.png)
    assert np.array_equal(picture(small), picture(fast))
