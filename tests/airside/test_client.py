"""The client: what it sends, how it tries again, what it raises."""

import json

import httpx
import pytest

from airside.client import Airside
from airside.http_client import calls
from airside.http_client.problems import (
    BadRequest,
    Conflict,
    KeyReused,
    Missing,
    NotAllowed,
    NotAuthenticated,
    Problem,
    ServiceFailed,
    TooMany,
    Unreachable,
)
from tests.kit.web_answers import Answers, accepted, event, problem, streamed

TALLY = {
    "id": "t1",
    "standing": {"as_of": 1, "version": 2, "generation": "titles.1"},
    "tally": {},
}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits here."""
    monkeypatch.setattr(calls, "PAUSE_SECONDS_MAX", 0.0)


def sent(client: Airside, key: str | None = None) -> object:
    with client:
        return client.send("a1", "AcquireLicense", device_id="d1", title_id="t1", key=key)


# commands


def test_a_command_is_posted_with_its_key_and_the_wish_to_wait() -> None:
    answers = Answers(accepted())
    sent(answers.client(token="t0"))
    (request,) = answers.requests
    assert str(request.url) == "http://gateway/v1/accounts/a1/commands"
    assert json.loads(request.content) == {
        "type": "AcquireLicense",
        "device_id": "d1",
        "title_id": "t1",
    }
    assert request.headers["Authorization"] == "Bearer t0"
    assert request.headers["Prefer"] == "wait=5"


def test_the_outcome_is_typed() -> None:
    with Answers(accepted()).client() as client:
        answer = client.send("a1", "RenewDevice", device_id="d1")
    assert answer.outcome is not None
    assert (answer.outcome.status, answer.outcome.seq, answer.token) == ("accepted", 42, "3:42")


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        problem(503),
        problem(429),
        problem(502),
    ],
)
def test_it_tries_again_with_the_same_key_and_the_same_bytes(failure: Exception) -> None:
    answers = Answers(failure, failure, accepted())
    sent(answers.client())
    assert len(answers.requests) == 3
    assert len(set(answers.header("Idempotency-Key"))) == 1
    assert len({request.content for request in answers.requests}) == 1


def test_two_commands_have_two_keys() -> None:
    answers = Answers(accepted())
    with answers.client() as client:
        client.send("a1", "RenewDevice", device_id="d1")
        client.send("a1", "RenewDevice", device_id="d1")
    assert len(set(answers.header("Idempotency-Key"))) == 2


def test_a_key_of_the_caller_is_used() -> None:
    answers = Answers(accepted())
    sent(answers.client(), key="017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    assert answers.header("Idempotency-Key") == ["017f22e2-79b0-7cc3-98c4-dc0c0c07398f"]


def test_it_gives_up_after_a_bound_and_says_that_it_may_have_arrived() -> None:
    answers = Answers(httpx.ConnectError("refused"))
    with pytest.raises(Unreachable, match=r"http://gateway/.* no answer \(ConnectError"):
        sent(answers.client(attempts_max=3))
    assert len(answers.requests) == 3


def test_a_token_function_is_asked_for_each_attempt() -> None:
    tokens = iter(("old", "new"))
    answers = Answers(problem(503), accepted())
    sent(answers.client(token=lambda: next(tokens)))
    assert answers.header("Authorization") == ["Bearer old", "Bearer new"]


@pytest.mark.parametrize(
    ("token", "sent_as"), [("t0\n", "Bearer t0"), ("", None), (None, None)]
)
def test_a_token_is_sent_as_it_should_be(token: str | None, sent_as: str | None) -> None:
    answers = Answers(accepted())
    sent(answers.client(token=token))
    assert answers.requests[0].headers.get("Authorization") == sent_as


def test_retry_after_is_waited_for() -> None:
    slept: list[float] = []
    client = calls.Calls(
        httpx.Client(
            transport=httpx.MockTransport(
                Answers(problem(503, headers={"Retry-After": "7"}), accepted())
            )
        ),
        None,
        attempts_max=2,
        sleep=slept.append,
    )
    client.request("GET", "http://query/x")
    assert slept == [7.0]


def test_a_very_long_retry_after_is_left_to_the_caller() -> None:
    answers = Answers(problem(429, headers={"Retry-After": "3600"}))
    with pytest.raises(TooMany) as raised:
        sent(answers.client())
    assert (raised.value.retry_after_seconds, len(answers.requests)) == (3_600.0, 1)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "", BadRequest),
        (413, "", BadRequest),
        (422, "IDEMPOTENCY_KEY_REUSED", KeyReused),
        (401, "", NotAuthenticated),
        (403, "", NotAllowed),
        (404, "", Missing),
        (409, "LICENSE_EXPIRED", Conflict),
        (429, "", TooMany),
        (500, "", ServiceFailed),
        (503, "", ServiceFailed),
    ],
)
def test_a_problem_is_an_error_of_its_own_with_the_services_words(
    status: int, code: str, kind: type[Problem]
) -> None:
    answers = Answers(problem(status, detail="what and why", code=code))
    with pytest.raises(kind, match="what and why") as raised:
        sent(answers.client(attempts_max=1))
    assert (raised.value.status, raised.value.code) == (status, code)


def test_an_answer_of_some_proxy_is_an_error_all_the_same() -> None:
    answers = Answers(httpx.Response(404, text="<html>nothing here"))
    with pytest.raises(Missing, match="<html>nothing here"):
        sent(answers.client())


# reads


def test_reads_of_an_account_hold_what_was_written_before() -> None:
    answers = Answers(accepted(), accepted(token="3:50"), problem(404))
    with answers.client() as client:
        client.send("a1", "RenewDevice", device_id="d1")
        client.send("a1", "RenewDevice", device_id="d1")
        with pytest.raises(Missing):
            client.devices("a1")
        with pytest.raises(Missing):
            client.devices("a2")
    own, other = (request.url.params for request in answers.requests[2:])
    assert (own["min_version"], own["wait"]) == ("3:50", "5")
    assert "min_version" not in other


def test_an_older_token_does_not_take_the_place_of_a_newer_one() -> None:
    answers = Answers(accepted(token="3:50"), accepted(token="3:9"), problem(404))
    with answers.client() as client:
        client.send("a1", "RenewDevice", device_id="d1")
        client.send("a1", "RenewDevice", device_id="d1")
        with pytest.raises(Missing):
            client.devices("a1")
    assert answers.requests[-1].url.params["min_version"] == "3:50"


def test_ids_are_written_so_that_no_slash_gets_lost() -> None:
    answers = Answers(httpx.Response(200, json=TALLY))
    with answers.client() as client:
        client.title("a/b c")
    assert answers.requests[0].url.raw_path == b"/v1/titles/a%2Fb%20c"


def test_every_page_of_a_list_is_asked_for() -> None:
    same = {"at": 1, "type": "X", "actor": "", "command_id": "", "catalog_version": 0}
    entries = [{**same, "version": version, "facts": {}} for version in (3, 2, 1)]
    page = {"account_id": "a1", "version": 3, "before": None, "standing": TALLY["standing"]}
    answers = Answers(
        httpx.Response(200, json={**page, "entries": entries[:2], "next": "abc"}),
        httpx.Response(200, json={**page, "entries": entries[2:], "next": None}),
    )
    with answers.client() as client:
        versions = [entry.version for entry in client.timeline("a1")]
    assert versions == [3, 2, 1]
    assert [request.url.params.get("cursor") for request in answers.requests] == [None, "abc"]


# events


def test_a_stream_that_breaks_goes_on_behind_the_last_event() -> None:
    answers = Answers(
        streamed(*event("state", 4), *event("change", 5), then=httpx.ReadError("cut")),
        problem(503),
        streamed(": still here", *event("change", 6), *event("end", 7)),
    )
    with answers.client() as client:
        found = [(one.kind, one.id) for one in client.events("a1")]
    assert found == [("state", "4"), ("change", "5"), ("change", "6"), ("end", "7")]
    assert answers.header("Last-Event-ID") == [None, "5", "5"]


def test_an_event_that_is_cut_off_is_not_handed_out() -> None:
    answers = Answers(
        streamed(*event("state", 4), *event("change", 5)[:-1], then=httpx.ReadError("cut")),
        streamed(*event("change", 5), *event("end", 6)),
    )
    with answers.client() as client:
        assert [one.id for one in client.events("a1")] == ["4", "5", "6"]


def test_a_stream_that_is_not_allowed_is_not_tried_again() -> None:
    answers = Answers(problem(403, detail="not yours"))
    with answers.client() as client, pytest.raises(NotAllowed):
        next(client.events("a1"))
    assert len(answers.requests) == 1


def test_a_stream_that_never_brings_anything_is_given_up() -> None:
    answers = Answers(httpx.ConnectError("refused"))
    with answers.client(attempts_max=3) as client, pytest.raises(Unreachable):
        next(client.events("a1"))
    assert len(answers.requests) == 4


def test_resuming_from_outside_begins_behind_that_event() -> None:
    answers = Answers(streamed(*event("change", 9)))
    with answers.client() as client:
        assert next(client.events("a1", last_id="8")).id == "9"
    assert answers.header("Last-Event-ID") == ["8"]
