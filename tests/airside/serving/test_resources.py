"""The resources of the query service, on the small history of tests/kit/sample.py."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from airside.serving.parameters import COMMAND_ID, LICENSE_ID
from airside.web.app import edge_of
from airside.web.handler import Edge
from airside.web.settings import HttpSettings
from schemas.record import shard_of
from tests.kit.query_service import answer, asked
from tests.kit.sample import MINUTE_MS, SHARDS, Sample
from tests.kit.tokens import ISSUER, Issuer
from tests.kit.web import problem

A1 = "/v1/accounts/a1"
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def sample() -> Sample:
    return Sample()


def test_downloads_of_an_account(sample: Sample) -> None:
    found = answer(sample, f"{A1}/downloads")

    assert (found["issued"], found["titles"][0]["used"], found["next"]) == (1, 1, None)


def test_downloads_of_one_title_say_what_is_left(sample: Sample) -> None:
    title = answer(sample, f"{A1}/downloads/t1")["title"]

    assert (title["used"], title["limit"], title["left"]) == (1, 2, 1)


@pytest.mark.parametrize(
    ("only", "count"),
    [
        ("device_id=d1", 1),
        ("device_id=d2", 0),
        ("device_id=null", 0),
        ("title_id=t1", 1),
        ("title_id=t2", 0),
        ("state=active", 1),
        ("state=EXPIRED", 0),
    ],
)
def test_licenses_may_be_filtered(sample: Sample, only: str, count: int) -> None:
    assert len(answer(sample, f"{A1}/licenses?{only}")["licenses"]) == count


def test_one_license_may_be_written_with_dashes(sample: Sample) -> None:
    dashed = str(UUID(LICENSE_ID))

    assert answer(sample, f"{A1}/licenses/{dashed}")["license"]["license_id"] == LICENSE_ID


def test_a_license_of_nobody_is_not_found(sample: Sample) -> None:
    (found,) = asked(sample, f"{A1}/licenses/{COMMAND_ID}")

    assert problem(found)[:2] == (404, "not-found")


def test_an_outcome_says_why_a_command_was_refused(sample: Sample) -> None:
    refused = answer(sample, f"{A1}/timeline?limit=1")["entries"][0]

    found = answer(sample, f"{A1}/commands/{refused['command_id']}")

    assert found["outcome"]["status"] == "refused"
    assert found["explanation"].startswith(found["outcome"]["code"])


def test_can_download_tells_every_rule_that_would_refuse(sample: Sample) -> None:
    found = answer(sample, f"{A1}/can-download?device_id=d1&title_id=t2")

    assert not found["allowed"]
    assert found["reasons"][0]["explanation"]


def test_a_list_is_walked_page_by_page(sample: Sample) -> None:
    whole = [one["version"] for one in answer(sample, f"{A1}/timeline")["entries"]]
    walked: list[Any] = []

    walk(sample, f"{A1}/timeline?limit=2", "entries", walked)

    assert [one["version"] for one in walked] == whole == sorted(whole, reverse=True)


def walk(sample: Sample, path: str, name: str, found: list[Any]) -> None:
    """Every item of a list, until its last page."""
    following: str | None = ""
    while following is not None:
        more = f"&cursor={following}" if following else ""
        page = answer(sample, path + more)
        assert len(page[name]) <= 2
        found += page[name]
        following = page["next"]


@pytest.mark.parametrize("cursor", ["x", "bm90IGpzb24", "W10"])
def test_a_cursor_that_no_list_gave_is_refused(sample: Sample, cursor: str) -> None:
    (found,) = asked(sample, f"{A1}/licenses?cursor={cursor}")

    assert problem(found)[:2] == (400, "invalid")
    assert "Begin without one" in found.json()["detail"]


def test_an_entity_tag_holds_while_only_time_passes() -> None:
    sample = Sample()
    paths = [f"{A1}/{name}" for name in ("downloads", "licenses", "devices", "downloads/t1")]
    paths.append(f"{A1}/licenses/{LICENSE_ID}")
    before = [one.headers["etag"] for one in asked(sample, *paths)]

    sample.now_at += MINUTE_MS

    assert [one.headers["etag"] for one in asked(sample, *paths)] == before


def test_an_entity_tag_ends_when_a_license_expires() -> None:
    sample = Sample()
    paths = [f"{A1}/{name}" for name in ("downloads", "licenses", "devices")]
    before = {one.headers["etag"] for one in asked(sample, *paths)}

    sample.now_at += 40 * DAY_MS

    assert before.isdisjoint(one.headers["etag"] for one in asked(sample, *paths))


def test_what_is_known_already_is_not_sent_again(sample: Sample) -> None:
    (first,) = asked(sample, f"{A1}/downloads")

    (again,) = asked(sample, f"{A1}/downloads", If_None_Match=first.headers["etag"])

    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["downloads?limit=9", "licenses?limit=9", "timeline?limit=2"])
def test_an_answer_that_came_too_early_is_not_taken_for_a_fresh_one(
    sample: Sample, path: str
) -> None:
    (early,) = asked(sample, f"{A1}/{path}&min_version=999&wait=0")

    (later,) = asked(sample, f"{A1}/{path}", If_None_Match=early.headers["etag"])

    assert (early.json()["standing"]["fresh"], later.status_code) == (False, 200)
    assert later.json()["standing"]["fresh"]


def test_an_answer_that_lacks_what_was_asked_for_says_so(sample: Sample) -> None:
    version = asked(sample, f"{A1}/downloads")[0].headers["airside-version"]
    shard, _, seq = version.partition(":")
    wanted = f"{shard}:{int(seq) + 3}"

    (found,) = asked(sample, f"{A1}/downloads?min_version={wanted}&wait=0")

    assert found.headers["airside-behind"] == "3"
    assert found.json()["standing"]["fresh"] is False


def test_a_version_that_is_there_is_not_waited_for(sample: Sample) -> None:
    version = asked(sample, f"{A1}/downloads")[0].headers["airside-version"]

    (found,) = asked(sample, f"{A1}/downloads?min_version={version}&wait=60")

    assert found.json()["standing"]["fresh"] is True
    assert "airside-behind" not in found.headers


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (f"{A1}/downloads?min_version=0:1", "lives in shard 1"),
        ("/v1/titles/t1?min_version=7", "needs `shard:seq`"),
        (f"{A1}/commands/no-id", "path parameter command_id"),
        (f"{A1}/licenses?state=asleep", "query parameter state = 'asleep'"),
        (f"{A1}/can-download?device_id=d1", "the query lacks title_id"),
    ],
)
def test_what_cannot_be_asked_is_said(sample: Sample, path: str, words: str) -> None:
    (found,) = asked(sample, path)

    assert problem(found)[:2] == (400, "invalid")
    assert words in found.json()["detail"]


def test_a_row_is_what_is_stored_byte_for_byte(sample: Sample) -> None:
    registry = sample.views.registry("downloads")
    stored = sample.views.rows(registry.generations[0], 1, ["a1"]).rows["a1"]

    (found,) = asked(sample, "/v1/projections/downloads/rows/a1?account_id=a1")

    assert found.content == stored
    assert found.headers["etag"].startswith('W/"3-')


@pytest.mark.parametrize(
    ("projection", "key", "status"),
    [
        ("downloads", "a1", 200),
        ("timeline", "a1%2F0000", 200),
        ("timeline", "a1%2Fhead", 200),
        ("downloads", "a2", 404),
        ("downloads", "a1%2F0000", 404),
        ("timeline", "a1", 404),
        ("titles", "t1", 404),
        ("nothing", "a1", 404),
    ],
)
def test_a_row_is_shown_to_its_account_only(
    sample: Sample, projection: str, key: str, status: int
) -> None:
    (found,) = asked(sample, f"/v1/projections/{projection}/rows/{key}?account_id=a1")

    assert found.status_code == status


def test_another_account_s_row_in_the_same_shard_is_not_found(sample: Sample) -> None:
    """The shard of the query's account may hold it; its key says whose it is."""
    other = next(name for name in map(str, range(100)) if shares_shard_with_a1(name))

    (found,) = asked(sample, f"/v1/projections/downloads/rows/a1?account_id={other}")

    assert found.status_code == 404


def shares_shard_with_a1(name: str) -> bool:
    """Whether rows of both lie together."""
    return shard_of(name, SHARDS) == shard_of("a1", SHARDS)


MEMBER = [f"{A1}/{name}" for name in ("downloads", "licenses", "devices", "timeline")]
SUPPORT = ["/v1/titles/t1", "/v1/studios/s1", "/v1/expiring", "/v1/refusals"]
OPERATOR = ["/v1/projections", "/v1/pipeline", "/v1/parked"]


@pytest.mark.parametrize(("scope", "allowed"), [("member", 1), ("support", 2), ("operator", 3)])
def test_who_may_see_what(sample: Sample, tmp_path: Path, scope: str, allowed: int) -> None:
    issuer = Issuer(tmp_path)
    closed = guarded(issuer)
    token = f"Bearer {issuer.token(scope=scope)}"

    statuses = [
        {one.status_code for one in asked(sample, *paths, edge=closed, Authorization=token)}
        for paths in (MEMBER, SUPPORT, OPERATOR)
    ]

    assert statuses == [{200}] * allowed + [{403}] * (3 - allowed)


def test_health_and_the_document_need_no_token(sample: Sample, tmp_path: Path) -> None:
    found = asked(sample, "/livez", "/readyz", "/openapi.json", edge=guarded(Issuer(tmp_path)))

    assert [one.status_code for one in found] == [200, 200, 200]


def guarded(issuer: Issuer) -> Edge:
    """A service that wants tokens, and counts nothing."""
    return edge_of(HttpSettings(keys=issuer.file, issuer=ISSUER, rate_per_second=0))
