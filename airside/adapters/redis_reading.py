"""Reads of many keys at once: one request to each server, each key with its own answer."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

import hiredis
import redis

from airside.adapters.redis_script import Command, read
from airside.adapters.redis_servers import (
    FAILURES,
    RETRIES_MAX,
    RETRY_PAUSE_SECONDS,
    Servers,
)
from schemas.errors import AirsideError

Request = tuple[str, Sequence[Command]]
"""The key that says which server to ask, and what."""


def read_each(servers: Servers, asked: Sequence[Request]) -> list[Any]:
    """For each key and its commands the last one's answer, or the Unavailable that it met.

    One request to each server, in the order given; where a connection is lost, what had no
    answer is asked for again, but a server that is silent is not waited for twice.
    """
    answers: list[Any] = [None] * len(asked)
    left = list(range(len(asked)))
    for attempts_left in reversed(range(RETRIES_MAX + 1)):
        for place, answer in _round(servers, asked, left):
            answers[place] = answer
        left = [place for place in left if isinstance(answers[place], redis.ConnectionError)]
        if not left or not attempts_left:
            break
        time.sleep(RETRY_PAUSE_SECONDS)
    return [
        _settled(servers, answer, *asked[place]) if isinstance(answer, FAILURES) else answer
        for place, answer in enumerate(answers)
    ]


def _settled(servers: Servers, error: Exception, key: str, commands: Sequence[Command]) -> Any:
    """What a refusal comes to: it may only say that the key lives elsewhere now."""
    try:
        if isinstance(error, redis.ResponseError):
            return read(servers, key, *commands)
        servers.unavailable(error)
    except AirsideError as unavailable:
        return unavailable


def _round(
    servers: Servers, asked: Sequence[Request], places: Sequence[int]
) -> Iterator[tuple[int, Any]]:
    """Ask once for these places; each with its answer, or with the error."""
    bundles: dict[Any, list[int]] = {}
    for place in places:
        try:
            bundles.setdefault(servers.owner(asked[place][0]).connection_pool, []).append(place)
        except FAILURES as error:
            yield place, error
    sent: list[tuple[Any, Any, list[int]]] = []
    for pool, some in bundles.items():
        try:
            sent.append((pool, _sent(pool, [asked[place][1] for place in some]), some))
        except FAILURES as error:
            servers.lost()
            yield from ((place, error) for place in some)
    for pool, connection, some in sent:
        yield from _answers(servers, pool, connection, [(p, len(asked[p][1])) for p in some])


def _sent(pool: Any, requests: Sequence[Sequence[Command]]) -> Any:
    """The connection on which they are on their way."""
    connection = pool.get_connection()
    try:
        connection.send_packed_command(
            [b"".join(hiredis.pack_command(tuple(c)) for some in requests for c in some)]
        )
    except BaseException:
        connection.disconnect()
        pool.release(connection)
        raise
    return connection


def _answers(
    servers: Servers, pool: Any, connection: Any, counts: Sequence[tuple[int, int]]
) -> Iterator[tuple[int, Any]]:
    """Each place with the last of its answers, or with the first that is an error."""
    lost: Exception | None = None
    try:
        for place, count in counts:
            if lost is not None:
                yield place, lost
                continue
            first: Exception | None = None
            reply: Any = None
            try:
                for _ in range(count):
                    try:
                        reply = connection.read_response(disconnect_on_error=True)
                    except redis.ResponseError as error:
                        first = first or error
            except FAILURES as error:
                servers.lost()
                connection.disconnect()
                lost = first = error
            yield place, first or reply
    except BaseException:  # replies may still follow, and would be another reader's answers
        connection.disconnect()
        raise
    finally:
        pool.release(connection)
