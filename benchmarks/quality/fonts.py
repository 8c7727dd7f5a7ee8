"""The fonts that slogans are set in: npm packages of one font each, read by Pillow as they are."""

from __future__ import annotations

FONT_VERSION = "5.3.0"

TUNED = (
    "abril-fatface", "alfa-slab-one", "amatic-sc", "anton", "archivo-black", "bangers",
    "bebas-neue", "black-ops-one", "caveat", "chewy", "courier-prime", "creepster",
    "dancing-script", "great-vibes", "kaushan-script", "lobster", "luckiest-guy", "monoton",
    "oswald", "pacifico", "permanent-marker", "playfair-display", "press-start-2p", "roboto",
)  # fmt: skip
HELD_OUT = (
    "cinzel", "comfortaa", "fredoka", "merriweather", "montserrat", "poppins", "raleway",
    "righteous", "sacramento", "satisfy", "shrikhand", "special-elite", "titan-one", "vollkorn",
    "yellowtail",
)  # fmt: skip
FONTS = TUNED + HELD_OUT
