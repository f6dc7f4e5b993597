"""The Dockerfile, read by BuildKit's parser and by hadolint."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.kit.containers import ROOT, Instruction, instructions, linted

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
BUILD_SECONDS_MAX = 240.0


def named(name: str) -> list[Instruction]:
    return [one for one in instructions() if one.name == name]


def copied() -> set[str]:
    """What is taken from the project."""
    return {
        source
        for one in named("COPY")
        if not any(flag.startswith("--from") for flag in one.flags)
        for source in one.words[:-1]
    }


def position(script_has: str) -> int:
    return next(n for n, one in enumerate(instructions()) if script_has in one.script)


def test_hadolint_has_nothing_to_say() -> None:
    assert linted() == ""


def test_every_stage_begins_with_the_same_pinned_python() -> None:
    bases = {one.words[0] for one in named("FROM")}
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.12\.\d+-slim-\w+", bases.pop())


def test_everything_copied_is_there_and_let_in() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {source for source in copied() if not (ROOT / source).exists()} == set()
    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == copied()


def test_every_package_and_the_examples_are_in_the_image() -> None:
    assert PACKAGES | {"examples"} <= copied()


def test_dependencies_are_pinned_and_never_compiled() -> None:
    installing = " && ".join(one.script for one in named("RUN")).split("&&")
    from_the_index = [step for step in installing if "--requirement" in step]
    assert len(from_the_index) == 2
    assert {"--constraint constraints.txt" in step for step in from_the_index} == {True}
    assert {"--only-binary :all:" in step for step in from_the_index} == {True}


def test_a_change_of_our_code_leaves_the_layer_of_the_dependencies_alone() -> None:
    code = min(
        n
        for n, one in enumerate(instructions())
        if one.name == "COPY" and PACKAGES & {*one.words}
    )
    assert position("--requirement") < code < position("pip wheel")


def test_the_final_stage_runs_as_nobody_special_and_builds_nothing() -> None:
    final = [one for one in instructions() if one.stage == instructions()[-1].stage]
    users = [one.words[0] for one in final if one.name == "USER"]
    assert users[-1:] == ["10001"]
    assert not [one for one in final if "pip" in one.script or "apt" in one.script]


def test_the_image_is_the_command() -> None:
    [entrypoint] = named("ENTRYPOINT")
    assert entrypoint.words[0] in PROJECT["project"]["scripts"]


@pytest.mark.skipif(
    os.environ.get("CI") != "true",
    reason="no engine: the image's build asks the package index; CI=true runs it",
)
@pytest.mark.timeout(300)
def test_the_steps_of_the_build_install_a_command_that_runs(tmp_path: Path) -> None:
    context, image = tmp_path / "context", tmp_path / "image"
    context.mkdir()
    subprocess.run(["cp", "-r", *sorted(copied()), context], cwd=ROOT, check=True)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "python"], check=True)
    steps = [one.script.replace("/opt/airside", str(image)) for one in named("RUN")]
    built = subprocess.run(
        ["bash", "-euc", "\n".join(step for step in steps if "useradd" not in step)],
        cwd=context,
        env={**os.environ, "PATH": f"{tmp_path / 'python' / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=BUILD_SECONDS_MAX,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    said = subprocess.run(
        [image / "bin" / "airside", "--version"],
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert said.stdout == f"airside, version {PROJECT['project']['version']}\n"
