"""`airside replay NAME --as-of INSTANT --into LABEL`: a read model as it was, to be asked."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

import click
from msgspec import Struct

from airside.cli.alone import check_alone
from airside.cli.output import instant, show_json
from airside.cli.phases import phases, saying_how_to_go_on, style_of
from airside.projecting import rebuilding
from airside.undecided import deciding
from airside.wiring import Deployment, open_existing
from projectors.all import PROJECTIONS
from projectors.projection import Projection
from projectors.read_side import ReadSide
from projectors.scratch import LookedBack, look_back
from projectors.view_store import Generation, Source
from schemas.envelope import INSTANT_MAX
from schemas.errors import Invalid

EPOCH = datetime.fromtimestamp(0, UTC)
NAMED_MAX = 20  # incomplete rows, for people


class Instant(click.ParamType[int]):
    """An instant as ISO 8601 writes it, with its zone; in ms."""

    name = "instant"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """The instant. Raises: BadParameter."""
        if isinstance(value, int):
            return value
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r:.60} is no instant. Write it as 2026-11-01T00:00:00Z.")
        if found.tzinfo is None:
            self.fail(f"{value!r:.60} has no zone. Write it as 2026-11-01T00:00:00Z.")
        at = (found - EPOCH) // timedelta(milliseconds=1)
        if not 0 <= at <= INSTANT_MAX:
            self.fail(f"{value!r:.60} is outside the years 1970 to 2100.")
        return at


BY_NAME = {projection.name: projection for projection in PROJECTIONS}
BESIDE = frozenset(("projection", "as_of", "into", "anew", "source", "as_json"))
OPTIONS = (
    click.option(
        "--as-of",
        type=Instant(),
        metavar="INSTANT",
        help="With --into: as it was then, such as 2026-11-01T00:00:00Z. Of each partition "
        "that is every event before the first one whose command came later; while commands of "
        "then wait for a handler it is not whole, and the same command goes on. Default: "
        "now; or the instant of what was interrupted, which goes on.",
    ),
    click.option(
        "--into",
        metavar="LABEL",
        help="Build a copy to look back with, which is never served: airside query … "
        "--generation LABEL.",
    ),
    click.option(
        "--replace", "anew", is_flag=True, help="With --into: anew, whatever has the label."
    ),
)


def looking_back(verb: Callable[..., None]) -> Callable[..., None]:
    """Give `replay` the options to look back; with --into it does that instead."""

    @wraps(verb)
    def either(
        ctx: click.Context, /, as_of: int | None, into: str | None, anew: bool, **options: Any
    ) -> None:
        if into is not None:
            if options["projection"] is None:
                raise click.UsageError("Name a projection: --into is for one at a time.")
            check_alone(ctx, "--into", BESIDE)
            chosen, as_json = BY_NAME[options["projection"]], options["as_json"]
            source = options["source"]
            with open_existing(ctx.obj) as deployment:
                show_past(
                    deployment, chosen, into, as_of, anew=anew, source=source, as_json=as_json
                )
        elif as_of is not None or anew:
            raise click.UsageError("--as-of and --replace go with --into LABEL.")
        else:
            verb(ctx, **options)

    for option in reversed(OPTIONS):
        option(either)
    return either


class Answer(Struct, frozen=True):
    """What was built, and what it holds."""

    generation: Generation
    name: str  # `downloads@scratch`
    whole: bool  # it can be asked, and stays what it is
    open_shards: tuple[int, ...]  # events up to the instant may still come to these
    as_of: int | None  # ms
    events: int
    rows: int
    parked: list[str]  # rows that lack events, which could not be folded


def show_past(
    deployment: Deployment,
    projection: Projection[Any],
    label: str,
    as_of: int | None = None,
    *,
    anew: bool = False,
    source: Source = "topic",
    as_json: bool = False,
) -> None:
    """Build a read model as of an instant, and show what it holds.

    Without an instant: as of now, or what was interrupted under this label is gone on with.
    Raises: Invalid for an instant to come or a label that is none; what `look_back` raises.
    """
    now_at = deployment.clock()
    if as_of is not None and as_of > now_at:
        raise Invalid(f"{instant(as_of)} UTC is yet to come. Look back, not ahead.")
    with ExitStack() as held:
        read_side = held.enter_context(rebuilding(deployment, source, shares=1))
        begun = None if anew else read_side.store.registry(projection.name).called(label)
        until = _until(begun, now_at) if as_of is None else as_of
        is_over = held.enter_context(deciding(deployment, until))
        report = held.enter_context(phases(projection.name, style_of(as_json=as_json)))
        held.enter_context(saying_how_to_go_on())
        built = look_back(
            projection,
            read_side,
            label,
            as_of=until,
            is_over=is_over,
            source=source,
            anew=anew,
            report=report,
        )
        told = answer(read_side, built)
    if as_json:
        show_json(told)
    else:
        show(told)


def _until(begun: Generation | None, now_at: int) -> int:
    """The instant of what has the label and is not whole; else now."""
    if begun is None or begun.as_of is None or begun.followed_at is not None:
        return now_at
    return begun.as_of


def answer(read_side: ReadSide, looked: LookedBack) -> Answer:
    """What the generation holds."""
    built, store, shards = looked.generation, read_side.store, range(read_side.shards)
    found = [store.rows(built, shard, ()) for shard in shards]
    parked = (event for shard in shards for event in store.parked(built, shard))
    return Answer(
        generation=built,
        name=built.name,
        whole=looked.is_whole,
        open_shards=looked.open_shards,
        as_of=built.as_of,
        events=sum(one.checkpoint.seq for one in found),
        rows=sum(one.row_count for one in found),
        parked=sorted({event.key or f"offset {event.offset}" for event in parked}),
    )


def show(told: Answer) -> None:
    """The answer for people."""
    for key in told.parked[:NAMED_MAX]:
        click.echo(f"incomplete, since an event of it is parked: {key}", err=True)
    if len(told.parked) > NAMED_MAX:
        click.echo(f"and {len(told.parked) - NAMED_MAX:,} more incomplete ones", err=True)
    if not told.whole:
        click.echo(_not_whole(told))
        return
    label, projection = told.generation.label, told.generation.projection
    click.echo(
        f"{told.name} is {projection} as of {instant(told.as_of)} UTC: {told.events:,} events, "
        f"{told.rows:,} rows. Ask it with: airside query … --generation {label}. Drop it with: "
        f"airside projections retire {projection} {label}"
    )


def _not_whole(told: Answer) -> str:
    """What it waits for, and how to go on."""
    built, shards = told.generation, ", ".join(map(str, told.open_shards))
    words = scratch_words(built.projection, built.label, told.as_of or 0, built.source)
    return (
        f"{told.name} is not whole yet: events up to {instant(told.as_of)} UTC may still come, "
        f"since commands of then wait for a handler, in shards {shards}. Once they are handled "
        f"the same command goes on: airside replay {words}"
    )


def scratch_words(projection: str, label: str, as_of: int, source: Source) -> str:
    """What follows `airside replay` to go on with a look back; `as_of` in ms."""
    at = datetime.fromtimestamp(as_of / 1_000, UTC).isoformat(timespec="milliseconds")
    store = " --from store" if source == "store" else ""
    return f"{projection} --as-of {at} --into {label}{store}"
