"""Where the cluster is and what kind it is: read from OPENSEARCH_URL, without its password in any message."""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self
from urllib.parse import SplitResult, unquote, urlsplit

from teller.errors import ConfigurationError
from teller.settings import Settings

Service = Literal["", "es", "aoss"]

_AMAZON = re.compile(r"\.(?P<region>[a-z0-9-]+)\.(?P<service>es|aoss)\.amazonaws\.com(?:\.cn)?$")
_EXAMPLE = "https://search.bank.example:9200"


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the cluster, as the client's library takes it."""

    host: str
    port: int
    tls: bool
    prefix: str = ""

    def __str__(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}{self.prefix}"


@dataclass(frozen=True, slots=True)
class Address:
    """The nodes, and who asks them: a user with a password, or AWS's signature where `service` is set."""

    nodes: tuple[Node, ...]
    user: str = ""
    password: str = field(default="", repr=False)
    ca: Path | None = None
    service: Service = ""
    region: str = ""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read the settings.

        Raises:
            ConfigurationError: a URL is none, or a part of what is needed is missing.
        """
        parsed = [_parsed(url) for url in settings.opensearch_url]
        user = settings.opensearch_user or unquote(parsed[0].username or "")
        given = settings.opensearch_password
        password = given.get_secret_value() if given else unquote(parsed[0].password or "")
        if bool(user) != bool(password):
            raise ConfigurationError("OPENSEARCH_USER, OPENSEARCH_PASSWORD: one is set without the other")
        if settings.opensearch_ca and not settings.opensearch_ca.is_file():
            raise ConfigurationError(f"OPENSEARCH_CA: there is no file {settings.opensearch_ca}")
        found = _AMAZON.search(parsed[0].hostname or "")
        named: Service = settings.opensearch_service or ("aoss" if found and found["service"] == "aoss" else "")
        service: Service = named or ("es" if found and not user else "")
        region = (found["region"] if found else "") or os.environ.get("AWS_REGION", "")
        region = region or os.environ.get("AWS_DEFAULT_REGION", "")
        if service and not region:
            raise ConfigurationError(f"OPENSEARCH_SERVICE={service} needs a region to sign for: set AWS_REGION")
        nodes = tuple(_node(one) for one in parsed)
        return cls(nodes, user, password, settings.opensearch_ca, service, region)

    def __str__(self) -> str:
        return ", ".join(map(str, self.nodes))


def _parsed(url: str) -> SplitResult:
    try:
        parsed = urlsplit(url)
        known = parsed.scheme in ("http", "https") and bool(parsed.hostname) and (parsed.port or 1) > 0
    except ValueError:
        known = False
    if not known or parsed.query or parsed.fragment:
        raise ConfigurationError(f"OPENSEARCH_URL is no address of a cluster; write it as {_EXAMPLE}")
    return parsed


def _node(parsed: SplitResult) -> Node:
    tls = parsed.scheme == "https"
    return Node(parsed.hostname or "", parsed.port or (443 if tls else 9200), tls, parsed.path.rstrip("/"))
