"""The prompt of a knowledge answer: ours first and fixed, the client's tone, the conversation, then the passages."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage

from graph.history import spoken_turns
from graph.options import Channel
from teller.caller import without_phone_tags
from teller.knowledge.index import Passage
from teller.knowledge.passage_block import render

_FOLDER = Path(__file__).parent.parent / "prompts"


@cache
def _text(name: str) -> str:
    return (_FOLDER / f"{name}.md").read_text("utf-8").strip()


def knowledge_prompt(
    messages: Sequence[AnyMessage], question: str | None, passages: Sequence[Passage], channel: Channel
) -> list[BaseMessage]:
    """Return the messages for the model: passages and question stand in the last one, as data and as asked.

    `question` is the part of the last turn that asks; None: all of it does.
    """
    *earlier, last = spoken_turns(messages)
    prompt: list[BaseMessage] = _system(messages, channel)
    prompt += [HumanMessage(turn.text) if turn.role == "user" else AIMessage(turn.text) for turn in earlier]
    return [*prompt, HumanMessage(f"{render(passages)}\n\n{question or last.text}")]


def conversation_prompt(messages: Sequence[AnyMessage], channel: Channel) -> list[BaseMessage]:
    """Return the messages for a turn that is the model's own, with the client's tools and their results in it."""
    spoken = [m for m in messages if not isinstance(m, SystemMessage)]
    return [*_system(messages, channel), *(_without_tags(m) for m in spoken)]


def _without_tags(message: AnyMessage) -> AnyMessage:
    return HumanMessage(without_phone_tags(message.text)) if isinstance(message, HumanMessage) else message


def _system(messages: Sequence[AnyMessage], channel: Channel) -> list[BaseMessage]:
    """Return ours, the same in every turn of a channel (so a model can cache it), and the client's in a block."""
    ours = [_text("system"), _text("system_voice")] if channel == "voice" else [_text("system")]
    client = "\n\n".join(without_phone_tags(m.text) for m in messages if isinstance(m, SystemMessage)).strip()
    system: list[BaseMessage] = [SystemMessage("\n\n".join(ours))]
    if client:
        safe = client.replace("</client_instructions>", "")
        system.append(SystemMessage(_text("system_client").replace("{instructions}", safe)))
    return system
