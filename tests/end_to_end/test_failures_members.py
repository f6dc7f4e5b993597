"""Workers stand still and come back as zombies, join and leave all the time, under load."""

import re
from collections.abc import Iterator
from signal import SIGSTOP

import pytest

from stack.cassandra import CassandraNode
from stack.kafka import KafkaBroker
from stack.valkey import ValkeyServer
from tests.kit.cli import Shell, Worker, at_work
from tests.kit.dying import struck, trapped
from tests.kit.engines import on_engines, running
from tests.kit.load import under_load
from tests.kit.storm import Storm, rage
from tests.kit.witness import wait_until

pytestmark = [pytest.mark.engines, pytest.mark.timeout(300)]

CALL = 8  # which commit or save it is struck at, without the first of each shard
SHARDS = 4
CHANGES = 10  # in the storm, half of them of handlers: one each is paused, killed, stopped


@pytest.fixture(scope="module")
def shell(
    cassandra: CassandraNode,
    impatient_kafka: KafkaBroker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Shell]:
    directory = tmp_path_factory.mktemp("members")
    with running(ValkeyServer(directory / "valkey")) as views:
        yield on_engines(
            directory / "data",
            events=f"cassandra://{cassandra.address}",
            log=impatient_kafka.url,
            views=views.url,
            shards=SHARDS,
        )


def shards_taken_up(handler: Worker) -> set[str]:
    """Which shards it says that it took up."""
    return set(re.findall(r"resumed shard=(\d+)", handler.text))


def has_all_shards(handler: Worker) -> bool:
    return len(shards_taken_up(handler)) == SHARDS


def test_a_handler_that_stood_still_before_its_commit_is_refused_and_joins_again(
    shell: Shell,
) -> None:
    with (
        under_load(shell) as load,
        at_work(shell, "project"),
        trapped(shell, "handle", "before the commit", call=CALL, number=SIGSTOP) as zombie,
    ):
        with load.running():
            held = struck(zombie)
            with at_work(shell, "handle") as (successor,):
                wait_until("it is thought dead", lambda: has_all_shards(successor))
                wait_until(
                    "another decides", lambda: load.seen.stored()[held.shard] > held.last_seq
                )
                zombie.go_on()
                refused = f"commit {held.number} from seq {held.first_seq} is refused"
                wait_until("it is refused", lambda: refused in zombie.text)
            load.seen.sees_progress()  # there is no other
        assert load.finish() > held.last_seq


def test_a_handler_that_stood_still_before_publishing_only_repeats_what_others_published(
    shell: Shell,
) -> None:
    with (
        under_load(shell) as load,
        at_work(shell, "project"),
        trapped(shell, "handle", "before publishing", call=CALL, number=SIGSTOP) as zombie,
    ):
        with load.running():
            held = struck(zombie)
            with at_work(shell, "handle") as (successor,):
                wait_until("it is thought dead", lambda: has_all_shards(successor))
                load.seen.sees_progress()
                before = load.seen.seqs_on_topic(held.shard).count(held.first_seq)
                zombie.go_on()
                load.seen.sees_progress()
            load.seen.sees_progress()  # there is no other
        after = load.seen.seqs_on_topic(held.shard).count(held.first_seq)
        load.finish()
    assert (before, after) == (1, 2)


def test_a_projector_that_stood_still_before_its_save_is_refused_and_joins_again(
    shell: Shell,
) -> None:
    with (
        under_load(shell) as load,
        at_work(shell, "handle"),
        trapped(shell, "project", "before the save", call=CALL, number=SIGSTOP) as zombie,
    ):
        with load.running():
            held = struck(zombie)
            place = held.generation, held.shard
            with at_work(shell, "project"):
                wait_until(
                    "another folds it", lambda: load.seen.folded_into(*place) > held.last_seq
                )
                zombie.go_on()
                refused = f"{held.generation}, shard {held.shard}: expected the checkpoint"
                wait_until("it is refused", lambda: refused in zombie.text)
            load.seen.sees_progress()  # there is no other
        assert load.finish() > held.last_seq


def test_members_that_come_and_go_every_second_leave_one_history(shell: Shell) -> None:
    handlers, projectors = Storm(shell, "handle"), Storm(shell, "project")
    with under_load(shell) as load:
        with load.running():
            before = load.seen.stored(), load.seen.folded()
            rage([handlers, projectors], changes=CHANGES)
            after = load.seen.stored(), load.seen.folded()
        with at_work(shell, "handle", "project"):
            load.finish()
    had_shards = [worker for worker in handlers.members if shards_taken_up(worker)]
    assert len(had_shards) > 2, "the shards went from hand to hand"
    assert sum(after[0]) > sum(before[0]), "meanwhile commands were handled"
    assert sum(after[1]) > sum(before[1]), "meanwhile events were folded"
    assert set(handlers.exit_codes + projectors.exit_codes) == {0}
