"""The errors that Bedrock answers with: their names, HTTP codes and words."""

from dataclasses import dataclass
from typing import Any

CREDENTIALS = "The security token included in the request is "

MODELLED: dict[str, tuple[int, str]] = {
    "AccessDeniedException": (403, "You don't have access to the model with the specified model ID."),
    "ConflictException": (400, "Error occurred because of a conflict while performing an operation."),
    "InternalServerException": (500, "The system encountered an unexpected error during processing. Try again."),
    "ModelErrorException": (
        424,
        "Model produced invalid sequence as part of ToolUse. Please refer to the model tool use troubleshooting guide.",
    ),
    "ModelNotReadyException": (429, "Model is not ready for inference. Wait and try your request again."),
    "ModelStreamErrorException": (
        424,
        "Model produced invalid sequence as part of ToolUse. Please refer to the model tool use troubleshooting guide.",
    ),
    "ModelTimeoutException": (408, "Model has timed out in processing the request. Try your request again."),
    "ResourceNotFoundException": (
        404,
        "Could not resolve the foundation model from the provided model identifier.",
    ),
    "ServiceQuotaExceededException": (400, "Your request exceeds the service quota for your account."),
    "ServiceUnavailableException": (503, "Bedrock is unable to process your request."),
    "ThrottlingException": (429, "Too many requests, please wait before trying again."),
    "ValidationException": (400, "The provided request is not valid."),
}
"""The exceptions of the service model, as botocore 1.43 knows them."""

UNMODELLED: dict[str, tuple[int, str]] = {
    "ExpiredTokenException": (403, f"{CREDENTIALS}expired"),
    "InvalidSignatureException": (403, "Credential should be scoped to correct service: 'bedrock'."),
    "MissingAuthenticationTokenException": (403, "Missing Authentication Token"),
    "SerializationException": (400, "Unexpected token in the request body."),
    "UnknownOperationException": (404, "Unknown operation."),
    "UnrecognizedClientException": (403, f"{CREDENTIALS}invalid."),
}
"""What every AWS service may answer before the service itself is asked: a plain ClientError in botocore."""

ERRORS = MODELLED | UNMODELLED

MID_STREAM: dict[str, str] = {
    name: name[0].lower() + name[1:]
    for name in (
        "InternalServerException",
        "ModelStreamErrorException",
        "ServiceUnavailableException",
        "ThrottlingException",
        "ValidationException",
    )
}
"""The exceptions that ConverseStream's event stream may carry, and their names in it."""


@dataclass(eq=False)
class BedrockError(Exception):
    """An error answer."""

    name: str
    message: str
    status: int

    def body(self) -> dict[str, Any]:
        """Return what stands in the answer's body or in the exception frame."""
        match self.name:
            case "ModelErrorException":
                return {"message": self.message, "originalStatusCode": self.status}
            case "ModelStreamErrorException":
                return {"message": self.message, "originalStatusCode": self.status, "originalMessage": self.message}
            case _:
                return {"message": self.message}


def bedrock_error(name: str, message: str | None = None) -> BedrockError:
    """Return the error of this name with its HTTP code, in its usual words unless others are given."""
    status, usual = ERRORS[name]
    return BedrockError(name, message or usual, status)


def invalid(message: str) -> BedrockError:
    """Return the error that says what is wrong with a request."""
    return bedrock_error("ValidationException", message)
