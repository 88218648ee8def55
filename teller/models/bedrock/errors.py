"""What Bedrock's failures mean: one table from AWS's error codes and the transport's exceptions to ours.

Codes: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html#API_runtime_ConverseStream_Errors
and https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html. In the middle of a stream the same codes
come as exception frames and begin with a small letter.
"""

from dataclasses import dataclass
from enum import Enum, auto

import aiohttp
from botocore import exceptions as boto
from botocore.eventstream import ParserError
from botocore.parsers import ResponseParserError

from teller.errors import (
    ContextTooLongError,
    ModelAccessDeniedError,
    ModelNotFoundError,
    ModelRequestError,
    ModelThrottledError,
    ModelTimeoutError,
    ModelUnavailableError,
    TellerError,
    UpstreamAuthError,
    UpstreamModelError,
)


class Retry(Enum):
    """What may help against a failure, as long as nothing of the answer was passed on."""

    NOTHING = auto()
    ONCE = auto()
    A_PAUSE = auto()
    FRESH_CREDENTIALS = auto()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a failure is for us: an error, its message (for a person, no secret in it), and what may help."""

    error: type[TellerError]
    message: str
    retry: Retry = Retry.NOTHING


class UnusableAnswerError(Exception):
    """An answer came and cannot be used: it ends too early, or says itself that it is malformed."""

    def __init__(self, means: Meaning) -> None:
        super().__init__(means.message)
        self.means = means


THROTTLED = Meaning(ModelThrottledError, "The model is busy. Please try again shortly.", Retry.A_PAUSE)
UNAVAILABLE = Meaning(ModelUnavailableError, "The model cannot be reached. Please try again shortly.", Retry.A_PAUSE)
BROKEN_OFF = Meaning(ModelUnavailableError, "The model's answer broke off. Please try again.", Retry.A_PAUSE)
SILENT = Meaning(ModelTimeoutError, "The model did not answer in time. Please try again.")
EXPIRED = Meaning(UpstreamAuthError, "The AWS credentials of this server have expired.", Retry.FRESH_CREDENTIALS)
NOT_SIGNED_IN = Meaning(UpstreamAuthError, "AWS does not take the credentials of this server, or it has none.")
DENIED = Meaning(ModelAccessDeniedError, "This server's AWS account may not use the model.")
UNKNOWN_MODEL = Meaning(ModelNotFoundError, "Bedrock does not know the model, or does not offer it in this region.")
REFUSED = Meaning(ModelRequestError, "The model does not take this request.")
TOO_LONG = Meaning(ContextTooLongError, "The conversation is longer than the model can read.")
FAILED = Meaning(UpstreamModelError, "The model failed while it answered. Please try again.", Retry.ONCE)

_BY_CODE = {
    "ThrottlingException": THROTTLED,
    "ModelNotReadyException": THROTTLED,
    "ServiceQuotaExceededException": THROTTLED,
    "ServiceUnavailableException": UNAVAILABLE,
    "InternalServerException": UNAVAILABLE,
    "InternalFailure": UNAVAILABLE,
    "ModelTimeoutException": SILENT,
    "ModelErrorException": FAILED,
    "ModelStreamErrorException": FAILED,
    "ValidationException": REFUSED,
    "SerializationException": REFUSED,
    "AccessDeniedException": DENIED,
    "ResourceNotFoundException": UNKNOWN_MODEL,
    "UnknownOperationException": UNKNOWN_MODEL,
    "ExpiredTokenException": EXPIRED,
    "ExpiredToken": EXPIRED,
    "RequestExpired": EXPIRED,
    "UnrecognizedClientException": NOT_SIGNED_IN,
    "InvalidSignatureException": NOT_SIGNED_IN,
    "IncompleteSignature": NOT_SIGNED_IN,
    "IncompleteSignatureException": NOT_SIGNED_IN,
    "InvalidClientTokenId": NOT_SIGNED_IN,
    "MissingAuthenticationTokenException": NOT_SIGNED_IN,
    "MissingAuthenticationToken": NOT_SIGNED_IN,
    "NotAuthorized": DENIED,
    "OptInRequired": DENIED,
}
_BY_STATUS = {400: REFUSED, 401: NOT_SIGNED_IN, 403: DENIED, 404: UNKNOWN_MODEL, 408: SILENT, 413: TOO_LONG}
_BY_STATUS |= {424: FAILED, 429: THROTTLED, 504: SILENT}

# Where one code means several things, its words tell which. The context markers are those of langchain-aws.
_TOO_LONG_WORDS = ("too long", "input tokens exceed", "maximum context length", "too many input tokens")
_UNKNOWN_MODEL_WORDS = ("model identifier is invalid", "on-demand throughput", "doesn't support the model")
_BEARER_WORDS = ("bearer token", "api key")

# The first that fits. What botocore raises besides comes of reading credentials, profiles and regions.
_BY_EXCEPTION: tuple[tuple[tuple[type[Exception], ...], Meaning], ...] = (
    ((boto.ParamValidationError,), REFUSED),
    ((boto.ReadTimeoutError,), SILENT),
    ((boto.HTTPClientError, boto.ConnectionError, ResponseParserError), UNAVAILABLE),
    ((boto.BotoCoreError,), NOT_SIGNED_IN),
    ((TimeoutError,), SILENT),
    ((aiohttp.ClientError, ParserError), BROKEN_OFF),
    ((OSError,), UNAVAILABLE),
)
_OPERATIONS = {"Converse", "ConverseStream", "InvokeModel"}


def meaning(failure: Exception) -> Meaning | None:
    """Return what a failure of a Bedrock call means; None for one that is no failure of Bedrock's, such as a bug."""
    if isinstance(failure, UnusableAnswerError):
        return failure.means
    if isinstance(failure, boto.ClientError):  # also EventStreamError, an exception frame
        return _of_answer(failure)
    return next((means for kinds, means in _BY_EXCEPTION if isinstance(failure, kinds)), None)


def _of_answer(failure: boto.ClientError) -> Meaning:
    error = failure.response.get("Error", {})
    code, words = str(error.get("Code", "")), str(error.get("Message", "")).lower()
    status = failure.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    means = _BY_CODE.get(code[:1].upper() + code[1:]) or _BY_STATUS.get(status) or _by_class(status)
    if failure.operation_name not in _OPERATIONS:  # a service that was asked for credentials
        return EXPIRED if means is EXPIRED else NOT_SIGNED_IN
    if means in (REFUSED, FAILED) and any(marker in words for marker in _TOO_LONG_WORDS):
        return TOO_LONG
    if means is REFUSED and any(marker in words for marker in _UNKNOWN_MODEL_WORDS):
        return UNKNOWN_MODEL
    if means is DENIED and any(marker in words for marker in _BEARER_WORDS):
        return EXPIRED if "expired" in words else NOT_SIGNED_IN
    return means


def _by_class(status: int) -> Meaning:
    return REFUSED if 400 <= status < 500 else UNAVAILABLE
