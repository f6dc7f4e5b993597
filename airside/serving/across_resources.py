"""Resources across accounts, for support: titles, studios, expiries, refusals."""

from msgspec.structs import replace

from airside.serving.account_resources import patience
from airside.serving.answers import answer, cut, page, place_of
from airside.serving.parameters import Freshness, OfStudio, OfTitle, Page, Within
from airside.serving.service import Service
from airside.web.resource import Answer, Call, Resource
from queries import across
from queries.across import ExpiringAnswer, RefusalsAnswer, TallyAnswer


async def title_tally(service: Service, call: Call) -> Answer:
    """Counts of one title."""
    wanted, title_id = call.of(Freshness).wanted(), call.of(OfTitle).title_id
    found = await service.reads.ask(
        lambda reader: across.title(reader, title_id, wanted=wanted)
    )
    return answer(found, found.standing, steady=(found.id, found.tally))


async def studio_tally(service: Service, call: Call) -> Answer:
    """Counts of one studio."""
    wanted, studio_id = call.of(Freshness).wanted(), call.of(OfStudio).studio_id
    found = await service.reads.ask(
        lambda reader: across.studio(reader, studio_id, wanted=wanted)
    )
    return answer(found, found.standing, steady=(found.id, found.tally))


async def expiring(service: Service, call: Call) -> Answer:
    """The first to expire first."""
    wanted, within_s = call.of(Freshness).wanted(), call.of(Within).within_seconds
    asked, now = call.of(Page), service.clock()
    place = place_of(asked, tuple[int, str])
    found = await service.reads.ask(
        lambda reader: across.expiring(reader, within_s, at=now, after=place, wanted=wanted)
    )
    some, last = cut(found.licenses, asked.limit)
    return page(
        replace(found, licenses=some),
        found.standing,
        steady=(found.count, some),
        following=None if last is None else (last.expires_at, last.license_id),
    )


async def refusals(service: Service, call: Call) -> Answer:
    """The most frequent first."""
    wanted = call.of(Freshness).wanted()
    found = await service.reads.ask(lambda reader: across.refusals(reader, wanted=wanted))
    return answer(found, found.standing, steady=found.codes)


ACROSS_RESOURCES: tuple[Resource[Service], ...] = (
    Resource(
        "/v1/titles/{title_id}",
        title_tally,
        "What happened to the licenses of a title, over all accounts.",
        scope="support",
        parameters=(OfTitle, Freshness),
        answer=TallyAnswer,
        etag=True,
        seconds=patience,
        example={"title_id": "t1"},
        tag="across",
    ),
    Resource(
        "/v1/studios/{studio_id}",
        studio_tally,
        "What happened to the licenses of a studio, over all accounts.",
        scope="support",
        parameters=(OfStudio, Freshness),
        answer=TallyAnswer,
        etag=True,
        seconds=patience,
        example={"studio_id": "s1"},
        tag="across",
    ),
    Resource(
        "/v1/expiring",
        expiring,
        "Which licenses expire within a time, over all accounts.",
        scope="support",
        parameters=(Within, Page, Freshness),
        answer=ExpiringAnswer,
        etag=True,
        paged=True,
        seconds=patience,
        example={"within_seconds": "2592000"},
        tag="across",
    ),
    Resource(
        "/v1/refusals",
        refusals,
        "How often each reason for a refusal was given, over all accounts.",
        scope="support",
        parameters=(Freshness,),
        answer=RefusalsAnswer,
        etag=True,
        seconds=patience,
        tag="across",
    ),
)
