"""Resources of one account: a member's own, anybody's for support."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from airside.dry_running import dry_run
from airside.serving.answers import answer, cut, etag_of, page, place_of, version_of
from airside.serving.parameters import (
    COMMAND_ID,
    LICENSE_ID,
    DownloadOf,
    Freshness,
    LicenseFilter,
    OfAccount,
    OfCommand,
    OfLicense,
    OfTitle,
    Page,
)
from airside.serving.service import Service
from airside.serving.steady import (
    steady_downloads,
    steady_license,
    steady_licenses,
    steady_title,
)
from airside.web.resource import SECONDS, Answer, Call, Resource
from queries.can_download import DryRun
from queries.devices import DevicesAnswer, devices
from queries.downloads import DownloadsAnswer, TitleAnswer, downloads, one_title
from queries.licenses import LicensesAnswer, OneLicenseAnswer, licenses, one_license
from queries.outcomes import OutcomeAnswer, command
from queries.reader import Standing
from queries.timeline import TimelineAnswer, timeline
from schemas.envelope import parse_id

T = TypeVar("T")

ACCOUNT = "/v1/accounts/{account_id}"


async def account_downloads(service: Service, call: Call) -> Answer:
    """Pages are of titles, by id; totals and devices are on each."""
    asked = call.of(Page)
    place = place_of(asked, str)
    found = await _ask(service, call, partial(downloads, at=service.clock()))
    behind = [one for one in found.titles if place is None or one.title_id > place]
    titles, last = cut(behind, asked.limit)
    some = replace(found, titles=titles)
    return page(
        some,
        *_from_when(service, call, found.standing),
        steady=steady_downloads(some),
        following=None if last is None else last.title_id,
    )


async def title_downloads(service: Service, call: Call) -> Answer:
    """One title that was never downloaded counts none: it may not exist."""
    question = partial(one_title, title_id=call.of(OfTitle).title_id, at=service.clock())
    found = await _ask(service, call, question)
    when = _from_when(service, call, found.standing)
    return answer(found, *when, steady=steady_title(found))


async def account_licenses(service: Service, call: Call) -> Answer:
    """The latest expiry first."""
    asked, only = call.of(Page), call.of(LicenseFilter)
    place = place_of(asked, tuple[int, str])
    question = partial(
        licenses,
        at=service.clock(),
        device_id=only.device_id,
        title_id=only.title_id,
        state=only.wanted_state(),
    )
    found = await _ask(service, call, question)
    behind = [
        one
        for one in found.licenses
        if place is None or (-one.expires_at, one.license_id) > place
    ]
    some, last = cut(behind, asked.limit)
    shown = replace(found, licenses=some)
    return page(
        shown,
        *_from_when(service, call, found.standing),
        steady=steady_licenses(shown),
        following=None if last is None else (-last.expires_at, last.license_id),
    )


async def account_license(service: Service, call: Call) -> Answer:
    """One license."""
    license_id = parse_id(call.of(OfLicense).license_id)
    question = partial(one_license, license_id=license_id, at=service.clock())
    found = await _ask(service, call, question)
    when = _from_when(service, call, found.standing)
    return answer(found, *when, steady=steady_license(found))


async def account_devices(service: Service, call: Call) -> Answer:
    """All of them: an account has few."""
    found = await _ask(service, call, partial(devices, at=service.clock()))
    when = _from_when(service, call, found.standing)
    return answer(found, *when, steady=replace(found, at=0, standing=None))


async def account_timeline(service: Service, call: Call) -> Answer:
    """The latest first."""
    asked = call.of(Page)
    question = partial(timeline, limit=asked.limit, before=place_of(asked, int))
    found = await _ask(service, call, question)
    return page(
        found,
        *_from_when(service, call, found.standing),
        steady=(found.version, found.entries),
        following=found.before,
    )


async def command_outcome(service: Service, call: Call) -> Answer:
    """What became of it."""
    command_id = parse_id(call.of(OfCommand).command_id)
    wanted, account_id = call.of(Freshness).wanted(), call.of(OfAccount).account_id
    found = await service.reads.ask(
        lambda reader: command(reader, command_id, account_id, wanted=wanted)
    )
    return answer(
        found,
        *_from_when(service, call, found.standing),
        steady=(found.outcome, found.explanation),
    )


async def can_download(service: Service, call: Call) -> Answer:
    """A dry run of the write side's rules on the account's own history."""
    of, what = call.of(OfAccount), call.of(DownloadOf)
    found = await service.of_deployment(
        lambda deployment: dry_run(deployment, of.account_id, what.device_id, what.title_id)
    )
    return Answer(msgspec.json.encode(found), etag=etag_of(replace(found, at=0)))


def patience(call: Call) -> float:
    """As long as any, and what the client is willing to wait."""
    return SECONDS + call.of(Freshness).wait_seconds


def _of_account(
    path: str,
    endpoint: Callable[[Service, Call], Any],
    summary: str,
    answered: type[Struct],
    *groups: type[Struct],
    example: tuple[tuple[str, str], ...] = (),
    paged: bool = False,
) -> Resource[Service]:
    return Resource(
        f"{ACCOUNT}{path}",
        endpoint,
        summary,
        scope="member",
        owner="account_id",
        parameters=(OfAccount, *groups, Freshness),
        answer=answered,
        etag=True,
        paged=paged,
        seconds=patience,
        example={"account_id": "a1", **dict(example)},
        tag="accounts",
    )


ACCOUNT_RESOURCES: tuple[Resource[Service], ...] = (
    _of_account(
        "/downloads",
        account_downloads,
        "How many downloads the account has had, what is left, when the next is possible.",
        DownloadsAnswer,
        Page,
        paged=True,
    ),
    _of_account(
        "/downloads/{title_id}",
        title_downloads,
        "The same of one title: used, limit, left, and when the next is possible.",
        TitleAnswer,
        OfTitle,
        example=(("title_id", "t1"),),
    ),
    _of_account(
        "/licenses",
        account_licenses,
        "Which licenses: in which state, on which device, until when.",
        LicensesAnswer,
        LicenseFilter,
        Page,
        paged=True,
    ),
    _of_account(
        "/licenses/{license_id}",
        account_license,
        "One license.",
        OneLicenseAnswer,
        OfLicense,
        example=(("license_id", LICENSE_ID),),
    ),
    _of_account(
        "/devices",
        account_devices,
        "Which devices, which of them hold downloads, and which slot is free.",
        DevicesAnswer,
    ),
    _of_account(
        "/timeline",
        account_timeline,
        "What happened, the latest first, with the rule and policies behind each refusal.",
        TimelineAnswer,
        Page,
        paged=True,
    ),
    _of_account(
        "/commands/{command_id}",
        command_outcome,
        "What became of a command, and in words why it was refused.",
        OutcomeAnswer,
        OfCommand,
        example=(("command_id", COMMAND_ID),),
    ),
    Resource(
        f"{ACCOUNT}/can-download",
        can_download,
        "Would a download be allowed now? Every rule that would refuse; nothing is written.",
        scope="member",
        owner="account_id",
        parameters=(OfAccount, DownloadOf),
        answer=DryRun,
        etag=True,
        example={"account_id": "a1", "device_id": "d1", "title_id": "t1"},
        description="Asked of the write side's own rules, on the account's current history.",
        tag="accounts",
    ),
)


async def _ask(service: Service, call: Call, question: Callable[..., T]) -> T:
    wanted, account_id = call.of(Freshness).wanted(), call.of(OfAccount).account_id
    return await service.reads.ask(
        lambda reader: question(reader, account_id=account_id, wanted=wanted)
    )


def _from_when(service: Service, call: Call, standing: Standing | None) -> tuple[Standing, str]:
    assert standing is not None  # of every answer from the read models
    account_id = call.of(OfAccount).account_id
    return standing, version_of(standing, account_id, service.reads.shards)
