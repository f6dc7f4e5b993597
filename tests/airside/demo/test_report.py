"""The tables of the demo."""

from io import StringIO

from rich.console import Console, RenderableType

from airside.demo import report
from commands.batch import Counts

COUNTS = Counts(accepted=80, refused=10, noted=4, repeats=5, parked=1)


def shown(table: RenderableType) -> str:
    console = Console(file=StringIO(), width=140, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_numbers_that_add_up_say_so() -> None:
    assert "in all, as many as on the topic" in shown(report.numbers_table(COUNTS, 100))


def test_numbers_that_do_not_add_up_say_so() -> None:
    assert "but 101 are on the topic" in shown(report.numbers_table(COUNTS, 101))


def test_refusals_are_put_in_words_the_most_frequent_first() -> None:
    table = report.refusals_table({"ACCOUNT_ON_HOLD": 1, "TOO_MANY_DEVICES": 7}, {})
    text = shown(table)
    assert text.index("TOO_MANY_DEVICES") < text.index("The account is suspended.")


def test_the_busiest_hour_has_the_longest_bar() -> None:
    lines = shown(report.hours_chart([0, 10, 40])).splitlines()
    assert [line.count("█") for line in lines] == [0, 10, 40]
