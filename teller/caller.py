"""Who is calling, and how far that is trusted."""

import hashlib
import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated
from urllib.parse import quote

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_serializer

_TAG = re.compile(r"\s*\[\s*phone\s*:\s*([^\]\[]{0,64})\]", re.IGNORECASE)
_WRITTEN = re.compile(r"(?<![\w+])\+\d(?:[ \-().]{0,2}\d){6,14}(?!\d)")
_E164 = re.compile(r"\+[1-9]\d{6,14}")


class Trust(StrEnum):
    """Where a caller's number stood. Compare with `reaches`."""

    CLAIMED = "claimed"
    ASSERTED = "asserted"
    NETWORK = "network"

    def reaches(self, wanted: "Trust") -> bool:
        """Return whether this much trust is enough where `wanted` is asked for."""
        order = list(Trust)
        return order.index(self) >= order.index(wanted)


def parse_phone(text: str) -> str | None:
    """Return the number in E.164 form, or None if it is none; a missing plus, blanks and hyphens are mended."""
    digits = re.sub(r"[\s\-().]", "", text)
    number = digits if digits.startswith("+") else f"+{digits}"
    return number if _E164.fullmatch(number) else None


class Caller(BaseModel):
    """The caller of a turn. `conflict`: two sources named different numbers, so none is acted on."""

    model_config = ConfigDict(frozen=True)

    phone: Annotated[str | None, BeforeValidator(lambda given: parse_phone(given) if given else None)] = Field(
        None, repr=False, description="The caller's number, such as +1234567890; what is no number counts as none."
    )
    trust: Trust = Field(Trust.ASSERTED, description="How far the number is trusted.")
    conflict: bool = Field(False, description="Two sources named different numbers.")

    @field_serializer("phone")
    def _hide(self, phone: str | None) -> str | None:
        """Hide the number from traces and debug streams: it is read from the object, never from what is written."""
        return phone and f"…{phone[-2:]}"


NOBODY = Caller()


def phone_tag(text: str) -> str | None:
    """Return the number of the last `[phone: …]` tag in a text; None if there is no tag or it holds no number."""
    tags = _TAG.findall(text)
    return parse_phone(tags[-1]) if tags else None


def without_phone_tags(text: str) -> str:
    """Return a text as it may be read by a model: its tags taken out."""
    return _TAG.sub("", text).strip() if "[" in text else text


def without_phone_numbers(text: str) -> str:
    """Return a text without the numbers that are written in E.164 form, `+` and all: what is said so is no identity."""
    return _WRITTEN.sub("[phone number]", text) if "+" in text else text


def agree(sources: Iterable[Caller]) -> Caller:
    """Return the one caller that the sources name, at the highest trust among them, or a conflict."""
    known = [source for source in sources if source.phone or source.conflict]
    if not known:
        return NOBODY
    trust = max((source.trust for source in known), key=list(Trust).index)
    if any(source.conflict for source in known) or len({source.phone for source in known}) > 1:
        return Caller(phone=None, trust=trust, conflict=True)
    return Caller(phone=known[0].phone, trust=trust)


def conversation_of(client: str, named: str | None, phone: str | None = None, first_turn: str = "") -> str | None:
    """Return a conversation's id in the ledger: the client's key name with its own id for the conversation.

    Where it names none, the caller with the first words said; None where neither is known: nothing can be asked or
    written then. No id that a client can name is another client's, or that of a conversation without a name: whoever
    guessed its first words would have its proof.
    """
    of_client = quote(client, safe="", errors="surrogatepass")
    if named:
        return f"{of_client}/{named}"
    if phone is None:
        return None
    digest = hashlib.sha256(f"{phone}\n{first_turn}".encode(errors="surrogatepass")).hexdigest()
    return f"{of_client}?{digest[:32]}"
