"""The chat models of this process, by name."""

from collections.abc import Mapping
from dataclasses import dataclass

from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True, slots=True)
class ChatModels:
    """The configured models and the one that answers by default; `why` tells how the default was chosen."""

    models: Mapping[str, BaseChatModel]
    default: str
    why: str

    def choose(self, name: str | None) -> tuple[str, BaseChatModel]:
        """Return the name and the model that a request means: any unknown name means the default."""
        chosen = name if name is not None and name in self.models else self.default
        return chosen, self.models[chosen]
