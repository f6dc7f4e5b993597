"""`airside simulate`: what would have been decided under other policies; nothing is written."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import click
import msgspec

from airside.cli.output import Advance, Id, instant, progress, readable, show_json, show_table
from airside.policy_changes import Change, KeyChange
from airside.settings import Settings
from airside.simulating import SHOWN, Asked, past
from airside.simulating import simulate as ask
from airside.simulation_report import LeftOut, Report, Shown
from airside.wiring import open_existing
from commands.differing import Kind
from commands.simulate import Why

SHOWN_MAX = 10_000
ENTRIES_SHOWN = 8
KEYS_SHOWN = 20

KINDS: Mapping[Kind, str] = {
    "now_refused": "accepted → refused",
    "now_accepted": "refused → accepted",
    "other_reason": "refused for another reason",
    "follows": "of a license that would not exist",
    "in_part": "other licenses of the device refused",
    "noted": "has an effect in one of the two only",
    "other_terms": "the same on other terms",
}
REASONS: Mapping[Why, str] = {
    "COMMANDS_GONE": "the commands topic does not hold all their commands any more",
    "CATALOG_GONE": "a catalog that decided for them cannot be told any more",
    "HISTORY": "their history cannot be read to its end",
    "NOT_REPRODUCED": "this code decides otherwise than the code that decided then",
    "STUCK": "a command could not be decided",
}


@click.command()
@click.option(
    "--policy",
    "file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The entries to try, in the format of `airside catalog load`.",
)
@click.option("--account", "account_id", type=Id(), help="This account alone.")
@click.option(
    "--sample",
    type=click.IntRange(1),
    metavar="N",
    help="N accounts, drawn by the hash of their ids: the same ones every time. Default: all.",
)
@click.option(
    "--show",
    type=click.IntRange(0, SHOWN_MAX),
    default=SHOWN,
    show_default=True,
    metavar="N",
    help="How many differing decisions are shown, the first by time.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object for programs.")
@click.pass_obj
def simulate(
    settings: Settings,
    file: Path,
    account_id: str | None,
    sample: int | None,
    show: int,
    as_json: bool,
) -> None:
    """Which decisions of the past would differ under other policies, and why.

    The entries of the file (policies, service, plans, studios, titles) hold from the beginning
    instead of those with the same names; everything else is as it was at the time. Each
    account's commands are decided again from its first one on, each on what its own decisions
    have left. Nothing is written, and workers may go on meanwhile.

    \b
    What it cannot know:
      - Nobody asks for anything else. A device that would have got a license would have
        renewed it, a member who was refused would have tried another title: such commands
        are not invented. Commands about a license that would not exist are counted apart.
      - Expiries come when they came; a shorter term counts from its end on all the same.
      - An account is left out, and counted, where the commands topic does not hold all its
        commands any more, where a catalog that decided cannot be told any more (the topic
        was compacted), or where deciding again by the old policies does not come to what
        history says.
    """
    if account_id is not None and sample is not None:
        raise click.UsageError("--account and --sample exclude each other: choose one.")
    data = file.read_bytes()
    asked = Asked(account_id, sample, show, file=str(file))
    with open_existing(settings) as deployment, past(deployment) as known, ExitStack() as held:
        bar: list[Advance] = []

        def report(done: int, total: int) -> None:
            if not bar:
                bar.append(held.enter_context(progress("simulating", total, quiet=as_json)))
            bar[0](done)

        found = ask(known, data, asked, report)
    if as_json:
        show_json(found)
    else:
        tell(found)


def tell(found: Report) -> None:
    """The answer for people."""
    names = found.replaced[:ENTRIES_SHOWN]
    more = (
        f" and {len(found.replaced) - len(names)} more" if found.replaced[len(names) :] else ""
    )
    click.echo(f"instead, in every catalog version: {', '.join(names)}{more}")
    _tell_keys(found)
    counted = [("the same", found.same), *((KINDS[k], n) for k, n in found.kinds.items())]
    show_table("Decisions", ["under the other policies", "decisions"], counted)
    if found.rules:
        rules = [(KINDS[one.kind], one.rule, one.code, one.count) for one in found.rules]
        show_table("By rule", ["", "rule", "code", "decisions"], rules)
    if found.terms:
        show_table("Other terms", ["what", "decisions"], list(found.terms.items()))
    if found.differences:
        show_table(
            f"The first {len(found.differences)} that differ, by time",
            ["when (UTC)", "account", "command", "then", "now", "why"],
            list(map(_row, found.differences)),
        )
    for left in found.left_out:
        click.echo(_left_out(left), err=True)
    among = "" if found.accounts_in_all is None else f" of {found.accounts_in_all:,}"
    compared = found.accounts - sum(left.accounts for left in found.left_out)
    click.echo(
        f"{found.decisions - found.same:,} of {found.decisions:,} decisions would differ, in "
        f"{found.differing_accounts:,} of {compared:,} accounts compared; looked at "
        f"{found.accounts:,}{among}"
    )


def _tell_keys(found: Report) -> None:
    """What the file says otherwise than the catalog in use, first what it does not say."""
    if not found.keys:
        click.echo("The file says what the catalog in use says.")
        return
    rows = [
        (
            one.entry,
            one.key,
            _value(one, "added", one.before),
            _value(one, "dropped", one.after),
        )
        for one in found.keys[:KEYS_SHOWN]
    ]
    show_table("Otherwise than in use", ["entry", "key", "in use", "in the file"], rows)
    if len(found.keys) > KEYS_SHOWN:
        click.echo(f"and {len(found.keys) - KEYS_SHOWN:,} more keys: --json names them")
    if dropped := sum(one.change == "dropped" for one in found.keys):
        click.echo(
            f"{dropped:,} keys in use do not hold here, since the file replaces whole entries: "
            "write into it what is to stay."
        )


def _value(one: KeyChange, unsaid: Change, value: object) -> str:
    if one.change == unsaid:
        return "(not said)"
    return msgspec.json.encode(value).decode()


def _row(one: Shown) -> tuple[object, ...]:
    if one.kind == "other_terms":
        why = "; ".join(_terms(one))
    else:
        why = one.after.explanation or f"then: {one.before.explanation}"
    return (
        instant(one.at),
        one.account_id,
        one.command,
        one.before.code or one.before.verdict,
        one.after.code or one.after.verdict,
        why,
    )


def _terms(one: Shown) -> Iterator[str]:
    for term in one.terms:
        is_instant = term.name.endswith("_at") and isinstance(term.before, int)
        values = [
            instant(value) if is_instant and isinstance(value, int) else readable(str(value))
            for value in (term.before, term.after)
        ]
        yield f"{term.name}: {' → '.join(values)}"


def _left_out(left: LeftOut) -> str:
    some = "; ".join(f"{name}: {why}" for name, why in left.some.items())
    accounts = "account" if left.accounts == 1 else "accounts"
    return f"left out: {left.accounts:,} {accounts}, since {REASONS[left.why]} ({some})"
