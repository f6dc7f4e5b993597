"""What strangers get wrong: each gets fact, value and next step, and nothing changes."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.cli import CATALOG, Shell, up

pytestmark = pytest.mark.engines

A_DAY_FAR_AWAY = "issued_at=2090-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    data = tmp_path_factory.mktemp("bad") / "data"
    with up(data):
        shell = Shell(data)
        assert shell("catalog", "load", str(CATALOG)).code == 0
        shell.send("OpenAccount", "account_id=a1", "plan_id=standard", "country=DE")
        yield shell


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["AquireLicense"], "no such command. Did you mean AcquireLicense"),
        (["AcquireLicense", "account_id=a1"], "AcquireLicense lacks device_id, title_id"),
        (["OpenAccount", "acount_id=a1"], "Did you mean account_id?"),
        (["OpenAccount", "account_id=a1", "plan_id"], "FIELD=VALUE"),
        (["GrantAllowance", "account_id=a1", "count=many", "expires_at=1"], "many"),
        (["RegisterDevice", "account_id=a1", f"device_id={'d' * 10_000}"], "128"),
        (["RenewLicense", "account_id=a1", "license_id=17"], "UUID"),
        (["RegisterDevice", "account_id=a1", "device_id=d1", "security_level=4"], "4"),
    ],
)
def test_a_command_that_is_not_one_is_not_produced(
    shell: Shell, words: list[str], said: str
) -> None:
    ran = shell("send", *words)
    assert ran.code == 2
    assert said in ran.err
    assert len(ran.err) < 2_000


def test_a_time_far_in_the_future_is_refused_and_spoils_nothing(shell: Shell) -> None:
    ran = shell("send", "RegisterDevice", "account_id=a1", "device_id=d1", A_DAY_FAR_AWAY,
                "--wait")  # fmt: skip
    assert ran.code == 3
    assert "CLOCK_SKEW" in ran.out
    told = shell.send("RegisterDevice", "account_id=a1", "device_id=d1")
    assert told["outcome"]["status"] == "accepted"


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["AcquireLicense", "account_id=a9", "device_id=d1", "title_id=t1"], "ACCOUNT_UNKNOWN"),
        (["AcquireLicense", "account_id=a1", "device_id=d9", "title_id=t1"], "DEVICE_UNKNOWN"),
        (["AcquireLicense", "account_id=a1", "device_id=d9", "title_id=t0"], "TITLE_UNKNOWN"),
        (["RenewLicense", "account_id=a1", f"license_id={'0' * 32}"], "LICENSE_UNKNOWN"),
    ],
)
def test_what_is_unknown_is_refused_with_a_code(
    shell: Shell, command: list[str], code: str
) -> None:
    told = shell.send(*command)
    assert told["outcome"]["code"] == code
    assert told["explanation"].startswith(code)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"type": "OpenAccount",', "JSON"),
        (b'{"type": "OpenAcount", "account_id": "b1"}', "Did you mean OpenAccount"),
        (b'{"account_id": "b1"}', "without a type"),
        (b'{"type": "OpenAccount", "account_id": "b1", "plan_id": "ads"}', "lacks country"),
        (b'{"type": "EraseAccount", "account_id": 17}', "account_id"),
        (b'{"type": "EraseAccount", "account_id": "b1", "note": "' + b"x" * 5_000_000 + b'"}',
         "over 1,000,000 bytes"),
        (b"\xff\xfe\x00", "line 2"),
        (b"[1, 2]", "line 2"),
    ],
)  # fmt: skip
def test_one_bad_line_names_itself_and_nothing_of_the_file_is_sent(
    shell: Shell, tmp_path: Path, line: bytes, said: str
) -> None:
    file = tmp_path / "commands.jsonl"
    good = b'{"type": "OpenAccount", "account_id": "b1", "plan_id": "ads", "country": "US"}'
    file.write_bytes(good + b"\n" + line + b"\n" + good + b"\n")
    ran = shell("send", "--file", str(file), "--wait")
    assert ran.code == 2
    assert ran.err.startswith("airside: line 2: ")
    assert "line 3" not in ran.err
    assert said in ran.err
    assert "Nothing was sent." in ran.err
    assert len(ran.err) < 2_000
    assert "unknown" in shell("query", "downloads", "b1").err


def test_every_bad_line_is_told_up_to_a_bound(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "commands.jsonl"
    file.write_text("nonsense\n" * 1_000)
    ran = shell("send", "--file", str(file))
    assert ran.code == 2
    assert ran.err.count("line ") == 20


def test_a_file_sent_twice_takes_effect_once(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "commands.jsonl"
    lines = [
        {"type": "OpenAccount", "account_id": "c1", "plan_id": "ads", "country": "US"},
        {"type": "RegisterDevice", "account_id": "c1", "device_id": "d1"},
        {"type": "AcquireLicense", "account_id": "c1", "device_id": "d1", "title_id": "t1"},
    ]
    file.write_text("\n".join(json.dumps(line) for line in lines))
    first = shell("send", "--file", str(file), "--wait", "--json")
    second = shell("send", "--file", str(file), "--wait", "--json")
    assert first.code == second.code == 0
    assert first.json["outcomes"] == second.json["outcomes"] == {"accepted": 3}
    assert shell.ask("downloads", "c1")["issued"] == 1


def test_a_file_that_was_touched_means_its_commands_anew(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "commands.jsonl"
    file.write_text('{"type": "GrantAllowance", "account_id": "a1", "title_id": "t1",'
                    ' "count": 1, "expires_at": "2099-01-01T00:00:00Z"}')  # fmt: skip
    os.utime(file, (1_600_000_000, 1_600_000_000))
    shell("send", "--file", str(file), "--wait")
    shell("send", "--file", str(file), "--wait")
    os.utime(file, (1_600_000_001, 1_600_000_001))
    shell("send", "--file", str(file), "--wait")
    types = [one["type"] for one in shell.ask("timeline", "a1")["entries"]]
    assert types.count("AllowanceGranted") == 2


def test_many_commands_of_one_account_in_one_file_are_not_stale(
    shell: Shell, tmp_path: Path
) -> None:
    file = tmp_path / "commands.jsonl"
    lines = ['{"type": "OpenAccount", "account_id": "f1", "plan_id": "ads", "country": "US"}']
    file.write_text("\n".join(lines * 400))
    sent = shell("send", "--file", str(file), "--wait", "--json").json
    assert sent["outcomes"] == {"noted": 399, "accepted": 1}


def test_a_file_is_not_stale_because_of_the_one_before_it(shell: Shell, tmp_path: Path) -> None:
    opens = '{"type": "OpenAccount", "account_id": "%s", "plan_id": "ads", "country": "US"}'
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text("\n".join([opens % "g1"] * 150))
    second.write_text("\n".join([opens % "g1", *(opens % f"h{n}" for n in range(2_000))]))
    now = int(time.time())
    os.utime(first, (now - 2, now - 2))
    os.utime(second, (now - 1, now - 1))
    shell("send", "--file", str(first), "--wait")
    sent = shell("send", "--file", str(second), "--wait", "--json").json
    assert sent["outcomes"] == {"accepted": 2_000, "noted": 1}


def test_commands_come_from_standard_input_too(shell: Shell) -> None:
    line = b'{"type": "OpenAccount", "account_id": "e1", "plan_id": "ads", "country": "US"}'
    ran = shell("send", "--file", "-", "--wait", "--json", stdin=line)
    assert ran.json["outcomes"] == {"accepted": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"policies": {"p": {"title.max_downloads": -1}}}', "-1"),
        ('{"titles": {"t1": {"name": "T", "studio_id": "s404"}}}', "s404"),
        ('{"titles": ', "line"),
        ('{"policies": {"p": {"title.max_download": 1}}}', "title.max_downloads"),
    ],
)
def test_a_catalog_with_a_contradiction_changes_nothing(
    shell: Shell, tmp_path: Path, text: str, said: str
) -> None:
    before = shell("catalog", "show", "--json").json["version"]
    file = tmp_path / "catalog.json"
    file.write_text(text)
    ran = shell("catalog", "load", str(file))
    assert ran.code == 2
    assert said in ran.err
    assert shell("catalog", "show", "--json").json["version"] == before


def test_another_number_of_shards_is_refused(shell: Shell) -> None:
    ran = shell("--shards", "3", "projections")
    assert ran.code == 2
    assert "3" in ran.err


def test_without_airside_up_a_command_waits_on_the_topic(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "data")
    ran = shell("send", "EraseAccount", "account_id=a1", "--wait", "--timeout", "0.2")
    assert ran.code == 4
    assert "Are handler and projector running (`airside up`)?" in ran.err


@pytest.mark.parametrize("words", [["query", "refusals"], ["projections"], ["parked"]])
def test_a_question_makes_no_data_directory(tmp_path: Path, words: list[str]) -> None:
    ran = Shell(tmp_path / "data")(*words)
    assert ran.code == 1
    assert "no data in" in ran.err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "words",
    [
        [], ["up"], ["catalog"], ["catalog", "load"], ["catalog", "show"], ["send"], ["query"],
        ["query", "downloads"], ["query", "licenses"], ["query", "devices"],
        ["query", "timeline"], ["query", "command"], ["query", "title"], ["query", "studio"],
        ["query", "expiring"], ["query", "refusals"], ["query", "can-download"], ["replay"],
        ["projections"], ["parked"], ["parked", "redrive"], ["parked", "discard"], ["demo"],
    ],
)  # fmt: skip
def test_every_verb_teaches(shell: Shell, words: list[str]) -> None:
    ran = shell(*words, "--help")
    assert ran.code == 0
    assert len(ran.out.splitlines()) > 5
