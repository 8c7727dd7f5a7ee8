"""What slogans say: lines with one word open, and the words that may stand there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Saying:
    """``lines`` with a ``{}`` for one of ``words``; words of like length make the hardest pairs."""

    lines: tuple[str, ...]
    words: tuple[str, ...]


_NAMES = (
    "Emma", "Anna", "Mia", "Liam", "Noah", "Lucy", "Jack", "Ruby", "Ella", "Owen", "Leah", "Joan",
    "Cora", "Nora", "Ivan", "Otto", "Ada", "Finn", "Rosa", "Theo", "Jude", "Maya", "Zoe", "Max",
)  # fmt: skip
_YEARS = tuple(str(year) for year in range(1958, 2027))
_JOBS = ("Nurse", "Coach", "Baker", "Pilot", "Teacher", "Farmer", "Welder", "Barber", "Artist")
_KIN = ("Mama", "Nana", "Papa", "Auntie", "Uncle", "Sister", "Brother", "Grandma", "Grandpa")
_SPORTS = ("Soccer", "Tennis", "Hockey", "Rugby", "Karate", "Golf", "Track", "Swim", "Cheer")
_PLACES = ("Texas", "Maine", "Ohio", "Utah", "Idaho", "Iowa", "Kansas", "Oregon", "Nevada")
_DRINKS = ("coffee", "tea", "wine", "cocoa", "matcha", "cider", "rum", "milk")
_PETS = ("dog", "cat", "hen", "goat", "pony", "bird", "pug", "cow")

TUNED = (
    Saying(("{}", "of the", "birthday girl"), _KIN),
    Saying(("Best", "{}", "ever"), _KIN + _JOBS),
    Saying(("Team", "{}"), _NAMES + _KIN),
    Saying(("Class of", "{}"), _YEARS),
    Saying(("Est.", "{}"), _YEARS),
    Saying(("{}", "is my", "favourite season"), _SPORTS),
    Saying(("Powered by", "{}"), _DRINKS),
    Saying(("But first,", "{}"), _DRINKS),
    Saying(("Made in", "{}"), _PLACES),
    Saying(("{} girl", "at heart"), _PLACES),
    Saying(("Life is better", "with a {}"), _PETS),
    Saying(("{} mom", "all day", "every day"), (*_SPORTS, "Dog", "Cat", "Boy", "Girl")),
    Saying(("Proud", "{}", "since 1999"), _JOBS + _KIN),
    Saying(("World's okayest", "{}"), _JOBS + _KIN),
    Saying(("{}'s", "first", "Christmas"), _NAMES),
    Saying(("{}",), _NAMES),
    Saying(("{}", "&", "Co."), _NAMES),
    Saying(("Keep calm", "and call", "the {}"), _JOBS),
    Saying(("No. {}", "in my heart"), tuple(map(str, range(1, 60)))),
    Saying(("Happy {}", "to you"), ("Easter", "Birthday", "New Year", "Holidays", "Halloween")),
)
HELD_OUT = (
    Saying(("Sunday", "{}", "club"), ("brunch", "hiking", "reading", "sewing", "garden", "vinyl")),
    Saying(("Crew", "{}"), tuple(f"{letter}{n}" for letter in "ABCDEH" for n in range(1, 10))),
    Saying(("Ask me about", "my {}"), ("plants", "garden", "guitar", "camper", "novel", "bread")),
    Saying(("Blessed {}", "messy house"), ("heart", "hands", "soul", "crew", "table", "porch")),
    Saying(("Runs on", "{} and", "chaos"), ("sugar", "tacos", "pizza", "salsa", "honey", "jazz")),
    Saying(("{}", "Bay"), ("Green", "Gull", "Pine", "Coral", "Otter", "Cedar", "Heron", "Amber")),
    Saying(("Bride", "to be", "{}"), tuple(str(year) for year in range(2020, 2045))),
    Saying(("{} and", "the good", "company"), ("Iris", "Hugo", "Vera", "Dean", "Faye", "Neil")),
    Saying(("Lake {}", "fishing team"), ("Erie", "Como", "Tahoe", "Powell", "Huron", "Mead")),
    Saying(("Mr. & Mrs.", "{}"), ("Stone", "Baker", "Moore", "Hill", "Ross", "Ward", "Lane")),
)
