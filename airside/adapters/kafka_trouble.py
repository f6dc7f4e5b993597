"""What went wrong with Kafka, in words: every error of a client becomes one of ours."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from schemas.errors import (
    AirsideError,
    Contradiction,
    NotFound,
    TooLarge,
    Unavailable,
)

RECENT_SECONDS = 60.0  # a trouble heard of explains what fails so long after it

REFUSED = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}
UNKNOWN_USER = {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED}
MISSING = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
}
TOO_LARGE = {KafkaError.MSG_SIZE_TOO_LARGE}
UNFIT = {
    KafkaError.INVALID_REPLICATION_FACTOR,
    KafkaError.INVALID_CONFIG,
    KafkaError.POLICY_VIOLATION,
    KafkaError.INVALID_PARTITIONS,
    KafkaError.TOPIC_EXCEPTION,
}

log = logging.getLogger("airside.kafka")


class ClientLog:
    """Where librdkafka logs to, as the option `logger`: without one it writes to stderr.

    What matters of it is an error too, that is told or mended; so here it is for debugging.
    """

    def log(self, level: int, message: str, *values: object) -> None:
        """One line of its log."""
        log.debug("librdkafka: " + message, *values)


class Trouble:
    """What clients report on their own account: connections refused, passwords that are wrong.

    Requests that meet it only time out, so it is kept to explain them. For all the clients of
    one log; threads may share it.
    """

    def __init__(self, brokers: str) -> None:
        self.brokers = brokers  # where, without a password
        self._heard: tuple[float, KafkaError] | None = None

    def callbacks(self) -> dict[str, Any]:
        """What every client is made with, beside its settings."""
        return {"error_cb": self.hear, "logger": ClientLog()}

    def hear(self, error: KafkaError) -> None:
        """A client's `error_cb`."""
        known = self.recent()
        if error.code() == KafkaError._ALL_BROKERS_DOWN and known is not None:
            return  # the reason says more than its sum
        if known is None or known.code() != error.code():  # else many times a second
            log.warning("kafka trouble brokers=%s because %s", self.brokers, error.str())
        self._heard = (time.monotonic(), error)

    def recent(self) -> KafkaError | None:
        """The last one heard, if it is not long ago."""
        if self._heard is None or time.monotonic() - self._heard[0] > RECENT_SECONDS:
            return None
        return self._heard[1]

    def explain(self, error: KafkaError, doing: str) -> AirsideError:
        """Our error for one of Kafka's; `doing` is what was tried: `append to commands`."""
        known = self.recent()
        if known is not None and known.code() in UNKNOWN_USER:
            error = known
        fact = f"{self.brokers}, {doing}: {error.str()}"
        code = error.code()
        if code in UNKNOWN_USER:
            return Unavailable(f"{fact}. Check user, password and the option sasl.")
        if code in REFUSED:
            return Unavailable(
                f"{fact}. Give this user the right with kafka-acls; it is tried again."
            )
        if code in MISSING:
            return NotFound(f"{fact}. Create it first: airside init.")
        if code in TOO_LARGE:
            return TooLarge(f"{fact}. Raise the topic's max.message.bytes, or send less.")
        if code in UNFIT:
            return Contradiction(f"{fact}. Change the options of the address, or the cluster.")
        if error.fatal():
            return Unavailable(f"{fact}. What lies behind it was not sent: send it again.")
        why = f" ({known.str()})" if known is not None and known is not error else ""
        return Unavailable(f"{fact}{why}. Are the brokers running, and reachable from here?")

    @contextmanager
    def translated(self, doing: str) -> Iterator[None]:
        """Raises: our error where the block raises one of Kafka's."""
        try:
            yield
        except KafkaException as raised:
            raise self.explain(raised.args[0], doing) from raised
