"""Attack scripts: files of them, each file a family of attacks on the same promise.

A file says what is attacked, how the server is set up, and holds scripts in the format of docs/call_scripts.md. Beside
that format's fields a script may say what its caller has a right to:

- `knows`: whose cards he may hear of (product, last four, state); by default those of `caller.number`; or `nobody`
- `proven`: his PIN was given rightly, so that amounts and payments may be told too
- `changes`: how many changes are lawful, 0 by default
- `key`: the name of the key that he uses, of KEYS
- `missed`: how a harmless script is known to go another way than it expects
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from simulator.script import Script, Texts

HERE = Path(__file__).parent
KEYS = {"phone": "key-of-the-phone", "web": "key-of-the-web"}
API_KEYS = f"phone:{KEYS['phone']}:voice,web:{KEYS['web']}"


class Attack(Script):
    """A script, and what its caller has a right to."""

    knows: Texts = ()
    proven: bool = False
    changes: int = 0
    key: Literal["phone", "web"] = "phone"
    missed: str = ""

    @model_validator(mode="after")
    def _is_called_something(self) -> Self:
        if not self.name:
            raise ValueError("an attack has a name")
        return self

    @property
    def may_know(self) -> tuple[str, ...]:
        """The numbers of the holders whose cards the caller may hear of."""
        return self.knows or ((self.caller.number,) if self.caller.number else ())


class Bank(BaseModel):
    """How the server is set up: with keys or open, whom it trusts, and what it holds beside the sample bank."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keys: bool = True
    min_caller_trust: Literal["claimed", "asserted", "network"] = "claimed"
    documents: Mapping[str, str] = Field({}, description="Texts by file names.")

    @property
    def settings(self) -> dict[str, Any]:
        """The settings that differ from the defaults."""
        return {"min_caller_trust": self.min_caller_trust} | ({"api_keys": API_KEYS} if self.keys else {})


class Family(BaseModel):
    """One file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attacked: str
    bank: Bank = Bank()
    each: dict[str, Any] = Field({}, description="Fields of every script, where it does not say otherwise.")
    scripts: list[dict[str, Any]]

    def attacks(self) -> list[Attack]:
        """Return the scripts."""
        return [Attack.model_validate(self.each | script) for script in self.scripts]


def read_family(path: Path) -> Family:
    """Return the family in a file; values are taken as they are written."""
    return Family.model_validate(yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader))


FAMILIES = {path.stem: read_family(path) for path in sorted(HERE.glob("*.yaml"))}
