"""What a model says, cleaned while it streams, the same however the stream is cut into chunks.

Out of every model's text go `<thinking>`, anything like `<flush />` (a voice platform obeys it), images and card
numbers. On voice so do markdown, lists and web addresses, and money, rates and dates become words.

It is a lexer: at each place the first rule that matches takes its token. A token that touches the end of what has come
is kept back for as long as more may belong to it, so it does not matter where chunks end. What may be kept back is
bounded by every rule; only a thought is swallowed for as long as it lasts.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from graph.options import Channel
from graph.speech import spoken_date, spoken_money, spoken_percent
from teller.redaction import without_card_numbers

_OPEN_THOUGHT = re.compile(r"<think(?:ing)?>", re.IGNORECASE)
_END_OF_THOUGHT = re.compile(r"</think(?:ing)?>\s{0,40}", re.IGNORECASE)
_LONGEST_END = len("</thinking>") - 1


class _Rule(NamedTuple):
    """`token` matches a whole one; `begun` what may still become one, or grow, at the end of what has come."""

    token: re.Pattern[str]
    begun: re.Pattern[str]
    say: Callable[[str], str]


def _rule(token: str, begun: str, say: Callable[[str], str]) -> _Rule:
    return _Rule(re.compile(token, re.IGNORECASE), re.compile(rf"(?:{begun})\Z", re.IGNORECASE), say)


def _nothing(_: str) -> str:
    return ""


def _website(_: str) -> str:
    return "our website"


def _label(link: str) -> str:
    return link[1 : link.index("]")]


_TAG = _rule(r"<[/!?]?[a-z][^<>]{0,80}>", r"<(?:[/!?]?(?:[a-z][^<>]{0,80})?)?", _nothing)
# An image is fetched without a click, by whoever shows the text, from wherever a document says: as a link it is not.
_IMAGE = _rule(r"!(?=\[)", r"!", _nothing)
_IMAGE_TAG = _rule(r"<(?=img\b)", r"(?!)", _nothing)  # one that is longer than a tag may be
_DIGITS = _rule(r"\d(?:[ -]?\d){0,40}", r"\d(?:[ -]?\d){0,40}[ -]?", without_card_numbers)
_URL = _rule(
    r"(?:https?://|www\.)[^\s<>()\[\]]{1,300}",
    r"h(?:t(?:t(?:ps?(?::/?)?)?)?)?|https?://[^\s<>()\[\]]{0,300}|w{1,3}|www\.[^\s<>()\[\]]{0,300}",
    _website,
)
_LINK = _rule(r"\[[^\[\]\n]{0,200}\]\([^()\s]{0,300}\)", r"\[[^\[\]\n]{0,200}(?:\](?:\([^()\s]{0,300})?)?", _label)
_MONEY = _rule(
    r"\$ ?\d(?:,?\d){0,15}(?:\.\d\d)?(?![,.]{0,3}\d)", r"\$ ?(?:\d[\d,]{0,31}(?:\.\d{0,2})?[,.]{0,3})?", spoken_money
)
_DATE = _rule(r"\d{4}-\d\d-\d\d(?![\d-])", r"\d{1,4}(?:-\d{0,2}){0,2}", spoken_date)
_RATE = _rule(r"\d[\d,]{0,12}(?:\.\d{1,6})? ?%", r"\d[\d,]{0,12}(?:\.\d{0,6})? ?", spoken_percent)
_EMPHASIS = _rule(r"[*`_|~]", r"(?!)", _nothing)
_NEW_LINE = _rule(
    r"[ \t]{0,20}\n\s{0,40}(?:(?:#{1,6}|[-*+•]|\d{1,2}[.)])[ \t]+)?",
    r"[ \t]{1,20}|[ \t]{0,20}\n\s{0,40}(?:#{1,6}|[-*+•]|\d{1,2}[.)]?)?[ \t]*",
    _nothing,
)

# What begins no token needs no rule: nearly all of what is said, taken a run at a time.
_PLAIN = re.compile(r"[^<!\d]+")
_PLAIN_ON_VOICE = re.compile(r"[^<!\d \t\nhHwW\[$*`_|~]+")

_ALWAYS = (_TAG, _IMAGE_TAG, _IMAGE, _DIGITS)
_ON_VOICE = (_TAG, _IMAGE_TAG, _IMAGE, _NEW_LINE, _URL, _LINK, _MONEY, _DATE, _RATE, _EMPHASIS, _DIGITS)


class TextFilter:
    """Feed it what the model says, piece by piece; it returns what may be heard so far."""

    def __init__(self, channel: Channel) -> None:
        self._voice = channel == "voice"
        self._rules = _ON_VOICE if self._voice else _ALWAYS
        self._plain = _PLAIN_ON_VOICE if self._voice else _PLAIN
        self._held = "\n" if self._voice else ""  # a heading or a list may be the first thing said
        self._thinking = False
        self._last = ""

    def feed(self, text: str) -> str:
        """Take in a piece; return what is certain now."""
        self._held += text
        return self._advance(ended=False)

    def end(self) -> str:
        """Return what was still kept back: nothing more comes."""
        return self._advance(ended=True)

    def _advance(self, *, ended: bool) -> str:
        said: list[str] = []
        while self._held:
            if self._thinking and not self._thought_ended(ended=ended):
                break
            if plain := self._plain.match(self._held):
                said.append(plain[0])
                self._held, self._last = self._held[plain.end() :], plain[0][-1]
            if not self._held or (not ended and any(rule.begun.match(self._held) for rule in self._rules)):
                break
            said.append(self._next())
            self._last = said[-1][-1:] or self._last
        return "".join(said)

    def _thought_ended(self, *, ended: bool) -> bool:
        """Swallow a thought up to its end; of an unfinished one keep just what may be the beginning of its end."""
        end = _END_OF_THOUGHT.search(self._held)
        if end is None or (end.end() == len(self._held) and not ended):
            self._held = "" if ended else self._held[-_LONGEST_END:] if end is None else self._held[end.start() :]
            return False
        self._held = self._held[end.end() :]
        self._thinking = False
        return True

    def _next(self) -> str:
        """Take the next token and return what is said of it."""
        for rule in self._rules:
            if match := rule.token.match(self._held):
                self._held = self._held[match.end() :]
                if rule is _NEW_LINE:
                    return self._pause()
                self._thinking = bool(rule is _TAG and _OPEN_THOUGHT.fullmatch(match[0]))
                return rule.say(match[0])
        plain, self._held = self._held[0], self._held[1:]
        return plain

    def _pause(self) -> str:
        """Return what is said for the end of a line: the end of a sentence, unless one ended there."""
        if not self._last:
            return ""
        return ". " if self._last.isalnum() or self._last in ")\"'" else " "
