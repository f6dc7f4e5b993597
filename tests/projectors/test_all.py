"""What holds for every read model: it reads what it says, and depends on nothing else."""

from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projectors.all import PROJECTIONS
from projectors.projection import Projection
from schemas import events
from schemas.envelope import Event
from tests.kit.fold import as_json, decoded, reread, rows_of
from tests.kit.happenings import HOUR, NOW, happened, history, id_of

EVENT_TYPES: tuple[type[Event], ...] = get_args(events.AnyEvent)
LASTING = tuple(one for one in EVENT_TYPES if one is not events.AccountErased)

every_projection = pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda p: p.name)
every_event_type = pytest.mark.parametrize("event_type", EVENT_TYPES, ids=lambda t: t.__name__)

INSTANTS = st.integers(NOW, NOW + 400 * 24 * HOUR) | st.integers(NOW, NOW + HOUR)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "command_id": st.sampled_from([id_of(900), id_of(901)]),
    "device_id": st.sampled_from(["d1", "d2"]),
    "title_id": st.sampled_from(["t1", "t2"]),
    "studio_id": st.sampled_from(["s1", "s2"]),
    "license_id": st.sampled_from([id_of(n) for n in range(4)]),
    "counted": st.booleans(),
    "was_expired": st.booleans(),
    "late": st.booleans(),
    "limit": st.none() | st.integers(0, 5),
    "device_limit": st.none() | st.integers(0, 5),
    "slots_limit": st.none() | st.integers(0, 5),
    "lease_until": st.none() | INSTANTS,
    "due_at": st.none() | INSTANTS,
    "next_due_at": st.none() | INSTANTS,
    "expires_at": INSTANTS,
    "previous_expires_at": INSTANTS,
    "counted_at": INSTANTS,
    "started_at": INSTANTS,
    "status": st.sampled_from(["started", "completed", "failed"]),
    "code": st.sampled_from(["TITLE_PERIOD_LIMIT", "DEVICE_UNKNOWN"]),
    "rule": st.sampled_from(["", "R14"]),
    "warnings": st.lists(st.sampled_from(["A", "B"]), max_size=2).map(tuple),
    "detail": st.sampled_from(["", "in words"]),
}


@st.composite
def happenings(draw: st.DrawFn) -> Event:
    event_type = draw(st.sampled_from(EVENT_TYPES))
    names = [name for name in event_type.__struct_fields__ if name in FIELDS]
    return happened(event_type, **{name: draw(FIELDS[name]) for name in names})


@st.composite
def histories(draw: st.DrawFn) -> tuple[Event, ...]:
    numbered = history(*draw(st.lists(happenings(), max_size=30)))
    steps = draw(st.lists(st.integers(0, 40 * 24 * HOUR), min_size=30, max_size=30))
    return tuple(
        msgspec.structs.replace(event, at=NOW + sum(steps[: event.version]))
        for event in numbered
    )


def test_names_are_different() -> None:
    assert len({projection.name for projection in PROJECTIONS}) == len(PROJECTIONS)


@every_projection
def test_a_projection_reads_only_fields_that_exist(projection: Projection[Any]) -> None:
    fields = {name for event_type in projection.folds for name in event_type.__struct_fields__}
    assert set(projection.reads or ()) <= fields


@every_projection
@every_event_type
def test_a_projection_says_what_it_reads(
    projection: Projection[Any], event_type: type[Event]
) -> None:
    before = [happened(one) for one in LASTING]
    given = history(*before, happened(event_type))
    assert as_json(decoded(projection, given)) == as_json(rows_of(projection, given))


@every_projection
@every_event_type
def test_any_event_may_come_first(projection: Projection[Any], event_type: type[Event]) -> None:
    given = history(happened(event_type))
    assert as_json(decoded(projection, given)) == as_json(rows_of(projection, given))


@every_projection
@settings(max_examples=30)
@given(given=histories())
def test_a_partly_decoded_event_means_the_same(
    projection: Projection[Any], given: tuple[Event, ...]
) -> None:
    assert as_json(decoded(projection, given)) == as_json(rows_of(projection, given))


@every_projection
@settings(max_examples=30)
@given(given=histories())
def test_a_worker_that_starts_anew_after_every_event_makes_the_same_rows(
    projection: Projection[Any], given: tuple[Event, ...]
) -> None:
    assert as_json(reread(projection, given)) == as_json(rows_of(projection, given))


# Outcomes stay: they are kept by command, and name no title, device or person.
@pytest.mark.parametrize("projection", [p for p in PROJECTIONS if p.name != "outcomes"])
@settings(max_examples=30)
@given(given=histories())
def test_an_erased_account_leaves_nothing_of_itself(
    projection: Projection[Any], given: tuple[Event, ...]
) -> None:
    erased = happened(events.AccountErased)
    rows = rows_of(projection, history(*given, erased))
    assert {key for key in rows if key.partition("/")[0] == "a1"} == set()


@every_projection
def test_rows_of_older_code_can_be_read_until_new_ones_are_served(
    projection: Projection[Any],
) -> None:
    # a field without a default would make every query fail while the new rows are built
    assert msgspec.json.decode(b"{}", type=projection.row_type) is not None
