"""Engines for tests in which workers die."""

from collections.abc import Iterator

import pytest

from stack.kafka import SHORT_SESSIONS, KafkaBroker
from tests.kit.engines import running


@pytest.fixture(scope="session")
def impatient_kafka(
    jars: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[KafkaBroker]:
    """A broker that takes a silent member's shards away after two seconds, not 45."""
    directory = tmp_path_factory.mktemp("impatient-kafka")
    with running(KafkaBroker(directory, properties=SHORT_SESSIONS)) as broker:
        yield broker
