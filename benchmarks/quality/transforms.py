"""What happens to a design between two uploads. Each takes and gives (h, w, 4) uint8 RGBA."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import partial

from benchmarks.quality import overlay, recode, reshape, tone
from benchmarks.quality.drawing import Pixels


class For(Enum):
    """What art a transform is for."""

    ANY = "any"
    ALPHA = "with alpha"
    OPAQUE = "opaque"


@dataclass(frozen=True)
class Transform:
    change: Callable[[Pixels], Pixels]
    art: For = For.ANY
    turns: bool = False
    """Mirrors or turns the picture: found only where the setting for that is on."""


TRANSFORMS: dict[str, Transform] = {
    "re-upload": Transform(lambda pixels: pixels),
    "re-encode PNG": Transform(recode.png),
    "hidden RGB white": Transform(overlay.hidden_white, For.ALPHA),
    "hidden RGB random": Transform(overlay.hidden_random, For.ALPHA),
    "margin": Transform(overlay.margin),
    "speck": Transform(overlay.speck),
    "0.25x area": Transform(partial(reshape.scaled, by=0.25, way="area")),
    "0.25x cubic": Transform(partial(reshape.scaled, by=0.25, way="cubic")),
    "0.5x area": Transform(partial(reshape.scaled, by=0.5, way="area")),
    "0.5x cubic": Transform(partial(reshape.scaled, by=0.5, way="cubic")),
    "0.5x Lanczos": Transform(partial(reshape.scaled, by=0.5, way="lanczos")),
    "2x cubic": Transform(partial(reshape.scaled, by=2.0, way="cubic")),
    "WebP 80": Transform(partial(recode.webp, quality=80)),
    "WebP 50": Transform(partial(recode.webp, quality=50)),
    "PNG-8 256 colours": Transform(partial(recode.palette, colours=256)),
    "PNG-8 64 colours": Transform(partial(recode.palette, colours=64)),
    "JPEG 95": Transform(partial(recode.jpeg, quality=95)),
    "JPEG 75": Transform(partial(recode.jpeg, quality=75)),
    "JPEG 50": Transform(partial(recode.jpeg, quality=50)),
    "on white": Transform(partial(recode.flattened, level=255), For.ALPHA),
    "on black": Transform(partial(recode.flattened, level=0), For.ALPHA),
    "crop 1 px": Transform(partial(reshape.cropped, px=1)),
    "crop 2 px": Transform(partial(reshape.cropped, px=2)),
    "crop 4 px": Transform(partial(reshape.cropped, px=4)),
    "crop 1 %": Transform(partial(reshape.cropped, share=0.01)),
    "crop 3 %": Transform(partial(reshape.cropped, share=0.03)),
    "crop 5 %": Transform(partial(reshape.cropped, share=0.05)),
    "crop 5 % of one side": Transform(partial(reshape.cropped_on_one_side, share=0.05)),
    "brightness +5 %": Transform(partial(tone.brightness, by=1.05)),
    "brightness -5 %": Transform(partial(tone.brightness, by=0.95)),
    "brightness +10 %": Transform(partial(tone.brightness, by=1.1)),
    "brightness -10 %": Transform(partial(tone.brightness, by=0.9)),
    "brightness +20 %": Transform(partial(tone.brightness, by=1.2)),
    "brightness -20 %": Transform(partial(tone.brightness, by=0.8)),
    "contrast +10 %": Transform(partial(tone.contrast, by=1.1)),
    "contrast -10 %": Transform(partial(tone.contrast, by=0.9)),
    "contrast +20 %": Transform(partial(tone.contrast, by=1.2)),
    "contrast -20 %": Transform(partial(tone.contrast, by=0.8)),
    "saturation +20 %": Transform(partial(tone.saturation, by=1.2)),
    "saturation -20 %": Transform(partial(tone.saturation, by=0.8)),
    "gamma 1.1": Transform(partial(tone.gamma, by=1.1)),
    "gamma 0.8": Transform(partial(tone.gamma, by=0.8)),
    "tint 3 %": Transform(partial(tone.tint, by=0.03)),
    "noise 3": Transform(partial(tone.noise, levels=3)),
    "noise 8": Transform(partial(tone.noise, levels=8)),
    "rotated 0.5 degrees": Transform(partial(reshape.rotated, degrees=0.5)),
    "rotated 1 degree": Transform(partial(reshape.rotated, degrees=1)),
    "rotated 2 degrees": Transform(partial(reshape.rotated, degrees=2)),
    "watermark 8 %": Transform(partial(overlay.watermark, share=0.08)),
    "watermark 15 %": Transform(partial(overlay.watermark, share=0.15)),
    "watermark 25 %": Transform(partial(overlay.watermark, share=0.25)),
    "stretched 1.2": Transform(partial(reshape.stretched, by=1.2)),
    "print file, shape kept": Transform(reshape.print_file),
    "print file, UVDTF 16oz": Transform(reshape.print_wrap),
    "print file on canvas": Transform(reshape.print_canvas),
    "mirrored": Transform(reshape.mirrored, turns=True),
    "upside down": Transform(reshape.flipped, turns=True),
    "rotated 90": Transform(partial(reshape.quarters, turns=1), turns=True),
    "rotated 180": Transform(partial(reshape.quarters, turns=2), turns=True),
    "rotated 270": Transform(partial(reshape.quarters, turns=3), turns=True),
}


def apply(name: str, pixels: Pixels) -> Pixels:
    return TRANSFORMS[name].change(pixels)


def suits(name: str, *, is_opaque: bool) -> bool:
    """Whether a transform changes art of this kind at all."""
    art = TRANSFORMS[name].art
    return art is For.ANY or (art is For.OPAQUE) == is_opaque
