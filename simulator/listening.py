"""A reply as it is heard: each word once it has come and the one before it is spoken."""

import asyncio
import re

_WORD = re.compile(r"\S+")
_FLUSH = re.compile(r"\s*<flush\s*/>\s*")


class Listening:
    """A voice that speaks what comes, at so many words a second, and a caller who hears it. Times are the loop's."""

    def __init__(self, words_per_second: float) -> None:
        self._seconds_a_word = 1 / words_per_second
        self._raw = ""
        self._text = ""
        self._ends: list[float] = []
        self._places: list[int] = []
        self._whole = False
        self._news = asyncio.Event()

    def take(self, words: str) -> None:
        """Take in what has come."""
        self._raw += words
        self._speak(self._raw)

    def complete(self) -> None:
        """Take in that nothing more comes."""
        self._whole = True
        self._speak(self._raw)
        self._news.set()

    @property
    def heard(self) -> int:
        """How many words have been heard by now."""
        now = asyncio.get_running_loop().time() + 1e-6
        return sum(end <= now for end in self._ends)

    @property
    def all_heard(self) -> bool:
        """Whether nothing more comes, and all of it has been heard."""
        return self._whole and self.heard == len(self._ends)

    @property
    def count(self) -> int:
        """How many words there are so far."""
        return len(self._ends)

    def words(self, count: int) -> str:
        """Return the first words of the reply, as they were written."""
        return self._text[: self._places[count - 1]] if 0 < count <= len(self._places) else ""

    async def until(self, count: int | None = None) -> bool:
        """Return when so many words have been heard, or all there are; whether there were so many (None: all).

        0 is the moment in which the first word begins.
        """
        while True:
            enough = count is not None and max(count, 1) <= len(self._ends)
            if enough or self._whole:
                last = (count if enough else len(self._ends)) or 0
                await _sleep_until(self._ends[last - 1] if last else 0.0)
                return enough or count is None
            self._news.clear()
            await self._news.wait()

    def _speak(self, raw: str) -> None:
        """Say the words that are whole: something follows them."""
        now = asyncio.get_running_loop().time()
        self._text = _FLUSH.sub(" ", raw).strip() if self._whole else _FLUSH.sub(" ", raw).lstrip()
        for word in list(_WORD.finditer(self._text))[len(self._ends) :]:
            if word.end() == len(self._text) and not self._whole:
                break
            begins = max(now, self._ends[-1] if self._ends else now)
            self._ends.append(begins + self._seconds_a_word)
            self._places.append(word.end())
            self._news.set()


async def _sleep_until(when: float) -> None:
    await asyncio.sleep(max(0.0, when - asyncio.get_running_loop().time()))
