"""The chat models of this process, by name, and how each fared when it was last used."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True, slots=True)
class NamedModel:
    """A model with the name that a reply bears, and whether it can call a client's tools."""

    name: str
    model: BaseChatModel
    calls_tools: bool = False


@dataclass(frozen=True, slots=True)
class ChatModels:
    """The models that a request may name, aliases included, and the one that answers by default.

    `why` tells how the default was chosen. `fallback` answers where another failed before its first token. `refused`
    holds, by name, what a model failed with when it was last used; one that answered is not in it.
    """

    offered: Mapping[str, NamedModel]
    default: NamedModel
    why: str
    fallback: NamedModel | None = None
    refused: dict[str, str] = field(default_factory=dict)

    def choose(self, name: str | None) -> NamedModel:
        """Return the model that a request means: any unknown name means the default."""
        return self.offered.get(name or "", self.default)

    def in_turn(self, name: str | None) -> list[NamedModel]:
        """Return the models to try for a request, the second where the first fails before its first token."""
        chosen = self.choose(name)
        return [chosen, self.fallback] if self.fallback and self.fallback.name != chosen.name else [chosen]

    def note(self, model: NamedModel, failure: Exception | None) -> None:
        """Take down how a model fared."""
        if failure is None:
            self.refused.pop(model.name, None)
        else:
            self.refused[model.name] = str(failure)

    @property
    def answerable(self) -> bool:
        """Whether the default model, or the one that steps in for it, did not fail when it was last used."""
        return any(model.name not in self.refused for model in self.in_turn(None))
