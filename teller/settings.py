"""Every environment variable that Teller reads, its default, and what it means.

`.env` is read too; the environment beats it; names that are not here are ignored.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from limits import parse
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from teller.caller import Trust
from teller.errors import ConfigurationError
from teller.keys import ApiKey, parse_api_keys

_BEDROCK_MODEL = re.compile(r"arn:aws[a-z-]*:bedrock:\S+|(?:[a-z-]+\.)?[a-z0-9-]+\.[A-Za-z0-9.:_-]+")
TITAN = "amazon.titan-embed-text-v2:0"

_EMPTY_IS_UNBOUNDED = ("rate_limit_per_key", "rate_limit_per_caller", "rate_limit_unknown_numbers")


def _comma_separated(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _rate(value: str) -> str:
    try:
        if value:
            parse(value)
    except ValueError as wrong:
        raise ValueError("is no rate; write it as 60/minute") from wrong
    return value


def _pairs(value: object) -> object:
    if not isinstance(value, str):
        return value
    pairs = [entry.strip().partition("=") for entry in value.split(",") if entry.strip()]
    if not all(name and model for name, _, model in pairs):
        raise ValueError("is not of the form name=model,name=model")
    return {name.strip(): model.strip() for name, _, model in pairs}


def _index_name(name: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,99}", name):
        raise ValueError("is no name of an index; take small letters, digits and hyphens")
    return name


def _cluster_addresses(urls: tuple[str, ...]) -> tuple[str, ...]:
    if not all(re.fullmatch(r"https?://[^/?#\s]+(?:/[^?#\s]*)?", url) for url in urls):
        raise ValueError("is no address of a cluster; write it as https://search.bank.example:9200")
    return urls


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as unknown:
        raise ValueError("is no time zone; take a name such as America/New_York") from unknown
    return name


class Settings(BaseSettings):
    """The settings of one process, read once at its start. Use `Settings.load()`: it explains what is wrong."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for all.")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is worth logging.")
    cors_allowed_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated)] = Field(
        (), description="Origins whose pages may call the API, comma-separated."
    )
    api_keys: Annotated[tuple[ApiKey, ...], NoDecode, BeforeValidator(parse_api_keys)] = Field(
        (), description="name:key[:scope], comma-separated; scopes chat, voice, admin. Empty: open to everyone."
    )
    min_caller_trust: Trust = Field(
        Trust.CLAIMED, description="How far a caller's number must be trusted before cards are touched."
    )
    chat_model: str = Field(
        "auto",
        description="auto (Nova where an AWS account is set up, else quote), quote (answers in the documents' own "
        "sentences), or a Bedrock model, profile or ARN such as amazon.nova-lite-v1:0.",
    )
    fallback_chat_model: str = Field("", description="Answers where the first model fails before its first token.")
    model_aliases: Annotated[dict[str, str], NoDecode, BeforeValidator(_pairs)] = Field(
        {}, description="Names that a request may use for models: name=model, comma-separated."
    )
    base_model_id: str = Field("", description="The foundation model behind an application profile's ARN.")
    embedding_model: str = Field(
        "bge-small-en-v1.5",
        description="What embeds documents and questions for the search: in process (bge+e5 after `make e5`, or a "
        "folder with a model of one's own), or Titan with its dimensions.",
    )
    data_dir: Path = Field(Path(".data"), description="Where the embedded parts keep their files.")
    database_url: str = Field("", description="postgresql://… or sqlite:///…; empty: SQLite in DATA_DIR.")
    pin_pepper: SecretStr | None = Field(None, description="Key that PINs are hashed with; unset: made in DATA_DIR.")
    audit_key: SecretStr | None = Field(None, description="Key that chains the audit trail; unset: made in DATA_DIR.")
    opensearch_url: Annotated[
        tuple[str, ...], NoDecode, BeforeValidator(_comma_separated), AfterValidator(_cluster_addresses)
    ] = Field((), description="An OpenSearch cluster's nodes, comma-separated; empty: the embedded index in DATA_DIR.")
    opensearch_index: Annotated[str, AfterValidator(_index_name)] = Field(
        "teller-knowledge", description="The alias that is searched; the index behind it has a number."
    )
    opensearch_user: str = Field("", description="Who asks the cluster; unset: nobody, or AWS's signature.")
    opensearch_password: SecretStr | None = Field(None, description="That user's password.")
    opensearch_ca: Path | None = Field(None, description="File of the authority that signed the cluster's certificate.")
    opensearch_service: Literal["", "es", "aoss"] = Field(
        "", description="Amazon's name for the service to sign for, where its address does not tell."
    )
    sample_bank: Literal["on", "off"] = Field("on", description="Whether a new index is given the sample bank.")
    bank_timezone: Annotated[str, AfterValidator(_known_zone)] = Field(
        "America/New_York", description="Where the bank's day begins and ends: documents come into force by it."
    )
    max_body_bytes: int = Field(1_000_000, ge=1_000, description="Largest chat request, in bytes; above: 413.")
    max_concurrent_turns: int = Field(
        200, ge=1, description="Most turns at a time, fewer while the machine is too slow for them; a burst may wait."
    )
    rate_limit_per_key: Annotated[str, AfterValidator(_rate)] = Field(
        "", description="Most requests of a key, such as 600/minute; empty: any number."
    )
    rate_limit_per_caller: Annotated[str, AfterValidator(_rate)] = Field(
        "60/minute", description="Most turns of a caller's number; empty: any number."
    )
    rate_limit_unknown_numbers: Annotated[str, AfterValidator(_rate)] = Field(
        "300/minute", description="Most numbers unknown to the ledger that a key (or address) may name; empty: any."
    )
    rate_limit_store: str = Field("", description="Where rates are counted, a `limits` URI; empty: in this process.")
    settle_ms: int = Field(
        1_000, ge=0, le=10_000, description="On voice: how long a yes to a block, or a PIN, stands before it counts."
    )
    settle_final_ms: int = Field(
        3_000, ge=0, le=10_000, description="On voice: how long a yes to any other change stands before it counts."
    )
    filler_after_ms: int = Field(700, ge=0, description="After how long a silent voice turn says a filler; 0: never.")
    max_messages: int = Field(1_000, ge=1, description="Most messages in a chat request; above: 400.")
    max_message_chars: int = Field(100_000, ge=1, description="Longest message, in characters; above: 400.")
    model_timeout_seconds: float = Field(15.0, gt=0, description="Longest wait for a model's first token.")
    search_timeout_seconds: float = Field(2.0, gt=0, description="Longest wait for a search.")

    @model_validator(mode="before")
    @classmethod
    def _empty_is_unset(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Take an empty variable for one that is not set, but where empty means "no bound"."""
        return {name: value for name, value in given.items() if value != "" or name.lower() in _EMPTY_IS_UNBOUNDED}

    @model_validator(mode="after")
    def _only_what_this_version_can_do(self) -> Self:
        for name in (self.chat_model, self.fallback_chat_model, *self.model_aliases.values()):
            if name not in ("", "auto", "quote") and not _BEDROCK_MODEL.fullmatch(name):
                raise ValueError(f"{name} is no chat model: take auto, quote or a Bedrock model, profile or ARN")
        return self

    @field_validator("embedding_model")
    @classmethod
    def _embedder_is_there(cls, given: str) -> str:
        names = "bge-small-en-v1.5", "bge+e5", *(f"{TITAN}/{dimensions}" for dimensions in (256, 512, 1024))
        if given not in names and not Path(given).is_dir():
            raise ValueError(f"{given} is no embedder: take {', '.join(names)} or a folder that holds one")
        return given

    @model_validator(mode="after")
    def _replicas_share_their_secrets(self) -> Self:
        missing = [name for name in ("pin_pepper", "audit_key") if getattr(self, name) is None]
        if self.on_postgresql and missing:
            names = " and ".join(name.upper() for name in missing)
            raise ValueError(f"DATABASE_URL names PostgreSQL, so set {names} too: all replicas need the same")
        return self

    @classmethod
    def load(cls) -> Self:
        """Read the settings.

        Raises:
            ConfigurationError: in one line, which variable is wrong and why; never the value of a secret.
        """
        for name, value in dotenv_values(".env").items():
            if name.startswith("AWS_") and value:
                os.environ.setdefault(name, value)  # AWS's libraries read the environment alone
        try:
            return cls()
        except ValidationError as wrong:
            problems = (
                _problem(".".join(str(part) for part in error["loc"]), error["msg"]) for error in wrong.errors()
            )
            raise ConfigurationError("; ".join(problems)) from None

    @property
    def on_postgresql(self) -> bool:
        """Whether the ledger is in PostgreSQL, where several machines may share it."""
        return self.database_url.startswith("postgres")

    @property
    def zone(self) -> ZoneInfo:
        """The bank's time zone."""
        return ZoneInfo(self.bank_timezone)


def _problem(variable: str, message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"{variable.upper()}: {message}" if variable else message
