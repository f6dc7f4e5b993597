"""Poison on the commands topic: parked with its reason, in order, and nothing is lost.

A subclass has a fixture `shell`: a deployment of its own for each test, at work.
"""

import pytest

from airside.wiring import open_deployment
from schemas.codec import CODEC
from schemas.commands import OpenAccount
from schemas.envelope import new_id
from schemas.record import CATALOG_TOPIC, COMMANDS_TOPIC, shard_of
from tests.kit.cli import CATALOG, Shell


def produce(shell: Shell, account_id: str, value: bytes) -> int:
    """Put bytes onto the commands topic as some other program would; the offset."""
    with open_deployment(shell.settings) as deployment, deployment.log() as topics:
        shard = shard_of(account_id, deployment.shards)
        return topics.append(COMMANDS_TOPIC, shard, [(account_id.encode(), value)])


def a_command(account_id: str) -> OpenAccount:
    return OpenAccount(
        command_id=new_id(), account_id=account_id, issued_at=1, plan_id="ads", country="US"
    )


class ParkingContract:
    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            (b"not avro at all", "UNREADABLE: "),
            (b"\xc3\x01" + b"\x99" * 8 + b"later", "UNREADABLE: "),
            (CODEC.encode(a_command("a1"))[:-3], "UNREADABLE: "),
            (CODEC.encode(a_command("somebody-else")), "KEY_MISMATCH: "),
            (b"x" * 1_000_000, "UNREADABLE: "),
        ],
        ids=["garbage", "unknown-fingerprint", "cut-off", "wrong-key", "large"],
    )
    def test_poison_is_parked_with_its_reason_and_others_go_on(
        self, shell: Shell, value: bytes, reason: str
    ) -> None:
        offset = produce(shell, "a1", value)
        told = shell.send("OpenAccount", "account_id=a2", "plan_id=ads", "country=US")
        behind = shell("send", "OpenAccount", "account_id=a1", "plan_id=ads", "country=US",
                       "--wait", "--timeout", "1")  # fmt: skip
        assert told["outcome"]["status"] == "accepted"
        assert behind.code == 1
        assert f"BEHIND: offset {offset}" in behind.err
        first, second = shell("parked", "--json").json
        assert first["reason"].startswith(reason)
        assert first["size"] == len(value)
        assert second["reason"] == f"BEHIND: offset {offset}"
        assert "2 parked" in shell("parked").out

    def test_after_a_discard_and_a_redrive_what_waited_is_handled(self, shell: Shell) -> None:
        offset = produce(shell, "a1", b"not avro at all")
        shell("send", "OpenAccount", "account_id=a1", "plan_id=ads", "country=US")
        discarded = shell("parked", "discard", "a1", str(offset), "--reason", "a stray test")
        redriven = shell("parked", "redrive", "a1")
        assert discarded.code == redriven.code == 0
        assert shell("parked", "--json").json == []
        assert shell.ask("devices", "a1")["status"] == "open"
        notes = [one["facts"].get("note", "") for one in shell.ask("timeline", "a1")["entries"]]
        assert any("a stray test" in note for note in notes)

    def test_a_redrive_of_what_still_cannot_be_read_loses_nothing(self, shell: Shell) -> None:
        produce(shell, "a1", b"not avro at all")
        before = shell.send("OpenAccount", "account_id=a2", "plan_id=ads", "country=US")
        assert before["outcome"]["status"] == "accepted"
        assert shell("parked", "redrive", "a1").code == 0
        assert [one["reason"][:10] for one in shell("parked", "--json").json] == ["UNREADABLE"]

    def test_a_record_over_the_bound_is_refused_where_it_is_produced(
        self, shell: Shell
    ) -> None:
        with pytest.raises(Exception, match="5242880"):
            produce(shell, "a1", b"x" * 5_242_878)
        assert shell("parked", "--json").json == []

    def test_a_catalog_entry_that_cannot_be_read_is_listed_until_it_is_corrected(
        self,
        shell: Shell,
    ) -> None:
        with open_deployment(shell.settings) as deployment, deployment.log() as topics:
            topics.append(CATALOG_TOPIC, 0, [(b"title/t1", b"{}")])
        listed = shell("parked", "--json").json
        assert [(one["where"], "title/t1" in one["reason"]) for one in listed] == [
            ("catalog", True)
        ]
        assert shell("catalog", "load", str(CATALOG)).code == 0
        assert shell("parked", "--json").json == []
