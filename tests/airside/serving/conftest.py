"""A small history of two accounts, served from memory, and the service's reads of it."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from airside.serving.reads import Reads
from schemas import events
from tests.kit.happenings import NOW, happened, history, issued
from tests.kit.looks import MemoryLooks
from tests.kit.served import Served
from tests.kit.two_accounts import OTHER


@pytest.fixture
def served() -> Served:
    served = Served()
    opened = [happened(events.AccountOpened, account_id=name) for name in ("a1", OTHER)]
    served.happened(history(*opened, issued(at=NOW + 5)))
    return served


@pytest.fixture
def looks(served: Served) -> MemoryLooks:
    return MemoryLooks(served.store)


@pytest.fixture
def reads(looks: MemoryLooks) -> Iterator[Reads]:
    with closing(Reads(looks, 4, seconds_max=20.0)) as reads:
        yield reads
        looks.is_open.set()
