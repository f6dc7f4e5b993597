"""The gateway over HTTP, on a topic and read models in memory."""

import asyncio
from typing import Any

import httpx
import pytest
from starlette.types import Message

from airside.gateway.gate import Busy
from airside.gateway.keys import parse_key
from airside.gateway.resources import COMMAND_BYTES_MAX
from schemas.errors import NotFound, Unavailable
from schemas.record import shard_of
from tests.kit.gateway import KEY, SHARDS, House, acquire, decided

WAIT = {"Prefer": "wait=5"}
RANDOM_KEY = "919108f7-52d1-4320-9bac-f847db4148a8"


def sent(house: House, body: Any, **how: Any) -> httpx.Response:
    """One POST, in a loop of its own."""
    return asyncio.run(house.send(body, **how))


def test_a_command_is_on_the_topic_when_202_is_said() -> None:
    house = House()
    response = sent(house, acquire())
    key = parse_key(KEY)
    assert response.status_code == 202
    assert response.json() == {
        "command_id": key.command_id,
        "account_id": "a1",
        "issued_at": key.issued_at,
    }
    (command,) = house.topic.commands
    assert (command.command_id, command.account_id) == (key.command_id, "a1")


def test_it_lies_in_its_accounts_partition_under_its_accounts_key() -> None:
    house = House()
    sent(house, acquire(), account="b7")
    ((partition, (key, _)),) = house.topic.records
    assert (partition, key) == (shard_of("b7", SHARDS), b"b7")


def test_with_prefer_wait_the_outcome_is_the_answer() -> None:
    house = House()
    house.topic.after_append = lambda: decided(house)
    response = sent(house, acquire(), headers=WAIT)
    assert response.status_code == 200
    assert response.headers["Preference-Applied"] == "wait=5"
    assert response.json()["outcome"]["status"] == "accepted"
    assert response.json()["token"] == f"{shard_of('a1', SHARDS)}:1"


def test_a_refusal_is_an_outcome_and_no_problem() -> None:
    house = House()
    house.topic.after_append = lambda: decided(house, refused="TITLE_UNKNOWN")
    response = sent(house, acquire(), headers=WAIT)
    assert response.status_code == 200
    assert response.json()["outcome"]["status"] == "refused"
    assert response.json()["outcome"]["code"] == "TITLE_UNKNOWN"
    assert "no such title" in response.json()["explanation"]


def test_a_repeat_gets_the_same_outcome() -> None:
    house = House()
    house.topic.after_append = lambda: decided(house)
    first = sent(house, acquire(), headers=WAIT)
    house.topic.after_append = lambda: None  # the write side adds nothing for a repeat
    again = sent(house, acquire(), headers=WAIT)
    assert again.json() == first.json()


def test_without_an_outcome_in_time_it_is_202_and_the_wait_was_applied() -> None:
    response = sent(House(), acquire(), headers={"Prefer": "wait=0"})
    assert response.status_code == 202
    assert response.headers["Preference-Applied"] == "wait=0"
    assert "outcome" not in response.json()


def test_a_wait_beyond_the_bound_is_cut_and_says_so() -> None:
    house = House()
    house.topic.after_append = lambda: decided(house)
    response = sent(house, acquire(), headers={"Prefer": "respond-async, wait=3600"})
    assert response.headers["Preference-Applied"] == "wait=30"


def test_read_models_that_are_away_do_not_make_an_accepted_command_fail() -> None:
    house = House()
    house.reads.failure = Unavailable("redis is away")
    response = sent(house, acquire(), headers={"Prefer": "wait=1"})
    assert response.status_code == 202
    assert len(house.topic.commands) == 1


def test_with_too_many_waiting_an_accepted_command_is_answered_without_outcome() -> None:
    house = House(waiting_max=0)
    house.topic.after_append = lambda: decided(house)
    assert sent(house, acquire(), headers=WAIT).status_code == 202


def test_a_topic_that_is_away_is_503_and_says_when_to_come_back() -> None:
    house = House()
    house.topic.failure = Unavailable("kafka is away")
    response = sent(house, acquire())
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert response.json()["type"] == "urn:airside:problem:unavailable"
    assert "kafka is away" in response.json()["detail"]
    assert house.topic.commands == []


def test_the_same_request_after_503_is_taken() -> None:
    house = House()
    house.topic.failure = Unavailable("kafka is away")
    sent(house, acquire())
    house.topic.failure = None
    assert sent(house, acquire()).status_code == 202
    assert len(house.topic.commands) == 1


def test_more_than_may_be_on_the_way_is_429_and_nothing_is_sent() -> None:
    async def crowded() -> tuple[httpx.Response, int, httpx.Response]:
        house = House(in_flight_max=1)
        house.topic.open.clear()
        first = asyncio.create_task(house.send(acquire()))
        while not house.topic.appends:
            await asyncio.sleep(0)
        second = await house.send(acquire(), key="01935e5a-5481-7000-8000-000000000002")
        house.topic.open.set()
        return await first, len(house.topic.records), second

    first, count, second = asyncio.run(crowded())
    assert (first.status_code, count) == (202, 1)
    assert second.status_code == 429
    assert second.headers["Retry-After"] == "1"
    assert "Nothing was sent" in second.json()["detail"]


def test_what_was_on_the_way_makes_room_when_it_is_done_or_failed() -> None:
    house = House(in_flight_max=1)
    house.topic.failure = Unavailable("kafka is away")
    sent(house, acquire())
    house.topic.failure = None
    assert sent(house, acquire()).status_code == 202


def test_a_key_that_is_used_for_another_command_is_422() -> None:
    house = House()
    sent(house, acquire())
    response = sent(house, acquire(title_id="t2"))
    assert response.status_code == 422
    assert response.json()["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert len(house.topic.commands) == 1


def test_an_outcome_of_another_kind_of_command_tells_of_a_reused_key_too() -> None:
    house = House()
    house.topic.after_append = lambda: decided(house, refused="DEVICE_UNKNOWN")
    sent(house, {"type": "RemoveDevice", "device_id": "d1"}, headers=WAIT)
    other = House(served=house.served)  # a gateway that has not seen the first one
    response = sent(other, acquire(), headers=WAIT)
    assert response.status_code == 422


@pytest.mark.parametrize(
    ("body", "how", "status", "what"),
    [
        (acquire(), {"key": None}, 400, "Idempotency-Key"),
        (acquire(), {"key": "seventeen"}, 400, "not a UUID"),
        (acquire(), {"key": RANDOM_KEY}, 400, "issued_at"),
        (acquire(device_id=""), {}, 400, 'AcquireLicense.device_id = ""'),
        ({"type": "Aquire"}, {}, 400, "Did you mean"),
        (b"{", {"headers": {"Content-Type": "application/json"}}, 400, "no JSON"),
        (b"a=1", {"headers": {"Content-Type": "text/plain"}}, 415, "Content-Type"),
        (b"{}", {}, 415, "Content-Type"),
        (acquire(quality="x" * COMMAND_BYTES_MAX), {}, 413, f"{COMMAND_BYTES_MAX} bytes"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_and_nothing_is_sent(
    body: Any, how: dict[str, Any], status: int, what: str
) -> None:
    house = House()
    response = sent(house, body, **how)
    assert (response.status_code, house.topic.commands) == (status, [])
    assert response.headers["Content-Type"] == "application/problem+json"
    assert what in response.json()["detail"]


def test_a_topic_that_does_not_exist_says_how_to_make_it() -> None:
    house = House()
    house.topic.failure = NotFound("topic commands has not been created: airside init")
    assert sent(house, acquire()).json()["detail"].endswith("airside init")


def test_a_body_that_breaks_off_is_no_mistake_of_the_service() -> None:
    house = House()
    said: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        said.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/accounts/a1/commands",
        "raw_path": b"/v1/accounts/a1/commands",
        "query_string": b"",
        "headers": [(b"idempotency-key", KEY.encode()), (b"content-type", b"application/json")],
    }
    asyncio.run(house.app(scope, receive, send))
    assert (said[0]["status"], house.topic.commands) == (400, [])


def test_a_batch_is_appended_at_once_and_in_order() -> None:
    house = House()
    house.topic.after_append = lambda: decided(house)
    titles = ["t2", "t1", "t3"]
    body = {"commands": [acquire(title_id=title) for title in titles]}
    response = sent(house, body, path="commands:batch", headers=WAIT)
    assert response.status_code == 200
    assert house.topic.appends == 1
    assert [getattr(c, "title_id", "") for c in house.topic.commands] == titles
    assert [one["outcome"]["status"] for one in response.json()["commands"]] == ["accepted"] * 3
    assert response.json()["token"] == f"{shard_of('a1', SHARDS)}:3"


def test_a_batch_with_one_wrong_command_sends_none_and_lists_what_is_wrong() -> None:
    house = House()
    body = {"commands": [acquire(), acquire(device_id=None)]}
    response = sent(house, body, path="commands:batch")
    assert (response.status_code, house.topic.commands) == (400, [])
    (error,) = response.json()["errors"]
    assert error.startswith("commands[1]: AcquireLicense.device_id = null")


def test_a_batch_that_was_cut_off_is_completed_by_the_same_request() -> None:
    house = House()
    body = {"commands": [acquire(title_id="t1"), acquire(title_id="t2")]}
    house.topic.failure, house.topic.kept_before_failing = Unavailable("cut"), 1
    assert sent(house, body, path="commands:batch").status_code == 503
    house.topic.failure = None
    assert sent(house, body, path="commands:batch").status_code == 202
    first, *again = [command.command_id for command in house.topic.commands]
    assert again[0] == first  # a repeat, which adds nothing
    assert len(set(again)) == 2


def test_busy_is_not_taken_for_an_engine_that_is_away() -> None:
    house = House()
    house.topic.failure = Busy("full")
    assert sent(house, acquire()).status_code == 429


@pytest.mark.parametrize(
    ("failure", "status", "missing"),
    [
        (None, 200, {}),
        (Unavailable("kafka is away"), 503, {"commands topic": "kafka is away"}),
    ],
)
def test_it_is_ready_when_its_topic_answers(
    failure: Unavailable | None, status: int, missing: dict[str, str]
) -> None:
    async def look() -> httpx.Response:
        house = House()
        house.topic.failure = failure
        async with house.client() as client:
            return await client.get("/readyz")

    response = asyncio.run(look())
    assert (response.status_code, response.json()["missing"]) == (status, missing)
