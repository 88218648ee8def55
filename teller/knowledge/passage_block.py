"""Passages as they stand in a prompt: data in a delimited block that their own text cannot close.

One form for every model: a hosted model reads it, and the embedded answerer parses it back.
"""

import re
from collections.abc import Sequence
from datetime import date
from html import escape, unescape

from teller.knowledge.index import Passage

_BLOCK = re.compile(r"<passages>\n(.*?)\n?</passages>\n*", re.DOTALL)
_PASSAGE = re.compile(r"<passage (?P<attributes>[^>]*)>\n(?P<text>.*?)\n</passage>", re.DOTALL)
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')


def render(passages: Sequence[Passage]) -> str:
    """Return the block: each passage with source, title, section and effective date, its text escaped."""
    return "<passages>\n" + "\n".join(_render(passage) for passage in passages) + "\n</passages>"


def parse(prompt: str) -> tuple[list[Passage], str]:
    """Return the passages of the first block in a prompt, and the prompt without that block.

    Ids and scores are not in a prompt: the passages come back with their place as id.
    """
    block = _BLOCK.search(prompt)
    if block is None:
        return [], prompt
    passages = [_parse(i, match) for i, match in enumerate(_PASSAGE.finditer(block[1]))]
    return passages, prompt[: block.start()] + prompt[block.end() :]


def _render(passage: Passage) -> str:
    attributes = {"source": passage.filename, "title": passage.title, "section": passage.section}
    if passage.effective:
        attributes["effective"] = passage.effective.isoformat()
    head = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
    return f"<passage {head}>\n{escape(passage.text, quote=False)}\n</passage>"


def _parse(place: int, match: re.Match[str]) -> Passage:
    attributes = {name: unescape(value) for name, value in _ATTRIBUTE.findall(match["attributes"])}
    return Passage(
        passage_id=str(place),
        document_id=attributes.get("source", ""),
        filename=attributes.get("source", ""),
        title=attributes.get("title", ""),
        section=attributes.get("section", ""),
        text=unescape(match["text"]),
        effective=date.fromisoformat(attributes["effective"]) if "effective" in attributes else None,
    )
