"""What a turn's caller must pass before the turn runs, the same at every door."""

from fastapi import Request

from graph.history import resolved_caller
from graph.state import InputState
from teller.errors import LedgerUnavailableError
from teller.keys import ApiKey
from teller.services import Services


async def admit_caller(request: Request, key: ApiKey, given: InputState) -> None:
    """Count a turn of the caller whom it names; a turn without a number is not counted.

    Raises:
        ApiError: 429, too many turns for this number, or too many unknown numbers by this client.
    """
    phone = resolved_caller(given.get("caller"), given["messages"]).phone
    if phone is None:
        return
    services: Services = request.app.state.services

    async def is_known(number: str) -> bool:
        try:
            return (await services.ledger.view(number, None)).holder is not None
        except LedgerUnavailableError:  # then the turn itself has nothing to tell either
            return True

    address = request.client.host if request.client else ""
    await request.app.state.rates.admit_number(key.name or address, phone, is_known)
    await request.app.state.rates.admit_caller(phone)
