"""Which chat models this process has, and which of them answers: by CHAT_MODEL, FALLBACK_CHAT_MODEL, MODEL_ALIASES."""

from teller.models.aws import find_account
from teller.models.hosted import Hosted
from teller.models.quote.model import QuoteChatModel
from teller.models.registry import ChatModels, NamedModel
from teller.settings import Settings

NOVA = "amazon.nova-lite-v1:0"


async def open_models(settings: Settings, quote: QuoteChatModel, hosted: Hosted) -> ChatModels:
    """Return the models.

    With `auto` Nova answers where an AWS account is set up, and `quote` steps in for it; else `quote` answers.

    Raises:
        ConfigurationError: a hosted model is asked for and its connection cannot be made.
    """
    default, fallback, why = _chosen(settings)
    wanted = {default, fallback, "quote", *settings.model_aliases.values()} - {""}
    named = {"quote": NamedModel("quote", quote)}
    if elsewhere := sorted(wanted - {"quote"}):
        named |= await hosted.chat_models(elsewhere)
    aliases = {alias: named[model] for alias, model in settings.model_aliases.items()}
    return ChatModels({**named, **aliases}, named[default], why, named.get(fallback))


def _chosen(settings: Settings) -> tuple[str, str, str]:
    """Return the default model, the one that steps in (empty: none), and why."""
    if settings.chat_model != "auto":
        return settings.chat_model, settings.fallback_chat_model, "chosen by CHAT_MODEL"
    account = find_account()
    if account.usable:
        return NOVA, settings.fallback_chat_model or "quote", f"chosen by CHAT_MODEL=auto: {account.why}"
    return "quote", settings.fallback_chat_model, f"chosen by CHAT_MODEL=auto: {account.why}"
