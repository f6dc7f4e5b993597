"""The demo's answers as tables. Every number is handed in; nothing here asks or counts."""

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from airside.cli.output import instant
from commands.batch import Counts
from queries.downloads import DownloadsAnswer
from queries.licenses import LicensesAnswer
from queries.timeline import TimelineAnswer
from schemas.codes import REFUSALS

BAR_CELLS = 40  # of the longest bar
STATE_STYLES = {"ACTIVE": "green", "EXPIRED": "yellow", "RELEASED": "dim", "REVOKED": "red"}

Names = Mapping[str, str]  # title id -> what people call it


def numbers_table(counts: Counts, commands: int) -> Table:
    """What became of all `commands` on the topic, and whether the numbers add up."""
    rows = {
        "accepted": counts.accepted,
        "refused, with a reason": counts.refused,
        "noted: there was nothing to change": counts.noted,
        "repeats of one that was handled before": counts.repeats,
        "parked for a person to look at": counts.parked,
    }
    total = sum(rows.values())
    adds_up = total == commands
    verdict = "as many as" if adds_up else f"[red]but {commands:,} are"
    table = Table(title="Commands", title_justify="left", show_footer=True)
    table.add_column("what became of them", footer=f"in all, {verdict} on the topic")
    table.add_column("commands", justify="right", footer=f"{total:,}")
    table.add_column("share", justify="right")
    for meaning, count in rows.items():
        table.add_row(meaning, f"{count:,}", f"{count / max(1, total):.1%}")
    return table


def hours_chart(counts: Sequence[int]) -> Table:
    """How many commands came in each hour of the day, as bars."""
    table = Table.grid(padding=(0, 1))
    most = max([*counts, 1])
    for hour, count in enumerate(counts):
        cells = round(count * BAR_CELLS / most)
        table.add_row(f"{hour:02}:00", Text("█" * cells, style="cyan"), f"{count:,}")
    return table


def refusals_table(counts: Mapping[str, int], examples: Mapping[str, str]) -> Table:
    """Refusals by code, in words; `examples` names an account for some codes."""
    table = Table(title="Refusals", title_justify="left", show_footer=True)
    table.add_column("code", footer=f"{len(counts)} codes")
    table.add_column("refused", justify="right", footer=f"{sum(counts.values()):,}")
    table.add_column("in words")
    table.add_column("for example")
    for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(code, f"{count:,}", REFUSALS.get(code, ""), examples.get(code, ""))
    return table


def downloads_table(answer: DownloadsAnswer, names: Names) -> Table:
    """What a member has had of each title, what is left, and when the next is possible."""
    table = Table(
        title=f"Downloads of {answer.account_id}: {answer.counted} counted, "
        f"{answer.active} active, as of {instant(answer.at)}",
        title_justify="left",
    )
    for column in ("title", "used", "limit", "left", "active"):
        table.add_column(column, justify="left" if column == "title" else "right")
    table.add_column("next possible")
    for one in answer.titles:
        left = Text(number(one.left), style="red" if one.left == 0 else "")
        table.add_row(
            named(one.title_id, names),
            str(one.used),
            number(one.limit),
            left,
            str(one.active),
            possible(one.available_at, answer.at),
        )
    return table


def licenses_table(answer: LicensesAnswer, names: Names, *, rows_max: int = 12) -> Table:
    """A member's licenses: in which state, on which device, until when."""
    table = Table(
        title=f"Licenses of {answer.account_id}, as of {instant(answer.at)}",
        title_justify="left",
        caption=beyond(len(answer.licenses), rows_max),
        caption_justify="left",
    )
    for column in ("title", "device", "state", "until", "renewed", "plays", "late"):
        is_count = column in ("renewed", "plays", "late")
        table.add_column(column, justify="right" if is_count else "left")
    for one in answer.licenses[:rows_max]:
        table.add_row(
            named(one.title_id, names),
            one.device_id,
            Text(one.state, style=STATE_STYLES[one.state]),
            instant(one.expires_at),
            str(one.renewals),
            str(one.plays),
            str(one.late_plays),
        )
    return table


def timeline_table(answer: TimelineAnswer, *, rows_max: int = 12) -> Table:
    """The latest events of an account, the first of them at the top."""
    table = Table(
        title=f"What happened to {answer.account_id}, version {answer.version}",
        title_justify="left",
    )
    table.add_column("version", justify="right")
    table.add_column("at")
    table.add_column("event")
    table.add_column("by")
    table.add_column("facts", overflow="fold")
    for entry in reversed(answer.entries[:rows_max]):
        told = entry.explanation or facts(entry.facts)
        table.add_row(str(entry.version), instant(entry.at), entry.type, entry.actor, told)
    return table


def facts(what: Mapping[str, object]) -> str:
    """Facts on one line, as `key=value`; instants as people read them."""
    return " ".join(f"{key}={fact(key, value)}" for key, value in what.items())


def fact(key: str, value: object) -> str:
    """One fact; a long id is shortened."""
    if isinstance(value, int) and (key.endswith(("_at", "_until"))):
        return instant(value).replace(" ", "T")
    text = str(value)
    return text if len(text) <= 24 else text[:8] + "…"


def possible(available_at: int | None, at: int) -> str:
    """When something is possible, seen from `at`."""
    if available_at is None:
        return "not by waiting"
    return "now" if available_at <= at else instant(available_at)


def number(value: int | None) -> str:
    """A limit, or what is left of one."""
    return "–" if value is None else str(value)


def named(title_id: str, names: Names) -> str:
    """A title as people call it, with its id."""
    return f"{names[title_id]} ({title_id})" if title_id in names else title_id


def beyond(count: int, rows_max: int) -> str | None:
    """That there are more rows than are shown."""
    return f"and {count - rows_max} more" if count > rows_max else None
