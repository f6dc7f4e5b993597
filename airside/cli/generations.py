"""`airside projections promote`, `rollback`, `retire`: what is served, each in one step."""

import click

from airside.cli.output import instant
from airside.settings import Settings
from airside.wiring import Deployment, open_existing
from projectors import generations
from projectors.all import PROJECTIONS
from projectors.fingerprint import fold_fingerprint
from projectors.view_store import Generation, Registry, ViewStore
from schemas.codec import CODEC
from schemas.errors import Contradiction, NotFound

BY_NAME = {projection.name: projection for projection in PROJECTIONS}
LAG_MAX = 10_000  # events that a generation may be behind the served one when it is promoted

named = click.argument("projection", type=click.Choice(tuple(BY_NAME)))
chosen_one = click.argument("generation", metavar="[NUMBER|LABEL]", required=False)
accepting = click.option(
    "--accept", is_flag=True, help="Although it differs, is behind, or stands still."
)


@click.command()
@named
@chosen_one
@accepting
@click.pass_obj
def promote(settings: Settings, projection: str, generation: str | None, accept: bool) -> None:
    """Serve a generation that is ready: the newest one, or the one with that number.

    One compare-and-set: queries are answered by one generation or the other, and what was
    served until now stands by. Refused where the last comparison found differences, or where
    it is behind the served one, unless you say --accept.
    """
    with open_existing(settings) as deployment, deployment.view_store() as store:
        deployment.check_views()
        registry = store.registry(projection)
        chosen = find(registry, projection, generation)
        _step(deployment, store, registry, chosen, accept=accept)


@click.command()
@named
@accepting
@click.pass_obj
def rollback(settings: Settings, projection: str, accept: bool) -> None:
    """Serve again what was served before.

    It is one step, and may be done as often as you like. Refused where it was built by other
    code, unless you say --accept: only workers of that code keep it up to date.
    """
    with open_existing(settings) as deployment, deployment.view_store() as store:
        deployment.check_views()
        registry = store.registry(projection)
        chosen = generations.standby(registry)
        if chosen is None:
            raise NotFound(
                f"{projection}: no generation stands by to roll back to. There is: "
                f"{generations.listed(registry)}."
            )
        _step(deployment, store, registry, chosen, accept=accept)


@click.command()
@named
@chosen_one
@click.pass_obj
def retire(settings: Settings, projection: str, generation: str | None) -> None:
    """Drop a generation that is not served, with all its rows: the standby, or another one.

    A LABEL is that of one that was built with `airside replay --into LABEL`.
    """
    with open_existing(settings) as deployment, deployment.view_store() as store:
        deployment.check_views()
        registry = store.registry(projection)
        chosen = generations.standby(registry)
        if generation is not None:
            chosen = registry.called(generation)
        if chosen is None:
            what = "generation stands by" if generation is None else f"generation {generation}"
            raise NotFound(
                f"{projection}: no {what}. There is: {generations.listed(registry)}. Name the "
                "one to retire."
            )
        generations.retire(store, projection, chosen.number)
        click.echo(f"{chosen.name} is retired, its rows are gone.")


def find(registry: Registry, projection: str, name: str | None) -> Generation:
    """The generation to serve. Raises: NotFound; Contradiction where it is not whole yet."""
    ready = [g for g in registry.generations if generations.role(registry, g) == "ready"]
    found = max(ready, key=_number, default=None) if name is None else registry.called(name)
    if found is None:
        raise NotFound(
            f"{projection}: no generation {name or 'is ready'}. There is: "
            f"{generations.listed(registry)}. Build one: airside replay {projection} "
            "--no-promote"
        )
    if generations.role(registry, found) == "building":
        raise Contradiction(
            f"{found.name} is not whole yet. Finish it: airside replay {projection}"
        )
    return found


def _step(
    deployment: Deployment,
    store: ViewStore,
    registry: Registry,
    chosen: Generation,
    *,
    accept: bool,
) -> None:
    if chosen.number == registry.serving:
        click.echo(f"{chosen.name} is served already.")
        return
    reasons = [*_differences(chosen), *_lags(deployment, store, registry, chosen)]
    if reasons and not accept:
        raise Contradiction(
            f"{chosen.name} is not served, since {' and '.join(reasons)}. Serve it all the "
            "same with --accept."
        )
    generations.promote(store, chosen, serving=registry.serving, now_at=deployment.clock())
    before = registry.generation(registry.serving)
    click.echo(
        f"{chosen.name} is served now"
        + ("." if before is None else f"; {before.name} stands by.")
    )


def _differences(chosen: Generation) -> list[str]:
    found = chosen.verified
    if found is None or not found.different or found.accepted:
        return []
    return [f"{found.different:,} of its rows differed at {instant(found.at)} UTC"]


def _lags(
    deployment: Deployment, store: ViewStore, registry: Registry, chosen: Generation
) -> list[str]:
    served = registry.generation(registry.serving)
    shards = range(deployment.shards)
    behind = 0
    if served is not None:
        for shard in shards:
            ours = store.rows(chosen, shard, ()).checkpoint.seq
            behind += max(0, store.rows(served, shard, ()).checkpoint.seq - ours)
    found = [f"it is {behind:,} events behind"] if behind > LAG_MAX else []
    fingerprint = fold_fingerprint(BY_NAME[chosen.projection], CODEC)
    if chosen.fingerprint != fingerprint:
        found.append(
            f"it was built by other code ({chosen.fingerprint}), is {behind:,} events behind, "
            "and only workers of that code keep it up to date"
        )
    return found


def _number(generation: Generation) -> int:
    return generation.number
