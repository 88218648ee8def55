"""Which chat models this process has, and which of them answers: by CHAT_MODEL, FALLBACK_CHAT_MODEL, MODEL_ALIASES."""

from contextlib import AsyncExitStack
from functools import partial

from teller.models.aws import find_account
from teller.models.quote.model import QuoteChatModel
from teller.models.registry import ChatModels, NamedModel
from teller.settings import Settings

NOVA = "amazon.nova-lite-v1:0"


async def open_models(settings: Settings, quote: QuoteChatModel, stack: AsyncExitStack) -> ChatModels:
    """Return the models; the connection that hosted ones share is closed with the stack.

    With `auto` Nova answers where an AWS account is set up, and `quote` steps in for it; else `quote` answers.

    Raises:
        ConfigurationError: a hosted model is asked for and its connection cannot be made.
    """
    default, fallback, why = _chosen(settings)
    wanted = {default, fallback, "quote", *settings.model_aliases.values()} - {""}
    named = {"quote": NamedModel("quote", quote)}
    hosted = sorted(wanted - {"quote"})
    if hosted:
        named |= await _hosted(hosted, settings, stack)
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


async def _hosted(ids: list[str], settings: Settings, stack: AsyncExitStack) -> dict[str, NamedModel]:
    """Return the models on Bedrock. Their libraries take half a second to import, so only a process with one does."""
    from teller.models.bedrock import AsyncChatBedrockConverse
    from teller.models.bedrock_client import BedrockConnection

    connection = BedrockConnection(pool_size=2 * settings.max_concurrent_turns)
    await stack.enter_async_context(connection)
    model = partial(AsyncChatBedrockConverse, connection=connection, first_token_seconds=settings.model_timeout_seconds)
    of_profile = {"base_model_id": settings.base_model_id, "provider": "amazon"} if settings.base_model_id else {}
    models = {name: model(model_id=name, **(of_profile if name.startswith("arn:") else {})) for name in ids}
    return {name: NamedModel(name, made, calls_tools=True) for name, made in models.items()}
