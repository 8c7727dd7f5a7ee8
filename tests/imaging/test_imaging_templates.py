"""Templates: which can be used, and how their print files are named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from shared.errors import TemplateInvalid
from shared.imaging.templates import BUILT_IN, check, number_of, print_name
from shared.nas.names import print_file
from shared.records import Fit, Template

LIMIT = 20_000
IN_USE = "{prefix} {number} {template}_{number}"


def template(name: str = "UVDTF 16oz", **changes: Any) -> Template:
    return Template(**{"name": name, "width_in": 9.5, "height_in": 4.33, **changes})


@pytest.mark.parametrize("built_in", BUILT_IN, ids=lambda built_in: built_in.name)
def test_every_built_in_template_can_be_used(built_in: Template) -> None:
    check(built_in, LIMIT)


def test_the_built_in_templates_are_the_shops_five() -> None:
    assert [(t.name, t.width_in, t.height_in, t.fit.value, t.dpi) for t in BUILT_IN] == [
        ("UVDTF 16oz", 9.5, 4.33, "stretch", 400),
        ("UVDTF Decal", 4, 4, "longest", 400),
        ("DTF Adult+", 12, 16, "longest", 400),
        ("DTF Adult", 10, 14, "longest", 400),
        ("DTF Youth", 8, 12, "longest", 400),
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"canvas_width_in": 9.4, "canvas_height_in": 5}, "canvas"),
        ({"canvas_width_in": 10, "canvas_height_in": 4.3}, "canvas"),
        # The longest side of portrait art is its height.
        ({"fit": Fit.LONGEST, "canvas_width_in": 9.5, "canvas_height_in": 4.33}, "canvas"),
        ({"width_in": 50.01}, "a side may have 20000"),
        ({"canvas_width_in": 50.01, "canvas_height_in": 5}, "a side may have 20000"),
        ({"width_in": 50, "height_in": 50}, "100 megapixels"),
        ({"pattern": "{prefix}"}, "no {number}"),
        ({"pattern": "{number}_{shop}"}, "{prefix}, {number} and {template} only"),
        ({"pattern": "{number:>999999999}"}, "no {number}"),
        ({"pattern": "{number}{number.__class__}"}, "only"),
        ({"pattern": "{number}{}"}, "only"),
        ({"pattern": "{number}}"}, "only"),
        ({"pattern": "../{number}"}, "a NAS may not hold"),
        ({"pattern": "a\\{number}"}, "a NAS may not hold"),
        ({"pattern": "{number}\n"}, "a NAS may not hold"),
        ({"pattern": "{number}\x00"}, "a NAS may not hold"),
        ({"pattern": "e\u0301{number}"}, "a NAS may not hold"),
        ({"pattern": ".{number}"}, "a NAS may not hold"),
        ({"pattern": " {number}"}, "a NAS may not hold"),
        ({"pattern": "con.{number}"}, "a NAS may not hold"),
        ({"pattern": "COM1 .{number}"}, "a NAS may not hold"),
        ({"pattern": "{number}{template}", "name": "a/b"}, "a NAS may not hold"),
        ({"pattern": "{number}" + "x" * 60}, "characters"),
        ({"pattern": "{number}" + "\u4e16" * 48}, "bytes"),
    ],
)
def test_a_template_that_can_not_work_is_refused_with_its_reason(
    changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(TemplateInvalid) as refused:
        check(template(**changes), LIMIT)
    assert reason in refused.value.message


def test_a_template_at_its_limits_is_accepted() -> None:
    check(template(width_in=50, height_in=12.5), LIMIT)
    check(template(canvas_width_in=9.5, canvas_height_in=4.33), LIMIT)


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        ("UVDTF 16oz", 1, "UV_001.png"),
        ("my uv cups", 12, "UV_012.png"),
        ("DTF Adult+", 999, "DTF_999.png"),
        ("Sublimation", 1000, "DTF_1000.png"),
    ],
)
def test_a_print_file_is_named_by_kind_and_number(name: str, number: int, expected: str) -> None:
    assert print_name(template(name), number, digital=False) == expected


def test_a_shops_own_pattern_names_its_print_files() -> None:
    own = template(pattern=IN_USE)
    check(own, LIMIT)
    assert print_name(own, 906, digital=False) == "UV 906 UVDTF_16oz_906.png"


def test_digital_files_are_named_alike_for_every_pattern() -> None:
    assert print_name(template(pattern=IN_USE), 1, digital=True) == "Digital_001.png"
    assert number_of(template(pattern=IN_USE), "Digital_001.png", digital=True) == 1


@pytest.mark.parametrize(
    "filename",
    [
        "UV 906 UVDTF_16oz_907.png",
        "UV 0906 UVDTF_16oz_0906.png",
        "UV 06 UVDTF_16oz_06.png",
        "UV 906 UVDTF_16oz_906.PNG",
        "UV 906 UVDTF_16oz_906.png.part",
        "UV 906 UVDTF_16oz_906.png\n",
        "UV ٩٠٦ UVDTF_16oz_٩٠٦.png",
        "DTF 906 UVDTF_16oz_906.png",
        "Digital_906.png",
        "",
        "UV " + "9" * 10_000 + " UVDTF_16oz_" + "9" * 10_000 + ".png",
    ],
)
def test_a_name_that_the_pattern_never_gives_has_no_number(filename: str) -> None:
    assert number_of(template(pattern=IN_USE), filename, digital=False) is None


literals = st.text("aZ90 ._-+é世", max_size=4) | st.text("~:{é\u0301\u200b", max_size=1)
pieces = st.lists(st.sampled_from(["{number}", "{prefix}", "{template}"]) | literals, max_size=3)
patterns = st.builds("{}{{number}}{}".format, pieces.map("".join), pieces.map("".join))
names = st.sampled_from(["UVDTF 16oz", "DTF Adult+", "0", "con.", "1 é"]) | st.text(
    min_size=1, max_size=3
)


@settings(deadline=None)
@given(patterns, names, st.integers(0, 10**9 - 1), st.booleans())
@example("{number}{number}", "UV", 1000, False)
@example("{number}0{number}", "DTF", 10_010, False)
def test_what_passes_the_check_is_named_and_read_back_and_held_by_the_nas(
    pattern: str, name: str, number: int, digital: bool
) -> None:
    own = template(name, pattern=pattern)
    try:
        check(own, LIMIT)
    except TemplateInvalid:
        assume(False)
    filename = print_name(own, number, digital=digital)
    assert print_file(filename) == filename
    assert number_of(own, filename, digital=digital) == number
