"""Poison on the commands topic: parked with its reason, in order, and nothing is lost.

A subclass has a fixture `shell`: a deployment at work, which the tests share. Each has accounts
of its own.
"""

from typing import Any

import pytest

from airside.wiring import open_deployment
from schemas.envelope import new_id
from schemas.errors import TooLarge
from schemas.record import CATALOG_TOPIC, COMMANDS_TOPIC, RECORD_BYTES_MAX, shard_of
from tests.kit.cli import CATALOG, Shell
from tests.kit.witness import wait_until


def produce(shell: Shell, account_id: str, value: bytes) -> int:
    """Put bytes onto the commands topic as some other program would; the offset."""
    with open_deployment(shell.settings) as deployment, deployment.log() as topics:
        shard = shard_of(account_id, deployment.shards)
        return topics.append(COMMANDS_TOPIC, shard, [(account_id.encode(), value)])


def opens(account_id: str) -> list[str]:
    """The words of a command."""
    return ["OpenAccount", f"account_id={account_id}", "plan_id=ads", "country=US"]


def parked(shell: Shell, account_id: str) -> list[dict[str, Any]]:
    """What waits of an account."""
    found: list[dict[str, Any]] = shell("parked", "--account", account_id, "--json").json
    return found


def parked_of_catalog(shell: Shell) -> list[str]:
    """Why entries of the catalog are left out."""
    listed = shell("parked", "--json").json
    return [one["reason"] for one in listed if one["where"] == "catalog"]


def check_parked(shell: Shell, account: str, value: bytes, reason: str) -> None:
    """It is set aside, and what follows of its account; another's is handled."""
    offset = produce(shell, account, value)
    shell("send", *opens(account))
    told = shell.send(*opens(f"{account}-other"))
    assert told["outcome"]["status"] == "accepted"
    wait_until("both are parked", lambda: len(parked(shell, account)) == 2)
    first, second = parked(shell, account)
    assert first["reason"].startswith(reason)
    assert first["size"] == len(value)
    assert second["reason"] == f"BEHIND: offset {offset}"
    assert "2 parked" in shell("parked", "--account", account).out


class ParkingContract:
    @pytest.fixture
    def account(self) -> str:
        """One that nobody else has."""
        return f"a{new_id()[:11]}"

    @pytest.mark.parametrize(
        "value", [b"not avro at all", bytes(1_000_000)], ids=["short", "long"]
    )
    def test_poison_is_parked_and_others_go_on(
        self, shell: Shell, account: str, value: bytes
    ) -> None:
        check_parked(shell, account, value, "UNREADABLE: ")

    def test_who_sends_what_has_to_wait_behind_poison_is_told(
        self, shell: Shell, account: str
    ) -> None:
        offset = produce(shell, account, b"not avro at all")
        wait_until("it is parked", lambda: len(parked(shell, account)) == 1)
        behind = shell("send", *opens(account), "--wait", "--timeout", "5")
        assert behind.code == 1
        assert f"BEHIND: offset {offset}" in behind.err

    def test_after_a_discard_and_a_redrive_what_waited_is_handled(
        self, shell: Shell, account: str
    ) -> None:
        offset = produce(shell, account, b"not avro at all")
        shell("send", *opens(account))
        discarded = shell("parked", "discard", account, str(offset), "--reason", "a stray test")
        redriven = shell("parked", "redrive", account)
        assert discarded.code == redriven.code == 0
        assert parked(shell, account) == []
        assert shell.ask("devices", account)["status"] == "open"
        entries = shell.ask("timeline", account)["entries"]
        notes = [entry["facts"].get("note", "") for entry in entries]
        assert any("a stray test" in note for note in notes)

    def test_a_redrive_of_what_still_cannot_be_read_loses_nothing(
        self, shell: Shell, account: str
    ) -> None:
        produce(shell, account, b"not avro at all")
        before = shell.send(*opens(f"{account}-other"))
        assert before["outcome"]["status"] == "accepted"
        assert shell("parked", "redrive", account).code == 0
        assert [one["reason"][:10] for one in parked(shell, account)] == ["UNREADABLE"]

    def test_a_record_over_the_bound_is_refused_where_it_is_produced(
        self, shell: Shell, account: str
    ) -> None:
        with pytest.raises(TooLarge, match=f"a record of {RECORD_BYTES_MAX + 1} bytes"):
            produce(shell, account, bytes(RECORD_BYTES_MAX + 1 - len(account)))
        assert parked(shell, account) == []

    def test_a_catalog_entry_that_cannot_be_read_is_listed_until_it_is_corrected(
        self,
        shell: Shell,
    ) -> None:
        with open_deployment(shell.settings) as deployment, deployment.log() as topics:
            topics.append(CATALOG_TOPIC, 0, [(b"title/t1", b"{}")])
        assert ["title/t1" in reason for reason in parked_of_catalog(shell)] == [True]
        assert shell("catalog", "load", str(CATALOG)).code == 0
        assert parked_of_catalog(shell) == []
