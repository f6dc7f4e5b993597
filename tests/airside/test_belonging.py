"""A question is put to the read models of the event store, or says that it does not know."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from airside.belonging import check_belonging
from airside.cli.main import main
from airside.settings import Settings
from airside.wiring import Deployment, open_deployment
from projectors.generations import ensure_serving
from schemas.errors import Contradiction
from stack.ports import free_ports

pytestmark = pytest.mark.engines

TWO_HISTORIES = r"downloads: the read models are of history .*, the events of history"


@pytest.fixture
def ours(tmp_path: Path, views_url: str) -> Iterator[Deployment]:
    """An event store, and read models of its history."""
    with open_deployment(Settings(data=tmp_path / "ours", views=views_url)) as deployment:
        with deployment.event_store() as store, deployment.view_store() as views:
            history, shards = store.history_id(), store.shards()
            ensure_serving(
                views, "downloads", fingerprint="f", now_at=1, history=history, shards=shards
            )
        yield deployment


def test_read_models_of_the_same_history_are_asked(ours: Deployment) -> None:
    assert check_belonging(ours, "downloads") == ""


def test_what_was_never_built_is_of_no_other_history(ours: Deployment) -> None:
    assert check_belonging(ours, "licenses") == ""


def test_read_models_of_another_history_are_refused(
    ours: Deployment, tmp_path: Path, views_url: str
) -> None:
    other = Settings(data=tmp_path / "other", views=views_url)
    with (
        open_deployment(other) as deployment,
        pytest.raises(Contradiction, match=TWO_HISTORIES),
    ):
        check_belonging(deployment, "downloads")


def test_a_query_of_them_answers_nothing(
    ours: Deployment, tmp_path: Path, views_url: str
) -> None:
    words = ["--data", str(tmp_path / "other"), "--views", views_url]
    made = CliRunner().invoke(main, [*words, "init"])
    ran = CliRunner().invoke(main, [*words, "query", "downloads", "a1"])
    assert (made.exit_code, ran.exit_code) == (0, 2)
    assert "Name another database in AIRSIDE_VIEWS" in ran.output


def test_where_the_event_store_is_away_that_is_said_and_the_answer_comes(
    ours: Deployment, tmp_path: Path, views_url: str
) -> None:
    port, log = free_ports(2)
    away = Settings(
        data=tmp_path / "away",
        events=f"cassandra://127.0.0.1:{port}/airside?timeout_seconds=60",
        log=f"kafka://127.0.0.1:{log}",
        views=views_url,
    )
    with open_deployment(away) as deployment:
        assert f"127.0.0.1:{port}" in check_belonging(deployment, "downloads")
