"""The doctor: asks every engine at once, waits for none for long, and judges what they say."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from airside.facts import (
    TOPICS,
    LogFacts,
    StoreFacts,
    ViewsFacts,
    log_facts,
    store_facts,
    tolerance_ms,
    views_facts,
)
from airside.judging import cassandra, embedded, kafka, layout, redis, topics
from airside.judging.finding import Finding
from airside.settings import Settings
from airside.wiring import Deployment, open_existing, where
from airside.wiring import topics as topics_of
from commands.catalog import Catalog
from commands.license_decider import clock_tolerance_ms
from schemas.errors import AirsideError, NotFound, Unavailable
from schemas.record import CATALOG_TOPIC

SECONDS_MAX = 12.0  # for all engines together
CASSANDRA_SECONDS = 3  # for each of its hosts, one after the other

Facts = TypeVar("Facts")


def examine(settings: Settings) -> list[Finding]:
    """Everything that was found, engine by engine; an engine that is away is a finding too.

    Raises: NotFound where there is nothing to look at.
    """
    try:
        with open_existing(in_haste(settings)) as deployment:
            return findings(deployment)
    except NotFound:
        raise
    except AirsideError as error:  # the embedded engines cannot even be opened
        place = f"no: {settings.data}"
        return [Finding("data directory", "usable", place, "mend", str(error))]


def findings(deployment: Deployment) -> list[Finding]:
    """The same, of what is open."""
    deadline = time.monotonic() + SECONDS_MAX
    asked_store = begin(partial(store_facts, deployment))
    asked_log = begin(partial(log_facts, deployment))
    asked_views = begin(partial(views_facts, deployment))
    log = wait(asked_log, deadline)
    tolerance = clock_tolerance_ms(Catalog.empty())
    if isinstance(log, LogFacts) and CATALOG_TOPIC in log.partitions:
        told = wait(begin(partial(tolerance_ms, deployment)), deadline)
        tolerance = told if isinstance(told, int) else tolerance
    store, views = wait(asked_store, deadline), wait(asked_views, deadline)
    settings = deployment.settings
    shards = store.shards if isinstance(store, StoreFacts) else None
    return [
        *of_store(settings, store, tolerance),
        *of_log(settings, log, tolerance, shards=shards),
        *of_views(settings, views, tolerance),
        *of_layout(store, log, views),
    ]


def in_haste(settings: Settings) -> Settings:
    """The same deployment, asked by somebody who does not wait long for a host."""
    if settings.events is None:
        return settings
    parts = urlsplit(settings.events)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    options["timeout_seconds"] = str(CASSANDRA_SECONDS)
    return replace(settings, events=urlunsplit(parts._replace(query=urlencode(options))))


def begin(ask: Callable[[], Facts]) -> "Future[Facts]":
    """Ask in a thread of its own, which nobody has to wait for."""
    answer: Future[Facts] = Future()

    def work() -> None:
        try:
            answer.set_result(ask())
        except Exception as error:  # noqa: BLE001 - the top of a thread; `wait` raises it again
            answer.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return answer


def wait(answer: "Future[Facts]", deadline: float) -> Facts | AirsideError | OSError:
    """What was answered in time, or why nothing was."""
    try:
        return answer.result(max(0.0, deadline - time.monotonic()))
    except (AirsideError, OSError) as error:
        if isinstance(error, TimeoutError):
            return Unavailable(
                f"No answer in {SECONDS_MAX:.0f} s. Is it up, and reachable from here?"
            )
        return error


def of_store(
    settings: Settings, facts: StoreFacts | Exception, tolerance: int
) -> Iterator[Finding]:
    """Findings about the event store."""
    if isinstance(facts, Exception):
        yield away(cassandra.ENGINE, settings.events, facts)
        return
    if facts.file is not None:
        yield from embedded.judge(cassandra.ENGINE, facts.file)
    if facts.keyspace is not None:
        place = where(settings.events)
        yield from cassandra.judge(facts.keyspace, where=place, tolerance_ms=tolerance)
    if facts.shards is None and (facts.keyspace is None or facts.keyspace.replication):
        advice = "Lay it out: airside init"
        yield Finding(cassandra.ENGINE, "layout", "none yet", "mend", advice)


def of_log(
    settings: Settings, facts: LogFacts | Exception, tolerance: int, *, shards: int | None
) -> Iterator[Finding]:
    """Findings about the log and its topics; `shards` as the event store says, if it does."""
    if isinstance(facts, Exception):
        yield away(kafka.ENGINE, settings.log, facts)
        return
    if settings.is_self_contained:
        yield Finding(kafka.ENGINE, "file", "the event store's")
    elif facts.file is not None:
        yield from embedded.judge(kafka.ENGINE, facts.file)
    place = where(settings.log)
    if facts.cluster is not None:
        yield from kafka.judge(facts.cluster, where=place, tolerance_ms=tolerance)
    wanted = topics_of(shards) if shards is not None else {}
    for name in TOPICS:
        if name not in facts.partitions:
            yield topics.missing(name)
        elif facts.cluster is not None:
            hosts = place.partition("://")[2].partition("/")[0]
            topic = topics.Topic(
                name, facts.topics[name], facts.cluster, wanted.get(name), hosts
            )
            yield from topics.judge(topic)


def of_views(
    settings: Settings, facts: ViewsFacts | Exception, tolerance: int
) -> Iterator[Finding]:
    """Findings about the servers of the read models."""
    if isinstance(facts, Exception):
        yield away(redis.ENGINE, settings.views, facts)
        return
    is_embedded = settings.views is None
    yield from redis.judge(facts.servers, tolerance_ms=tolerance, is_embedded=is_embedded)


def of_layout(
    store: StoreFacts | Exception, log: LogFacts | Exception, views: ViewsFacts | Exception
) -> Iterator[Finding]:
    """Findings about how the three fit together, as far as they answered."""
    partitions = {} if isinstance(log, Exception) else dict(log.partitions)
    partitions.pop(CATALOG_TOPIC, None)  # one, however many shards there are
    return layout.judge(
        stored=None if isinstance(store, Exception) else store.shards,
        history="" if isinstance(store, Exception) else store.history,
        partitions=partitions,
        registries={} if isinstance(views, Exception) else views.registries,
    )


def away(engine: str, url: str | None, error: Exception) -> Finding:
    """An engine could not be asked, or refuses to be used as it is."""
    what = "reached" if isinstance(error, Unavailable) else "usable"
    return Finding(engine, what, f"no: {where(url) or 'embedded'}", "mend", str(error))
