"""Calls made at the same moment, each in a thread of its own."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from schemas.errors import AirsideError

T = TypeVar("T")


def together(calls: Sequence[Callable[[], T]]) -> list[T]:
    """What each returned, in order. Raises: what the first failing one raised."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        barrier.wait(60)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(run, call) for call in calls]]


def outcome(call: Callable[[], object]) -> str:
    """`done`, or the name of the error that was raised on purpose."""
    try:
        call()
    except AirsideError as error:
        return type(error).__name__
    return "done"
