"""Words and numbers as they are heard: one normal form for what was asked, what was said and what was transcribed."""

import re
import unicodedata

_DIGITS = {
    "zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_TEENS = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15", "sixteen": "16",
    "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
_TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fifty": "5", "sixty": "6",
    "seventy": "7", "eighty": "8", "ninety": "9",
}  # fmt: skip
_TIMES = {"double": 2, "triple": 3}
_OHS = ("o", "oh")
_KEYPAD = re.compile(r"\buser's keypad entry\b:?", re.IGNORECASE)  # how Vapi tells of keys that were pressed
NUMBER_WORDS = frozenset((*_DIGITS, *_TEENS, *_TENS, *_TIMES, "hundred", "thousand"))
"""The words of which spoken numbers are made."""

HESITATIONS = frozenset(
    "uh um oh uhm er erm ah hmm mm well so okay ok yes yeah sure please it's its it is that's".split()
)
"""What surrounds digits that are read out, and means nothing."""
_MOST_OHS = 16  # in a row: no number has more zeros
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+")


def heard_words(text: str) -> list[str]:
    """Return the words of a text without case and punctuation, every run of spoken or written digits as one word.

    "Visa ending one eight, eight-one" and "visa ending 1881" give the same words; so do "double four" and "44".
    "one" is kept as a word where no other digit stands beside it ("the second one"), and so are "o" and "oh" ("oh no").
    An "oh" that a turn begins with is no zero before four other digits, for neither a last four nor a PIN has five.
    """
    words: list[str] = []
    run: list[str] = []
    plain = unicodedata.normalize("NFKC", text).lower().replace("’", "'")  # noqa: RUF001 (a typographic apostrophe)
    tokens = _WORD.findall(_KEYPAD.sub(" ", plain))
    place = 0
    while place < len(tokens):
        digits, used = _digits_at(tokens, place)
        if tokens[place] in _OHS:
            digits, used = ("0", 1) if run or _number_follows(tokens, place) else ("", 0)
        if used:
            run.append(digits)
            place += used
            continue
        words += _close(run)
        run = []
        words.append(tokens[place])
        place += 1
    words += _close(run)
    if tokens[:1] == ["oh"] and re.fullmatch(r"0\d{4}", words[0]):
        words[:1] = ["oh", words[0][1:]]
    return words


def written_as_question(text: str) -> bool:
    """Return whether words were written down as a question: "block it?" wants to know, and does not say yes."""
    return "?" in unicodedata.normalize("NFKC", text)


def spoken_digits(digits: str) -> str:
    """Return digits as they are read out one by one: 1881 as "one eight eight one"."""
    names = {digit: name for name, digit in _DIGITS.items() if name != "oh"}
    return " ".join(names[digit] for digit in digits)


def _number_follows(tokens: list[str], place: int) -> bool:
    """Return whether an "oh" begins a number, and not "oh no" or "oh one moment"."""
    end = min(len(tokens), place + _MOST_OHS)
    while place < end and tokens[place] in _OHS:
        place += 1
    if place == end or not _digits_at(tokens, place)[1]:
        return False
    return tokens[place] != "one" or (place + 1 < len(tokens) and _digits_at(tokens, place + 1)[1] > 0)


def _digits_at(tokens: list[str], place: int) -> tuple[str, int]:
    """Return the digits that begin at a place and how many tokens they take; none takes 0."""
    token = tokens[place]
    after = tokens[place + 1] if place + 1 < len(tokens) else ""
    if token.isdigit():
        return token, 1
    if token in _TIMES and (after in _DIGITS or (after.isdigit() and len(after) == 1)):
        return _DIGITS.get(after, after) * _TIMES[token], 2
    if token in _TENS:
        unit = _DIGITS.get(after, "0")
        return (_TENS[token] + unit, 2) if unit != "0" else (_TENS[token] + "0", 1)
    single = _DIGITS.get(token) or _TEENS.get(token)
    return (single, 1) if single else ("", 0)


def _close(run: list[str]) -> list[str]:
    if run == ["1"]:
        return ["one"]
    return ["".join(run)] if run else []
