"""The command line of the stack, as far as it starts nothing."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from stack.__main__ import main


def said(*arguments: str) -> str:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code != 0
    return result.output


def test_a_missing_java_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/nonexistent")

    assert "no Java in JAVA_HOME, /nonexistent. Kafka and Cassandra need version 17" in said()


def test_another_java_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"21.0.4\"' >&2\n")
    java.chmod(0o700)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))

    assert f"{java} is Java 21. Kafka and Cassandra need 17" in said()


def test_a_command_to_run_is_looked_for_before_anything_starts() -> None:
    assert "no command 'no-such-command' on PATH" in said("--run", "no-such-command")


@pytest.mark.parametrize("arguments", [["--run"], ["airside", "init"]])
def test_run_and_its_command_go_together(arguments: list[str]) -> None:
    assert "--run and COMMAND go together" in said(*arguments)
