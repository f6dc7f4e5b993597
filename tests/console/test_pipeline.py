"""The pipeline on the console: lag as plots, generations, replays under way, what is parked."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from projectors.all import PROJECTIONS
from tests.kit.cli import Shell
from tests.kit.console import building

pytestmark = [pytest.mark.engines, pytest.mark.timeout(400)]

Open = Callable[[str], Page]


def test_every_read_model_is_listed_with_its_lag_as_a_plot(open_page: Open) -> None:
    page = open_page("#/pipeline")
    served = page.get_by_role("table", name="Served read models")
    expect(served.get_by_role("rowheader")).to_have_count(len(PROJECTIONS))
    expect(served.get_by_role("img", name="Lag of downloads.1: now 0 events")).to_be_visible()


def test_every_partition_has_plots_of_commands_and_read_models(
    open_page: Open, shell: Shell
) -> None:
    page = open_page("#/pipeline")
    matrix = page.get_by_role("region", name="Lag by partition")
    expect(matrix.get_by_role("columnheader")).to_have_count(1 + 8)
    expect(matrix.get_by_role("img")).to_have_count(8 * (1 + len(PROJECTIONS)))
    expect(
        matrix.get_by_role("img", name="Commands waiting, partition 7: now 0")
    ).to_be_visible()


def test_a_plot_grows_while_the_page_is_open(open_page: Open) -> None:
    page = open_page("#/pipeline")
    line = page.get_by_role("img", name="Lag of downloads.1").locator(".spark-line")
    page.wait_for_function(
        "(one) => one.getAttribute('d').split('L').length >= 3", arg=line.element_handle()
    )
    expect(line).to_have_count(1)


def test_what_is_parked_is_shown_with_its_reason(open_page: Open) -> None:
    page = open_page("#/pipeline")
    row = page.get_by_role("table", name="Parked records").get_by_role("row").nth(1)
    expect(row).to_contain_text("UNREADABLE")
    expect(row.get_by_role("rowheader")).to_contain_text("held")
    row.get_by_role("link", name="Open account held").click()
    expect(page.get_by_role("alert")).to_contain_text("Not found.")


def test_a_replay_is_shown_with_progress_and_the_time_left(
    open_page: Open, shell: Shell
) -> None:
    page = open_page("#/pipeline")
    expect(page.get_by_role("heading", name="Served read models")).to_be_visible()
    with building(shell, done=300, total=1_200):
        bar = page.get_by_role("progressbar", name="downloads.99: building")
        expect(bar).to_be_visible()
        expect(bar).to_have_attribute("value", "300")
        expect(page.get_by_text("300 of 1,200 (25 %), about 42 s left")).to_be_visible()
        expect(page.get_by_text("1 other generation")).to_be_visible()
    expect(page.get_by_role("heading", name="Replays under way")).to_have_count(0)
    expect(page.get_by_role("status").last).to_contain_text("downloads.99 is built.")
