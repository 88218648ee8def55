"""The moment between an answer and what it does: time for the caller's next words to change it.

On the phone requests are guesses: "yes" may go on as "yes, but not that one". So an answer first settles, in the
ledger, where every replica sees it; only what still stands after the wait is carried out. In chat there is no wait.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from graph.card_turn import CardTurn
from teller.cards.ledger import CardView, Ledger, NotProvenError, TooManyOrdersError
from teller.cards.records import UNDER_WAY, Card, CardRecord, Operation, Wish, WishState
from teller.settings import Settings
from tools.cards import CardTools

_log = structlog.get_logger(__name__)

_MOST_WAITS = 3  # of one request; each further one follows another that was given up in its wait


class OvertakenError(Exception):
    """A newer request speaks for this turn now: nothing was done for this one, and nothing may be told of it."""


class Settling:
    """Carries out what has settled. `unfinished`: what goes on when a caller hangs up, for the shutdown to wait for."""

    def __init__(self, ledger: Ledger, settings: Settings, unfinished: set[asyncio.Task[Any]]) -> None:
        self._tools, self._now = CardTools(ledger), ledger.now
        self._block_seconds = settings.settle_ms / 1000
        self._final_seconds = settings.settle_final_ms / 1000
        self._unfinished = unfinished

    async def carry_out(self, turn: CardTurn, wish: Wish, answer_hash: str, card: Card) -> CardRecord | None:
        """Do a wish once its answer has settled; None where the card changed meanwhile.

        A caller who says yes and hangs up is protected all the same: a block goes on. Anything else is left open.

        Raises:
            OvertakenError: newer words came.
            NotProvenError: the caller's PIN counts no more.
        """
        work = self._settle_and_commit(turn, wish, answer_hash, card)
        if wish.operation is Operation.BLOCK:
            return await asyncio.shield(self._going_on(work))
        return await work

    async def correction_stands(self, turn: CardTurn, blocked: Wish) -> None:
        """Return when a block may be taken back; a caller who hangs up before that has not said so.

        Raises:
            OvertakenError: newer words came.
        """
        if turn.channel != "voice":
            return
        await asyncio.sleep(self._block_seconds)
        if not await self._is_newest(turn, blocked):
            raise OvertakenError

    async def pin_stands(self, turn: CardTurn, wish: Wish, answer_hash: str) -> None:
        """Return when a PIN that was said may be judged: it stood for a while, and no other words came.

        Raises:
            OvertakenError: other words came.
        """
        if turn.channel != "voice":
            return
        await self._wait(turn, wish, answer_hash, self._block_seconds)
        if not await self._tools.reopen(wish.id, answer_hash) and not await self._is_newest(turn, wish):
            raise OvertakenError

    async def _settle_and_commit(self, turn: CardTurn, wish: Wish, answer_hash: str, card: Card) -> CardRecord | None:
        seconds = self._block_seconds if wish.operation is Operation.BLOCK else self._final_seconds
        for _ in range(_MOST_WAITS):
            await self._wait(turn, wish, answer_hash, seconds if turn.channel == "voice" else 0.0)
            record = await self._tools.carry_out_confirmed(wish.id, answer_hash, card)
            if record is not None:
                return record
            now = await self._now_of(turn, wish)
            if now and now.state is WishState.SETTLING and now.answer_hash != answer_hash:
                raise OvertakenError
            if now is None or now.state is not WishState.OPEN:
                return None
        return None

    async def _wait(self, turn: CardTurn, wish: Wish, answer_hash: str, seconds: float) -> None:
        settles_at = await self._tools.settle(wish.id, answer_hash, turn.requested_at, seconds)
        if settles_at is None:
            await self._raise_if_overtaken(turn, wish)
            return
        try:
            await asyncio.sleep((settles_at - self._now()).total_seconds())
        except asyncio.CancelledError:
            self._going_on(self._open_again(turn, wish, answer_hash))
            raise

    async def _raise_if_overtaken(self, turn: CardTurn, wish: Wish) -> None:
        """Nothing settled: done already (the commit finds it), or a newer request was seen."""
        now = await self._now_of(turn, wish)
        if now and now.state in UNDER_WAY:
            raise OvertakenError

    async def _open_again(self, turn: CardTurn, wish: Wish, answer_hash: str) -> None:
        """The caller hung up in the wait: the wish is open again, unless a newer request waits with the same words."""
        if await self._is_newest(turn, wish):
            await self._tools.reopen(wish.id, answer_hash)

    async def _is_newest(self, turn: CardTurn, wish: Wish) -> bool:
        now = await self._now_of(turn, wish)
        return now is not None and (now.newest_request is None or now.newest_request <= turn.requested_at)

    async def _now_of(self, turn: CardTurn, wish: Wish) -> Wish | None:
        view: CardView = await self._tools.view_cards(turn.phone, turn.conversation)
        return next((one for one in view.wishes if one.id == wish.id), None)

    def _going_on(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Begin what ends even if the turn is cancelled."""
        task = asyncio.create_task(work)
        self._unfinished.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._unfinished.discard(task)
        failure = None if task.cancelled() else task.exception()
        if failure and not isinstance(failure, OvertakenError | NotProvenError | TooManyOrdersError):
            _log.warning("what settled could not be carried out", error=type(failure).__name__)
