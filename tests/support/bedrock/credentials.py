"""Who signed a request: the form of SigV4 and bearer credentials is checked, their secret is not."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tests.support.bedrock.faults import BedrockError, bedrock_error

_SIGV4 = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<access_key>[^/,\s]+)/\d{8}/(?P<region>[a-z0-9-]+)/(?P<service>[a-z0-9-]+)"
    r"/aws4_request, ?SignedHeaders=(?P<signed>[a-z0-9;-]+), ?Signature=[0-9a-f]{64}"
)
_BEARER = re.compile(r"Bearer (?P<token>\S+)", re.IGNORECASE)
_ALWAYS_SIGNED = {"host", "x-amz-date"}


@dataclass(frozen=True, slots=True)
class Signer:
    """What may be told of the credentials of a request: no token, no signature."""

    scheme: Literal["sigv4", "bearer"]
    access_key: str | None = None
    region: str | None = None
    session: bool = False


def authenticate(headers: Mapping[str, str]) -> Signer:
    """Return who signed a request, from its headers (names in lower case).

    Raises:
        BedrockError: unsigned; signed in no form that AWS knows; or expired, which the token `EXPIRED` is.
    """
    authorization = headers.get("authorization", "").strip()
    if not authorization:
        raise bedrock_error("MissingAuthenticationTokenException")
    if bearer := _BEARER.fullmatch(authorization):
        if bearer["token"] == "EXPIRED":
            raise bedrock_error("AccessDeniedException", "Bearer Token has expired")
        return Signer("bearer")
    if signature := _SIGV4.fullmatch(authorization):
        return _sigv4(signature, headers)
    raise bedrock_error("UnrecognizedClientException")


def rejection(signer: Signer) -> BedrockError:
    """Return what AWS says of credentials that it does not know."""
    if signer.scheme == "bearer":
        return bedrock_error("AccessDeniedException", "Authentication failed: Please make sure your API Key is valid.")
    return bedrock_error("UnrecognizedClientException")


def _sigv4(signature: re.Match[str], headers: Mapping[str, str]) -> Signer:
    if signature["service"] != "bedrock":
        raise bedrock_error("InvalidSignatureException")
    signed = set(signature["signed"].split(";"))
    if not signed >= _ALWAYS_SIGNED or not signed <= headers.keys():
        raise bedrock_error("UnrecognizedClientException")
    token = headers.get("x-amz-security-token")
    if token == "EXPIRED":
        raise bedrock_error("ExpiredTokenException")
    return Signer("sigv4", signature["access_key"], signature["region"], session=token is not None)
