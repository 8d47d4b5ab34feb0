"""How words sound: text to phones, a word at a time, with the ways that a word can be said.

English from CMU's pronouncing dictionary where PocketSphinx's wheel brings it, and by
letter-to-sound rules where it does not or lacks a word. Another language is a `Pronouncer` of its
own in `pronouncer`; without one its letters are read as most alphabets sound them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from core.phones import Phones
from models.speech.letter_rules import sounded

_VARIANT = re.compile(r"\(\d+\)$")


def _by_letter(phones: str) -> dict[str, str]:
    return dict(zip("abcdefghijklmnopqrstuvwxyz", phones.split("|"), strict=True))


_LETTERS = _by_letter(
    "EY|B IY|S IY|D IY|IY|EH F|JH IY|EY CH|AY|JH EY|K EY|EH L|EH M|EH N|OW|P IY|K Y UW|AA R|"
    "EH S|T IY|Y UW|V IY|D AH B AH L Y UW|EH K S|W AY|Z IY"
)
_AS_SPELT = _by_letter("AA|B|K|D|EH|F|G|HH|IY|JH|K|L|M|N|OW|P|K|R|S|T|UW|V|V|K S|IY|Z")
_OTHER_LETTERS = {"æ": "ae", "ø": "o", "œ": "o", "ł": "w", "đ": "d", "þ": "t", "ð": "d"}


class Pronouncer(Protocol):
    """Knows how the words of a language sound."""

    def phones(self, word: str) -> tuple[Phones, ...]:
        """The ways a spoken word (lower case, as `core.spoken` gives it) is said, usual first.

        At least one; it is empty for a word without a letter that sounds.
        """
        ...


@dataclass(frozen=True)
class English:
    """American English. dictionary: ways to say each word in lower case; may be empty."""

    dictionary: Mapping[str, tuple[Phones, ...]]

    def phones(self, word: str) -> tuple[Phones, ...]:
        """See Pronouncer."""
        plain = _unaccented(word).lower().replace("’", "'").strip("'")
        known = self.dictionary.get(plain) or self.dictionary.get(plain.replace("'", ""))
        if known:
            return known
        if len(plain) == 1 and plain in _LETTERS:
            return (tuple(_LETTERS[plain].split()),)
        if not re.search("[aeiouy]", plain):
            return (tuple(" ".join(_LETTERS.get(letter, "") for letter in plain).split()),)
        return self._derived(plain) or (sounded(plain),)

    def _derived(self, word: str) -> tuple[Phones, ...]:
        """A word whose stem the dictionary knows: plurals, possessives, past and -ing forms."""
        for ending, stems in (("'s", ("",)), ("s", ("",)), ("es", ("",)), ("ed", ("", "e"))):
            for stem in stems:
                known = self.dictionary.get(word.removesuffix(ending) + stem)
                if word.endswith(ending) and known:
                    return tuple(_with_ending(phones, ending) for phones in known)
        known = self.dictionary.get(word.removesuffix("ing")) if word.endswith("ing") else None
        return tuple((*phones, "IH", "NG") for phones in known or ())


@dataclass(frozen=True)
class Spelled:
    """Any alphabet whose letters go back to a to z, read a sound a letter. A rough stand-in."""

    def phones(self, word: str) -> tuple[Phones, ...]:
        """See Pronouncer."""
        plain = _unaccented(word).lower()
        said = " ".join(_AS_SPELT.get(letter, "") for letter in plain).split()
        return (tuple(said),)


def pronouncer(language: str = "en") -> Pronouncer:
    """Who knows how the words of a language (a code such as `en`, or empty) sound."""
    if language.split("-", maxsplit=1)[0].lower() in ("en", ""):
        return English(english_dictionary())
    return Spelled()


@lru_cache(maxsize=1)
def english_dictionary() -> Mapping[str, tuple[Phones, ...]]:
    """CMU's dictionary from PocketSphinx's wheel (BSD); empty where that is not installed."""
    found = find_spec("pocketsphinx")
    if found is None or not found.submodule_search_locations:
        return {}
    model = Path(found.submodule_search_locations[0], "model", "en-us")
    path = model / "cmudict-en-us.dict"
    return read_dictionary(path.read_text("utf-8", "replace")) if path.is_file() else {}


def read_dictionary(text: str) -> dict[str, tuple[Phones, ...]]:
    """A dictionary in CMU's format: `word PH ON ES` a line, `word(2)` for another way."""
    found: dict[str, tuple[Phones, ...]] = {}
    for line in text.splitlines():
        word, *phones = line.split("#", 1)[0].split()[:40] or [""]
        if not phones or line.startswith(";;;"):
            continue
        plain = _VARIANT.sub("", word).lower()
        said = tuple(phone.rstrip("012").upper() for phone in phones)
        found[plain] = (*found.get(plain, ()), said)
    return found


def _with_ending(phones: Phones, ending: str) -> Phones:
    last = phones[-1] if phones else ""
    if ending == "ed":
        if last in ("T", "D"):
            return (*phones, "IH", "D")
        return (*phones, "T" if last in ("P", "K", "F", "S", "SH", "CH", "TH") else "D")
    if last in ("S", "Z", "SH", "ZH", "CH", "JH"):
        return (*phones, "IH", "Z")
    return (*phones, "S" if last in ("P", "T", "K", "F", "TH") else "Z")


def _unaccented(word: str) -> str:
    replaced = "".join(_OTHER_LETTERS.get(letter, letter) for letter in word.casefold())
    parted = unicodedata.normalize("NFKD", replaced)
    return "".join(letter for letter in parted if not unicodedata.combining(letter))
