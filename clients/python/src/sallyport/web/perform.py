"""Drives the steps of a guard: makes each call and hands its answer back, with and without asyncio."""

import asyncio
from typing import Any, TypeVar

from sallyport import aio
from sallyport.client import Client
from sallyport.errors import InvalidToken, SallyportError
from sallyport.operations import Operation
from sallyport.token_verifier import TokenVerifier
from sallyport.web.reply import Refusal
from sallyport.web.steps import LocalVerification, Steps

Answer = TypeVar("Answer")


def perform(steps: Steps[Answer], client: Client, verifier: TokenVerifier | None) -> Answer:
    """`verifier` may be None where the settings name no issuer."""
    try:
        step = next(steps)
        while True:
            try:
                answer = _answer(step, client, verifier)
            except (SallyportError, InvalidToken) as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as done:
        result: Answer = done.value
        return result
    except UnicodeEncodeError:
        raise _no_text() from None


def _answer(step: Operation[Any] | LocalVerification, client: Client, verifier: TokenVerifier | None) -> Any:
    if isinstance(step, LocalVerification):
        return _verifier(verifier).verify(step.token)
    return client.perform(step)


async def _answer_async(
    step: Operation[Any] | LocalVerification, client: aio.Client, verifier: TokenVerifier | None
) -> Any:
    if isinstance(step, LocalVerification):
        return await asyncio.to_thread(_verifier(verifier).verify, step.token)
    return await client.perform(step)


async def perform_async(steps: Steps[Answer], client: aio.Client, verifier: TokenVerifier | None) -> Answer:
    """The same for asyncio. The verifier is the one that follows in a thread; where it must wait, another thread does."""
    try:
        step = next(steps)
        while True:
            try:
                answer = await _answer_async(step, client, verifier)
            except (SallyportError, InvalidToken) as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as done:
        result: Answer = done.value
        return result
    except UnicodeEncodeError:
        raise _no_text() from None


def _no_text() -> Refusal:
    """JSON can say a lone surrogate, which no protocol buffer takes: what the page sent is no text."""
    return Refusal("malformed")


def _verifier(verifier: TokenVerifier | None) -> TokenVerifier:
    if verifier is None:
        raise SallyportError("access tokens cannot be verified here: the settings name no issuer")
    return verifier
