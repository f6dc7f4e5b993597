"""What would be decided: the write side's rules on an account's current history."""

from contextlib import closing

from airside.wiring import Deployment
from commands.catalog_follower import CatalogFollower
from commands.dry_run import can_download
from commands.license_decider import DECIDER
from commands.snapshots import load_stream
from queries.can_download import DryRun, Reason
from queries.explain import explain
from schemas.codec import CODEC
from schemas.record import CATALOG_TOPIC, shard_of


def dry_run(deployment: Deployment, account_id: str, device_id: str, title_id: str) -> DryRun:
    """Ask every rule, as of now. Writes nothing. Raises: Permanent, Unavailable."""
    at = deployment.clock()
    with deployment.log() as topics, closing(topics.source(CATALOG_TOPIC, 0)) as source:
        catalog = CatalogFollower(source).catch_up()
    with deployment.event_store() as store:
        shard = shard_of(account_id, deployment.shards)
        parked = next(store.parked(shard, account_id), None)
        stream = load_stream(store, DECIDER, CODEC, account_id)
    refusals = can_download(stream.state, catalog, account_id, device_id, title_id, at)
    reasons = tuple(
        Reason(
            code=refusal.code,
            rule=refusal.rule,
            limit=refusal.limit,
            used=refusal.used,
            available_at=refusal.available_at,
            scope=refusal.scope,
            explanation=explain(
                {name: getattr(refusal, name) for name in refusal.__struct_fields__},
                catalog.version,
            ),
        )
        for refusal in refusals
    )
    return DryRun(
        account_id=account_id,
        device_id=device_id,
        title_id=title_id,
        at=at,
        allowed=not reasons,
        reasons=reasons,
        version=stream.version,
        catalog_version=catalog.version,
        held="" if parked is None else f"offset {parked.offset} is parked: {parked.reason}",
    )
