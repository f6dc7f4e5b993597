"""The demo's answers as tables. Every number is handed in; nothing here asks or counts."""

from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from commands.batch import Counts
from schemas.codes import REFUSALS

BAR_CELLS = 40  # of the longest bar


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
    table = _table("Commands")
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
    table = _table("Refusals")
    table.add_column("code", footer=f"{len(counts)} codes")
    table.add_column("refused", justify="right", footer=f"{sum(counts.values()):,}")
    table.add_column("in words")
    table.add_column("for example")
    for code, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        table.add_row(code, f"{count:,}", REFUSALS.get(code, ""), examples.get(code, ""))
    return table


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_footer=True,
    )
