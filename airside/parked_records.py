"""What could not be handled, on either side of the pipeline and in the catalog."""

from contextlib import closing

from msgspec import Struct

from airside.wiring import Deployment
from commands.catalog_follower import CatalogFollower
from projectors.all import PROJECTIONS
from schemas.record import CATALOG_TOPIC


class ParkedRecord(Struct, frozen=True):
    """A record that waits for a person, on either side of the pipeline."""

    where: str  # "commands", or a generation such as "downloads.1"
    shard: int
    offset: int
    key: str
    at: int | None  # append time; None for events
    reason: str
    size: int  # bytes
    value: bytes  # base64 in JSON


def all_parked(deployment: Deployment) -> list[ParkedRecord]:
    """Commands, events and entries of the catalog that wait for a person."""
    return [
        *parked_commands(deployment, None),
        *parked_events(deployment),
        *skipped_entries(deployment),
    ]


def parked_commands(deployment: Deployment, account_id: str | None) -> list[ParkedRecord]:
    """What the write side has set aside."""
    with deployment.event_store() as store:
        return [
            ParkedRecord(
                "commands",
                shard,
                one.offset,
                one.account_id,
                one.at,
                one.reason,
                len(one.value),
                one.value,
            )
            for shard in range(deployment.shards)
            for one in store.parked(shard, account_id)
        ]


def parked_events(deployment: Deployment) -> list[ParkedRecord]:
    """What the read models have set aside."""
    with deployment.view_store() as views:
        return [
            ParkedRecord(
                generation.name,
                shard,
                one.offset,
                one.key,
                None,
                one.reason,
                len(one.value),
                one.value,
            )
            for projection in PROJECTIONS
            for generation in views.registry(projection.name).generations
            for shard in range(deployment.shards)
            for one in views.parked(generation, shard)
        ]


def skipped_entries(deployment: Deployment) -> list[ParkedRecord]:
    """Entries of the catalog that cannot be read; what they said before still holds."""
    with deployment.log() as topics, closing(topics.source(CATALOG_TOPIC, 0)) as source:
        follower = CatalogFollower(source)
        follower.catch_up()
    return [
        ParkedRecord("catalog", 0, offset, "", None, reason, 0, b"")
        for offset, reason in follower.rejected
    ]
