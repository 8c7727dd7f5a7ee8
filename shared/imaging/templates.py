"""The built-in templates, the check of every template, and the names of print files."""

from __future__ import annotations

import re

from shared.errors import TemplateInvalid
from shared.imaging.geometry import canvas, reach
from shared.records import Fit, Template

BUILT_IN: tuple[Template, ...] = (
    Template(name="UVDTF 16oz", width_in=9.5, height_in=4.33, fit=Fit.STRETCH),
    Template(
        name="UVDTF Decal",
        width_in=4,
        height_in=4,
        fit=Fit.LONGEST,
        canvas_width_in=4,
        canvas_height_in=4,
    ),
    Template(name="DTF Adult+", width_in=12, height_in=16, fit=Fit.LONGEST),
    Template(name="DTF Adult", width_in=10, height_in=14, fit=Fit.LONGEST),
    Template(name="DTF Youth", width_in=8, height_in=12, fit=Fit.LONGEST),
)

DIGITAL_PATTERN = "Digital_{number}"

_FIELD = re.compile(r"\{(prefix|number|template)\}")
_UNSAFE = re.compile(r'[\\/:*?"<>|{}\x00-\x1f\x7f-\x9f\ud800-\udfff]')
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9]) *(\.|$)", re.IGNORECASE)
_NAME_BYTES = 255
_DIGITS = 18
"""Most digits of a number: it must fit a 64-bit column."""


def check(template: Template, max_side_px: int) -> None:
    """Return when the template can be used, its sizes and its pattern; else raise TemplateInvalid.

    ``max_side_px``: longest side of a print file in pixels.
    """
    largest = reach(template)
    board = canvas(template)
    if board and (board.width < largest.width or board.height < largest.height):
        raise TemplateInvalid(reason=f"its canvas is {board}, but the art can get {largest}")
    if max(board or largest) > max_side_px:
        raise TemplateInvalid(
            reason=f"it prints {board or largest}; at most {max_side_px} px a side are allowed"
        )
    _check_pattern(template)


def _check_pattern(template: Template) -> None:
    if "{number}" not in template.pattern:
        raise TemplateInvalid(reason="its pattern has no {number}")
    if re.search(r"[{}]", _FIELD.sub("", template.pattern)):
        raise TemplateInvalid(reason="its pattern may name {prefix}, {number} and {template} only")
    name = print_name(template, 10**_DIGITS - 1, digital=False)
    if _UNSAFE.search(name) or _DEVICE.match(name) or name != name.strip(" .") or name[0] == ".":
        raise TemplateInvalid(reason="its pattern gives file names that a NAS can't hold")
    if len(name.encode()) > _NAME_BYTES:
        raise TemplateInvalid(reason=f"its file names are longer than {_NAME_BYTES} bytes")


def print_name(template: Template, number: int, *, digital: bool) -> str:
    """The file name of print file ``number``, such as ``UV_001.png`` or ``Digital_001.png``.

    The template must have passed `check`. Numbers are padded to three digits.
    """
    fields = {**_words(template), "number": f"{number:03d}"}
    return _FIELD.sub(lambda field: fields[field[1]], _pattern(template, digital)) + ".png"


def number_of(template: Template, filename: str, *, digital: bool) -> int | None:
    """The number of a print file by its name, or None for a name that `print_name` never gives."""
    words = _words(template)
    expression, numbered = "", False
    for at, piece in enumerate(_FIELD.split(_pattern(template, digital))):
        if at % 2 == 0 or piece != "number":
            expression += re.escape(piece if at % 2 == 0 else words[piece])
        else:
            expression += "(?P=number)" if numbered else f"(?P<number>[0-9]{{3,{_DIGITS}}})"
            numbered = True
    found = re.fullmatch(expression + r"\.png", filename)
    if found is None:
        return None
    number = int(found["number"])
    # A number padded further than print_name pads it is another file.
    return number if print_name(template, number, digital=digital) == filename else None


def _pattern(template: Template, digital: bool) -> str:
    return DIGITAL_PATTERN if digital else template.pattern


def _words(template: Template) -> dict[str, str]:
    """What the pattern's fields other than the number stand for."""
    return {
        "prefix": "UV" if "UV" in template.name.upper() else "DTF",
        "template": template.name.replace(" ", "_"),
    }
