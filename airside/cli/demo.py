"""`airside demo`: two months of households in a minute, from commands to answers."""

import shutil
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import click
import msgspec

from airside.cli import answers
from airside.cli.catalog import entries_in
from airside.cli.output import console, instant, progress
from airside.cli.phases import phases, style_of
from airside.cli.replay import verdict
from airside.cli.rows import DIFFERENT
from airside.demo import report
from airside.demo.cast import PROVOKED_BY
from airside.demo.cast_titles import find_titles
from airside.demo.driving import DrivenClock, Theatre, open_theatre
from airside.demo.stage import HOUR
from airside.demo.world import World, steps
from airside.projecting import reading
from airside.settings import Settings
from airside.wiring import Deployment, open_deployment
from commands.catalog import Catalog
from projectors import outcomes
from projectors.all import PROJECTIONS
from projectors.generations import serving
from projectors.replay import Replayed, replay
from queries.across import refusals
from queries.downloads import downloads
from queries.licenses import licenses
from queries.reader import Reader
from queries.timeline import ENTRIES_MAX, TimelineEntry, timeline
from schemas.record import CATALOG_TOPIC, COMMANDS_TOPIC

START_AT = 1_782_864_000_000  # 2026-07-01T00:00:00Z; one seed always tells one story
DAYS = 62
ENTRIES = 12  # of a timeline that is shown
SHARDS = 2
CATALOG_FILE = Path(__file__).parents[2] / "examples" / "catalog.json"
DATA = Path(".airside-demo")


@click.command()
@click.option("--seed", default=7, show_default=True, help="Another seed, another story.")
@click.option("--households", type=click.IntRange(0, 5_000), default=300, show_default=True)
@click.option("--days", type=click.IntRange(1, 365), default=DAYS, show_default=True)
@click.option(
    "--catalog",
    "catalog_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=CATALOG_FILE,
    help="Titles, studios, plans and policies. Default: examples/catalog.json.",
)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=DATA,
    show_default=True,
    help="Where its data goes. It is made anew, and kept to be asked about.",
)
@click.pass_context
def demo(
    ctx: click.Context, seed: int, households: int, days: int, catalog_file: Path, into: Path
) -> None:
    """Live through two months of households, ask the questions, prove the read models.

    Hundreds of simulated households send commands onto the commands topic; the real handlers
    decide, the real projectors build the read models, the timekeeper expires licenses; only
    the clock is driven. Everything printed is computed from what was stored.
    """
    begun = time.monotonic()
    records = entries_in(catalog_file)
    make_anew(into)
    catalog = Catalog.empty().with_entries(records, len(records))
    clock = DrivenClock(START_AT)
    world = World(
        seed=seed,
        households=households,
        titles=[(one.title_id, one.studio_id) for one in catalog.titles.values()],
        cast_titles=find_titles(catalog, START_AT),
        start_at=START_AT,
    )
    with open_deployment(
        Settings(data=into, views=ctx.obj.views, shards=SHARDS), clock
    ) as deployment:
        load_catalog(deployment, records)
        with open_theatre(deployment, clock, world) as theatre:
            by_hour = live(theatre, days)
            tell_numbers(deployment, theatre, by_hour)
        with deployment.reader() as reader:
            ask(
                reader,
                clock.now_at,
                {one.title_id: one.name for one in catalog.titles.values()},
            )
        rebuilt = rebuild(deployment)
    click.echo(
        f"\n{time.monotonic() - begun:.0f} s in all. Ask on: "
        f"airside --data {into} query timeline amelia"
    )
    different = sum(one.verification.different for one in rebuilt)
    rows = sum(one.verification.rows for one in rebuilt)
    click.echo(verdict(rows, different))
    ctx.exit(DIFFERENT if different or not all(one.promoted for one in rebuilt) else 0)


def make_anew(into: Path) -> None:
    """An empty data directory; only one that a demo made before is removed."""
    mark = into / ".made-by-airside-demo"
    if into.exists() and any(into.iterdir()):
        if not mark.exists():
            raise click.UsageError(f"{into} is not empty and no demo made it: choose another.")
        shutil.rmtree(into)
    into.mkdir(parents=True, exist_ok=True)
    mark.touch()


def load_catalog(deployment: Deployment, records: list[tuple[str, bytes]]) -> None:
    """Put the catalog onto its topic."""
    with deployment.log() as topics:
        topics.append(CATALOG_TOPIC, 0, [(key.encode(), value) for key, value in records])
    kinds = Counter(key.partition("/")[0] for key, _ in records)
    counted = ", ".join(f"{count} × {kind}" for kind, count in sorted(kinds.items()))
    click.echo(f"The catalog is loaded: {counted}.")


def live(theatre: Theatre, days: int) -> list[int]:
    """Live through the days, step by step; the first day's commands by hour."""
    by_hour = [0] * 24
    with progress(f"{days} days, in hours", days * 24) as advance:
        for now_at in steps(START_AT, days):
            before = theatre.sent
            theatre.live_until(now_at)
            hour = (now_at - START_AT) // HOUR
            if hour < len(by_hour):
                by_hour[hour] += theatre.sent - before
            advance(hour)
    return by_hour


def tell_numbers(deployment: Deployment, theatre: Theatre, by_hour: list[int]) -> None:
    """What became of all commands: as the handler counted, and as the read models say."""
    with deployment.log() as topics:
        on_topic = 0
        for shard in range(deployment.shards):
            with closing(topics.source(COMMANDS_TOPIC, shard)) as source:
                on_topic += source.end()
    counts = theatre.handler.counts
    out = console()
    out.print("\nCommands of the first day, by hour (UTC)")
    out.print(report.hours_chart(by_hour))
    click.echo(
        f"\n{on_topic:,} commands on the topic: {theatre.sent:,} of households, "
        f"{theatre.expiries:,} of the timekeeper."
    )
    out.print(report.numbers_table(counts, on_topic))
    statuses, late = outcome_counts(deployment)
    accepted = statuses["accepted"] + statuses["partly"]
    click.echo(
        f"The read model of outcomes has {statuses.total():,} commands: {accepted:,} accepted, "
        f"{statuses['refused']:,} refused, {statuses['noted']:,} noted. With {late:,} late "
        f"repeats, refused as stale, and {counts.repeats:,} repeats that is "
        f"{statuses.total() + late + counts.repeats:,}."
    )


def outcome_counts(deployment: Deployment) -> tuple[Counter[str], int]:
    """Commands by outcome, and repeats refused as stale: row by row, from the read model."""
    found: Counter[str] = Counter()
    late = 0
    with deployment.view_store() as views:
        registry = views.registry(outcomes.PROJECTION.name)
        generation = serving(registry)
        for shard in range(deployment.shards):
            keys = list(views.keys(generation, shard))
            for data in views.rows(generation, shard, keys).rows.values():
                row = msgspec.json.decode(data or b"{}", type=outcomes.Outcome)
                found[row.status] += 1
                late += row.stale_repeats
    return found, late


def ask(reader: Reader, now_at: int, names: answers.Names) -> None:
    """The questions that people ask, about members of the cast."""
    out = console()
    codes = {code: row.count for code, row in refusals(reader).codes.items()}
    out.print(report.refusals_table(codes, PROVOKED_BY))
    click.echo("\nHow many downloads has amelia, what is left, when is the next possible?\n")
    answers.downloads(downloads(reader, "amelia", at=now_at), names)
    click.echo("\nWhich licenses had chiara, who flew and reported late what she watched?\n")
    answers.licenses(licenses(reader, "chiara", at=now_at), names)
    click.echo("\nWhat happened to dmitri, who lost a device?\n")
    answers.timeline(timeline(reader, "dmitri", limit=ENTRIES))
    refusal = last_refusal(reader, "greta")
    if refusal is not None:  # few days may bring none
        when = instant(refusal.at)
        click.echo(f"\nWhy was greta refused at {when}? From her history alone:\n")
        click.echo(f"  {refusal.explanation}")


def last_refusal(reader: Reader, account_id: str) -> TimelineEntry | None:
    """The latest refusal in an account's timeline."""
    entries = timeline(reader, account_id, limit=ENTRIES_MAX).entries
    return next((one for one in entries if one.explanation), None)


def rebuild(deployment: Deployment) -> list[Replayed]:
    """Every read model again, from the topic, beside the served one."""
    click.echo(
        "\nEvery read model is rebuilt from the topic beside the served one, and compared."
    )
    rebuilt = []
    with reading(deployment) as read_side:
        for projection in PROJECTIONS:
            with phases(projection.name, style_of(as_json=False)) as tell:
                done = replay(projection, read_side, report=tell)
            found = done.verification
            click.echo(
                f"  {projection.name:<10} {done.replaced.name} → {done.rebuilt.name}: "
                f"{done.events:,} events, {found.rows:,} rows, {found.different:,} different"
            )
            rebuilt.append(done)
    return rebuilt
