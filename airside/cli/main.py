"""`airside`: the command line's root, its settings and its exit codes."""

import io
import logging
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from airside.settings import SHARDS_DEFAULT, SHARDS_MAX, Settings
from schemas.errors import AirsideError, Contradiction, Invalid, TooLarge, Unreadable

INTERRUPTED = 130  # as shells have it: 128 and the number of SIGINT
BAD_INPUT = (Invalid, TooLarge, Contradiction, Unreadable)

EXIT_CODES = """
\b
Exit codes:
  0  done
  1  could not be done (an engine is away; what was named, an account say, is not there)
  2  bad input (a word, an option or a file that cannot be right): nothing was changed
  3  refused by a rule of the domain
  4  no outcome within the time limit; it may still come
  5  differences were found (rows, events, commands), or a replay was not finished
  130  interrupted by Ctrl-C
"""


VERBS = {
    "archive": "airside.cli.archive:archive_verb",
    "catalog": "airside.cli.catalog:catalog",
    "check": "airside.cli.check:check_verb",
    "demo": "airside.cli.demo:demo",
    "doctor": "airside.cli.doctor:doctor",
    "gateway": "airside.cli.gateway:gateway",
    "handle": "airside.cli.work:handle",
    "init": "airside.cli.init:init",
    "keygen": "airside.cli.keygen:keygen",
    "parked": "airside.cli.parked:parked",
    "project": "airside.cli.work:project",
    "projections": "airside.cli.projections:projections",
    "query": "airside.cli.query:query",
    "replay": "airside.cli.replay:replay",
    "send": "airside.cli.send:send",
    "serve": "airside.cli.serve:serve",
    "simulate": "airside.cli.simulate:simulate",
    "simulate-world": "airside.cli.simulate_world:simulate_world",
    "timekeeper": "airside.cli.work:timekeeper",
    "up": "airside.cli.work:up",
}
"""Where each verb is. Its module is loaded when it is called: that is half of the start."""


class Root(click.Group):
    """Finds the verbs; turns every error of ours into one line and an honest exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs' names, in the order of `--help`."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb of that name; None if there is none."""
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name].partition(":")
        found: click.Command = getattr(import_module(module), attribute)
        return found

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb. Exits 2 where the input is to blame, 1 for anything else of ours."""
        try:
            return super().invoke(ctx)
        except AirsideError as error:
            click.echo(f"airside: {error}", err=True)
            ctx.exit(2 if isinstance(error, BAD_INPUT) else 1)
        except KeyboardInterrupt:
            click.echo("airside: interrupted; nothing is half-done.", err=True)
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            raise  # whoever read the answer has seen enough; click ends quietly
        except OSError as error:
            click.echo(f"airside: {error}", err=True)
            ctx.exit(1)


@click.group(cls=Root, epilog=EXIT_CODES, context_settings={"max_content_width": 96})
@click.version_option(package_name="airside")
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(".airside"),
    envvar="AIRSIDE_DATA",
    show_default=True,
    show_envvar=True,
    help="Where the embedded engines keep their data.",
)
@click.option(
    "--events",
    envvar="AIRSIDE_EVENTS",
    show_envvar=True,
    metavar="URL",
    help="The Cassandra cluster of the event store, as cassandra://host:9042/keyspace. "
    "Default: a SQLite file inside the data directory.",
)
@click.option(
    "--log",
    envvar="AIRSIDE_LOG",
    show_envvar=True,
    metavar="URL",
    help="The Kafka cluster of commands and events, as kafka://host:9092. "
    "Default: the same SQLite file.",
)
@click.option(
    "--views",
    envvar="AIRSIDE_VIEWS",
    show_envvar=True,
    metavar="URL",
    help="The Redis or Valkey server of the read models, as redis://host:port/0. "
    "Default: a private Valkey inside the data directory.",
)
@click.option(
    "--archive",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="AIRSIDE_ARCHIVE",
    show_envvar=True,
    help="Where `airside archive` puts old events of a Cassandra event store, and where all "
    "roles read them. Default: none.",
)
@click.option(
    "--shards",
    type=click.IntRange(1, SHARDS_MAX),
    envvar="AIRSIDE_SHARDS",
    show_envvar=True,
    help=f"Partitions of what is laid out new, fixed for its life. Default: {SHARDS_DEFAULT}.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log every batch to standard error.")
@click.pass_context
def main(
    ctx: click.Context,
    data: Path,
    events: str | None,
    log: str | None,
    views: str | None,
    archive: Path | None,
    shards: int | None,
    verbose: bool,
) -> None:
    """Licenses for watching offline: who holds what until when, and may have one more.

    Commands go onto a topic, handlers decide them into events, projectors fold events into
    read models, queries answer from those. Start everything with `airside up` (or, on real
    engines, `airside init` and then each role), then in another terminal:

    \b
      airside catalog load examples/catalog.json
      airside send OpenAccount account_id=a1 plan_id=standard country=DE --wait
      airside send RegisterDevice account_id=a1 device_id=d1 --wait
      airside send AcquireLicense account_id=a1 device_id=d1 title_id=t1 --wait
      airside query downloads a1
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # rather a ? than no answer
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    ctx.obj = Settings(
        data=data, events=events, log=log, views=views, archive=archive, shards=shards
    )
