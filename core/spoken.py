"""Text as it is spoken: numbers, contractions and abbreviations as the words a voice makes.

Script and transcript write the same speech in two ways (`Mr. Dashwood's 27`, `mister dashwood
has twenty seven`). Both go through `spoken`, and what comes out can be compared. English; words of
another language pass as they are, in lower case.
"""

from __future__ import annotations

import re
import unicodedata


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ONES = _words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
)
_TENS = _words("zero ten twenty thirty forty fifty sixty seventy eighty ninety")
_SCALES = ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_LARGEST = 10**12
_MONEY = {"$": "dollar", "£": "pound", "€": "euro"}
_SIGNS = {"%": "percent", "&": "and", "+": "plus", "=": "equals", "@": "at", "°": "degrees"}

ABBREVIATIONS: dict[str, str] = {
    "mr": "mister",
    "mrs": "missus",
    "ms": "miz",
    "messrs": "messieurs",
    "dr": "doctor",
    "prof": "professor",
    "sgt": "sergeant",
    "lt": "lieutenant",
    "capt": "captain",
    "col": "colonel",
    "gen": "general",
    "cpl": "corporal",
    "rev": "reverend",
    "hon": "honorable",
    "sr": "senior",
    "jr": "junior",
    "st": "saint",
    "mt": "mount",
    "vs": "versus",
    "etc": "et cetera",
    "ok": "okay",
    "no": "no",
}

_FIXED: dict[str, str] = {
    "won't": "will not",
    "can't": "can not",
    "cannot": "can not",
    "shan't": "shall not",
    "ain't": "is not",
    "y'all": "you all",
    "let's": "let us",
    "o'clock": "o clock",
    "ma'am": "madam",
    "'em": "them",
    "'cause": "because",
    "cuz": "because",
    "'til": "until",
    "till": "until",
    "'tis": "it is",
    "'twas": "it was",
    "gonna": "going to",
    "wanna": "want to",
    "gotta": "got to",
    "hafta": "have to",
    "kinda": "kind of",
    "sorta": "sort of",
    "outta": "out of",
    "lotta": "lot of",
    "dunno": "do not know",
    "gimme": "give me",
    "lemme": "let me",
    "c'mon": "come on",
    "ya": "you",
    "alright": "all right",
    "o.k.": "okay",
}
# `She's` is `she is` or `she has`; both sides get the same, so which one does not matter.
_WITH_IS = frozenset(
    _words(
        "it he she that what who where there here how when why this everything nothing something "
        "everybody nobody somebody everyone someone"
    )
)
_ENDINGS = {"n't": "not", "'re": "are", "'ve": "have", "'ll": "will", "'m": "am", "'d": "would"}

_TOKEN = re.compile(
    r"[$£€]?\d[\d,]*(?:\.\d+)?(?::\d\d)?(?:st|nd|rd|th|s)?\b%?"
    r"|(?:\w\.){2,}|'?\w+(?:'\w+)*'?|[%&+=@°]",
    re.IGNORECASE,
)


def spoken_words(text: str) -> tuple[str, ...]:
    """The words that a voice makes of a text, in lower case, without punctuation."""
    return tuple(word for token in _tokens(text) for word in spoken(token))


def spoken(token: str) -> tuple[str, ...]:
    """The words that a voice makes of one written word; none for mere punctuation."""
    found = _tokens(token)
    if len(found) != 1:
        return tuple(word for part in found for word in spoken(part))
    word = found[0]
    if word[0].isdigit() or word[0] in _MONEY:
        return _number(word)
    if word in _SIGNS:
        return (_SIGNS[word],)
    if word in _FIXED:
        return tuple(_FIXED[word].split())
    bare = word.strip("'")
    if bare in _FIXED:
        return tuple(_FIXED[bare].split())
    if "." in bare:
        return tuple(bare.replace(".", "").replace("'", ""))
    if bare in ABBREVIATIONS:
        return tuple(ABBREVIATIONS[bare].split())
    return _expanded(bare)


def _tokens(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = re.sub(r"[’‘`´]", "'", plain).replace("_", " ")
    # Hyphens and dashes part words; `well-known` is written in one or in two.
    return _TOKEN.findall(re.sub(r"[-‐-―]", " ", plain))


def _expanded(word: str) -> tuple[str, ...]:
    for ending, said in _ENDINGS.items():
        stem = word.removesuffix(ending)
        if stem != word and stem:
            return stem.replace("'", ""), said
    stem = word.removesuffix("'s")
    if stem != word and stem in _WITH_IS:
        return stem, "is"
    plain = word.replace("'", "")
    return (plain,) if plain else ()


def _number(token: str) -> tuple[str, ...]:
    money = _MONEY.get(token[0], "")
    percent = token.endswith("%")
    body = token.lstrip("$£€").rstrip("%").replace(",", "")
    clock = re.fullmatch(r"(\d+):(\d\d)", body)
    if clock is not None:
        minutes = _clock_minutes(int(clock[2]))
        return (*cardinal(int(clock[1])), *minutes)
    match = re.fullmatch(r"(\d+)(?:\.(\d+))?(st|nd|rd|th|s)?", body)
    if match is None:
        return tuple(word for digit in re.findall(r"\d+", body) for word in cardinal(int(digit)))
    whole, fraction, ending = match.groups()
    words = _whole(whole, plural=ending == "s", year=not money and fraction is None)
    if ending in ("st", "nd", "rd", "th"):
        words = (*words[:-1], _ordinal(words[-1]))
    if fraction is not None and not (money and len(fraction) == 2):
        words = (*words, "point", *(_ONES[int(digit)] for digit in fraction))
    if money:
        words = (*words, money if int(whole) == 1 and fraction is None else money + "s")
        if fraction is not None and len(fraction) == 2 and int(fraction):
            words = (*words, *cardinal(int(fraction)))
    return (*words, "percent") if percent else words


def _whole(digits: str, plural: bool, year: bool) -> tuple[str, ...]:
    number = int(digits) if len(digits) <= 12 else _LARGEST
    if number >= _LARGEST or (digits[0] == "0" and len(digits) > 1):
        return tuple(_ONES[int(digit)] for digit in digits[:40])
    words = _year(number) if year and len(digits) == 4 else cardinal(number)
    return (*words[:-1], _plural(words[-1])) if plural else words


def _clock_minutes(minutes: int) -> tuple[str, ...]:
    if minutes == 0:
        return ("o", "clock")
    return (*(("o",) if minutes < 10 else ()), *cardinal(minutes))


def _year(number: int) -> tuple[str, ...]:
    century, rest = divmod(number, 100)
    if not 11 <= century <= 20 or (century == 20 and rest < 10):
        return cardinal(number)
    if rest == 0:
        return (*cardinal(century), "hundred")
    return (*cardinal(century), *(("o",) if rest < 10 else ()), *cardinal(rest))


def cardinal(number: int) -> tuple[str, ...]:
    """A whole number from 0 to a thousand billions in words, without `and`."""
    if number < 20:
        return (_ONES[number],)
    if number < 100:
        tens, ones = divmod(number, 10)
        return (_TENS[tens], *((_ONES[ones],) if ones else ()))
    scale, name = next(pair for pair in _SCALES if number >= pair[0])
    count, rest = divmod(number, scale)
    return (*cardinal(count), name, *(cardinal(rest) if rest else ()))


def _ordinal(word: str) -> str:
    if word in _ORDINALS:
        return _ORDINALS[word]
    return word[:-1] + "ieth" if word.endswith("y") else word + "th"


def _plural(word: str) -> str:
    return word[:-1] + "ies" if word.endswith("y") else word + "s"
