"""What every verb of the README does, on whatever engines. A subclass has a fixture `shell`."""

from pathlib import Path

import pytest

from tests.kit.cli import CATALOG, Shell


def wait_for_expiry(shell: Shell, title_id: str) -> bool:
    tallies = (shell.ask("title", title_id)["tally"] for _ in range(40))
    return any(tally.get("expired") for tally in tallies)


def check_answered(shell: Shell, words: list[str], shown: str) -> None:
    """For people and for programs."""
    ran = shell("query", *words)
    assert ran.code == 0, ran.err
    assert shown in ran.out
    assert isinstance(shell.ask(*words), dict)


class VerbsContract:
    @pytest.fixture(scope="class")
    @classmethod
    def member(cls, shell: Shell) -> Shell:
        """Account a1 with device d1, which holds t1."""
        shell.send("OpenAccount", "account_id=a1", "plan_id=standard", "country=DE")
        shell.send("RegisterDevice", "account_id=a1", "device_id=d1")
        shell.send("AcquireLicense", "account_id=a1", "device_id=d1", "title_id=t1")
        return shell

    def test_an_accepted_command_is_told_with_its_license_and_a_token(
        self, member: Shell
    ) -> None:
        ran = member("send", "AcquireLicense", "account_id=a1", "device_id=d1", "title_id=t2",
                     "--wait")  # fmt: skip
        assert ran.code == 0
        assert "accepted: LicenseIssued × 1" in ran.out
        assert "--min-version" in ran.out

    def test_a_refused_command_exits_3_and_says_why(self, member: Shell) -> None:
        ran = member("send", "AcquireLicense", "account_id=a1", "device_id=d9", "title_id=t1",
                     "--wait")  # fmt: skip
        assert ran.code == 3
        assert "DEVICE_UNKNOWN: The device was never registered" in ran.out

    def test_a_query_waits_for_what_was_just_written(self, member: Shell) -> None:
        told = member.send("AcquireLicense", "account_id=a1", "device_id=d1", "title_id=t3")
        found = member.ask("downloads", "a1", "--title", "t3", "--min-version", told["token"])
        assert found["standing"]["fresh"]
        assert [one["used"] for one in found["titles"]] == [1]

    def test_a_query_that_cannot_wait_long_enough_says_what_it_lacks(
        self, member: Shell
    ) -> None:
        shard = member.send("RegisterDevice", "account_id=a1", "device_id=d1")["shard"]
        ran = member("query", "downloads", "a1", "--min-version", f"{shard}:999999",
                     "--wait-seconds", "0.1")  # fmt: skip
        assert ran.code == 0
        assert "STALE: " in ran.err

    def test_the_same_command_id_takes_effect_once(self, member: Shell) -> None:
        words = ["AcquireLicense", "account_id=a1", "device_id=d1", "title_id=t4",
                 "command_id=7c9e6679-7425-40de-944b-e07fc1f90ae7"]  # fmt: skip
        first, second = member.send(*words), member.send(*words)
        assert first["outcome"] == second["outcome"]
        assert first["offset"] < second["offset"]
        assert member.ask("downloads", "a1", "--title", "t4")["titles"][0]["used"] == 1

    def test_a_question_is_answered_as_a_table_and_as_json(self, member: Shell) -> None:
        check_answered(member, ["devices", "a1"], "plan standard, DE, open")

    def test_a_dry_run_tells_every_rule_that_would_refuse(self, member: Shell) -> None:
        ran = member("query", "can-download", "a1", "d9", "t999", "--json")
        assert ran.code == 3
        assert [one["code"] for one in ran.json["reasons"]] == [
            "TITLE_UNKNOWN",
            "DEVICE_UNKNOWN",
        ]

    def test_other_policies_on_the_same_past_say_what_would_differ(self, member: Shell) -> None:
        found = member("simulate", "--policy", str(CATALOG), "--account", "a1", "--json").json
        assert found["decisions"] >= 3
        assert (found["same"], found["left_out"]) == (found["decisions"], [])

    def test_what_became_of_a_command_can_be_asked_in_any_spelling_of_its_id(
        self, member: Shell
    ) -> None:
        id = "0f8fad5b-d9cb-469f-a165-70867728950e"
        member.send("RegisterDevice", "account_id=a1", "device_id=d2", f"command_id={id}")
        found = member.ask("command", id.upper(), "--account", "a1")
        assert found["outcome"]["status"] == "accepted"

    def test_an_unknown_account_is_an_error_and_not_an_empty_table(self, member: Shell) -> None:
        ran = member("query", "downloads", "nobody")
        assert ran.code == 1
        assert "account nobody: unknown" in ran.err

    def test_a_replay_is_verified_and_served(self, member: Shell) -> None:
        ran = member("replay", "downloads")
        assert ran.code == 0, ran.err
        assert "is served now" in ran.out
        assert ran.out.splitlines()[-1].startswith("rebuilt equals live: ")
        assert ran.out.splitlines()[-1].endswith(" rows, 0 different")

    def test_projections_tell_position_and_lag(self, member: Shell) -> None:
        answer = member("projections", "--json").json
        found = {one["projection"]: one for one in answer["projections"]
                 if one["role"] == "serving"}  # fmt: skip
        assert len(found) == 9
        assert found["timeline"]["rows"] >= 1
        assert found["timeline"]["current"]

    def test_the_policy_in_force_can_be_shown(self, member: Shell) -> None:
        ran = member("catalog", "show", "--title", "t1")
        assert ran.code == 0
        assert "license_term_s" in ran.out

    def test_the_timekeeper_puts_an_expiry_on_record(
        self, member: Shell, tmp_path: Path
    ) -> None:
        catalog = tmp_path / "short.json"
        catalog.write_text(
            '{"policies": {"short": {"license.term_s": 1}}, "studios": {"s77": {"name": "S"}},'
            ' "titles": {"t77": {"name": "T", "studio_id": "s77", "policy": "short"}}}'
        )
        assert member("catalog", "load", str(catalog)).code == 0
        member.send("AcquireLicense", "account_id=a1", "device_id=d1", "title_id=t77")
        found = member("query", "title", "t77", "--json")
        assert found.code == 0
        assert wait_for_expiry(member, "t77")
