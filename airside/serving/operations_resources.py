"""Resources for operators: how the pipeline stands, what is parked, and rows as they are."""

from typing import Any

import msgspec
from msgspec import Struct

from airside.parked_records import ParkedRecord, all_parked
from airside.serving.account_resources import patience
from airside.serving.answers import from_when, row_etag, version_of
from airside.serving.parameters import Freshness, OfRow
from airside.serving.service import Service
from airside.standings import (
    PipelineStanding,
    Standings,
    commands_waiting,
    pipeline,
    statuses,
)
from airside.web.resource import Answer, Call, Resource
from airside.wiring import Deployment
from projectors.all import PROJECTIONS
from projectors.keys import by_account
from projectors.projection import Projection
from schemas.errors import NotFound


class _Versioned(Struct):
    """What every row has."""

    version: int = 0


async def projections(service: Service, _call: Call) -> Answer:
    """What `airside projections --json` says."""
    found = await service.of_deployment(_standings)
    return Answer(msgspec.json.encode(found))


async def pipeline_standing(service: Service, _call: Call) -> Answer:
    """Partition by partition."""
    return Answer(msgspec.json.encode(await service.of_deployment(pipeline)))


async def parked(service: Service, _call: Call) -> Answer:
    """What `airside parked --json` says."""
    return Answer(msgspec.json.encode(await service.of_deployment(all_parked)))


async def projection_row(service: Service, call: Call) -> Answer:
    """The stored row as it is, not decoded and not encoded again."""
    of, wanted = call.of(OfRow), call.of(Freshness).wanted()
    whose = _owner_of(of.key, _by_account(of.projection))
    body, standing = await service.reads.row(of.projection, of.account_id, of.key, wanted)
    if body is None or whose != of.account_id:
        raise NotFound(
            f"{of.projection} has no row {of.key:.60} of account {of.account_id:.60}, as of "
            f"version {standing.version} of its shard."
        )
    version = version_of(standing, of.account_id, service.reads.shards)
    return Answer(
        body,
        etag=row_etag(body, _version(body).version),
        headers=from_when(standing, version),
    )


OPERATIONS_RESOURCES: tuple[Resource[Service], ...] = (
    Resource(
        "/v1/projections",
        projections,
        "Every read model: its generations, how far they are, builds under way.",
        scope="operator",
        answer=Standings,
        tag="operations",
    ),
    Resource(
        "/v1/projections/{projection}/rows/{key}",
        projection_row,
        "One row of a read model, as it is stored.",
        scope="member",
        owner="account_id",
        parameters=(OfRow, Freshness),
        answer=dict[str, object],
        etag=True,
        seconds=patience,
        example={"projection": "downloads", "key": "a1", "account_id": "a1"},
        description="Rows of read models that are keyed by account; the key begins with it.",
        tag="operations",
    ),
    Resource(
        "/v1/pipeline",
        pipeline_standing,
        "How far everything is, by partition: commands that wait, positions, lag.",
        scope="operator",
        answer=PipelineStanding,
        tag="operations",
    ),
    Resource(
        "/v1/parked",
        parked,
        "Commands, events and catalog entries that could not be handled, and why.",
        scope="operator",
        answer=list[ParkedRecord],
        tag="operations",
    ),
)

_version = msgspec.json.Decoder(_Versioned).decode


def _standings(deployment: Deployment) -> Standings:
    return Standings(commands_waiting(deployment), statuses(deployment))


def _by_account(name: str) -> Projection[Any]:
    """The read model of that name, keyed by account. Raises: NotFound."""
    by_name = {one.name: one for one in PROJECTIONS}
    if name not in by_name:
        raise NotFound(f"there is no read model {name:.60}. There is: {', '.join(by_name)}.")
    if by_name[name].merge is not None:
        raise NotFound(
            f"{name} is kept in parts, one in each shard, so there is no row to show. Ask "
            "/v1/titles, /v1/studios, /v1/expiring or /v1/refusals."
        )
    return by_name[name]


def _owner_of(key: str, projection: Projection[Any]) -> str:
    """Whose row that is: several accounts share a shard, and a member reads its own only.

    A key is the account's id, or that and one more part behind the last slash.
    """
    return key if projection.keys is by_account else key.rpartition("/")[0]
