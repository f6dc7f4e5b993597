"""Engines are chosen together."""

import pytest

from airside.settings import Settings
from schemas.errors import Invalid

EVENTS, LOG, VIEWS = "cassandra://h", "kafka://h", "redis://h"


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(views=VIEWS),
        Settings(events=EVENTS, log=LOG, views=VIEWS),
    ],
)
def test_all_embedded_or_all_real_or_read_models_elsewhere(settings: Settings) -> None:
    assert settings.check() is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (Settings(events=EVENTS), "AIRSIDE_LOG and AIRSIDE_VIEWS not set, but AIRSIDE_EVENTS"),
        (Settings(events=EVENTS, views=VIEWS), "AIRSIDE_LOG not set, but AIRSIDE_EVENTS and"),
        (Settings(events=EVENTS, log=LOG), "AIRSIDE_VIEWS not set"),
        (Settings(log=LOG, views=VIEWS), "AIRSIDE_EVENTS not set"),
    ],
)
def test_a_part_of_the_engines_is_refused(settings: Settings, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        settings.check()
