"""Words without their endings, and number words as digits."""

from functools import lru_cache

_NUMBER_WORDS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty
"""
_NUMBERS = {word: str(number) for number, word in enumerate(_NUMBER_WORDS.split())} | {
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "sixty": "60",
    "ninety": "90",
    "hundred": "100",
}


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return a word without its common endings; a number word as digits."""
    if word[0].isdigit():
        return word.replace(",", "").removesuffix(".00")
    if word in _NUMBERS:
        return _NUMBERS[word]
    word = word.removesuffix("'s").replace("'", "")
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", "")):
        kept = word.removesuffix(ending)
        if kept != word and len(kept) > 2 and not (ending == "s" and kept.endswith(("s", "u", "i"))):
            word = kept + instead
            break
    return word[:-1] if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "sl" else word
