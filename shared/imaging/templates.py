"""The built-in templates, the check of every template, and the names of print files."""

from __future__ import annotations

import re
import unicodedata

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

MAX_PIXELS = 100_000_000
"""Of a print file: 400 MB of RGBA, as much as the largest upload takes."""
MAX_CHARACTERS, MAX_BYTES = 64, 140
"""Of a file name: what `shared.nas.names` lets through."""
MAX_DIGITS = 9
"""Of a number: a folder does not hold a billion files."""

_FIELD = re.compile(r"\{(prefix|number|template)\}")
_FORBIDDEN = frozenset('/\\:*?"<>|~{}')
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³]) *\.", re.IGNORECASE)


def check(template: Template, max_side_px: int) -> None:
    """Return when the template can be used, its sizes and its pattern; else raise TemplateInvalid.

    ``max_side_px``: longest side of a print file in pixels.
    """
    art, board = reach(template), canvas(template)
    if board and (board.width < art.width or board.height < art.height):
        raise TemplateInvalid(reason=f"its canvas is {board}, but the art can get {art}")
    print_size = board or art
    if max(print_size) > max_side_px:
        raise TemplateInvalid(reason=f"it prints {print_size}; a side may have {max_side_px}")
    if print_size.width * print_size.height > MAX_PIXELS:
        raise TemplateInvalid(
            reason=f"it prints {print_size}; {MAX_PIXELS // 1_000_000} megapixels are allowed"
        )
    _check_pattern(template)


def _check_pattern(template: Template) -> None:
    if "{number}" not in template.pattern:
        raise TemplateInvalid(reason="its pattern has no {number}")
    if not {"{", "}"}.isdisjoint(_FIELD.sub("", template.pattern)):
        raise TemplateInvalid(reason="its pattern may name {prefix}, {number} and {template} only")
    longest = print_name(template, 10**MAX_DIGITS - 1, digital=False)
    if not _is_safe(longest):
        raise TemplateInvalid(reason="its pattern gives file names that a NAS may not hold")
    if len(longest) > MAX_CHARACTERS or len(longest.encode()) > MAX_BYTES:
        raise TemplateInvalid(
            reason=f"its file names have over {MAX_CHARACTERS} characters or {MAX_BYTES} bytes"
        )


def _is_safe(name: str) -> bool:
    """Whether every file system reads ``name`` as a plain name, and one way to write it is enough.

    Invisible, private and unassigned characters are out, as are decomposed ones.
    """
    visible = all(c == " " or unicodedata.category(c)[0] not in "CZ" for c in name)
    return (
        visible
        and _FORBIDDEN.isdisjoint(name)
        and unicodedata.is_normalized("NFC", name)
        and name[0] not in " ."
        and _DEVICE.match(name) is None
    )


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
            expression += "(?P=number)" if numbered else f"(?P<number>[0-9]{{3,{MAX_DIGITS}}})"
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
