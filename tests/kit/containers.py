"""The container files as their own tools read them: Compose, BuildKit's parser, hadolint."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import dockerfile  # type: ignore[import-not-found]

ROOT = Path(__file__).parent.parent.parent
SECONDS_MAX = 60.0


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile; `stage` counts from 0."""

    stage: int
    name: str
    flags: tuple[str, ...]
    words: tuple[str, ...]
    script: str  # of RUN, with what is fed to it


def installed(tool: str) -> str:
    """A tool that came with the development dependencies, or one on PATH."""
    beside = Path(sys.executable).with_name(tool)
    found = str(beside) if beside.exists() else shutil.which(tool)
    assert found, f"no {tool}: install the project with its dev extra (make test does)"
    return found


def composers() -> list[list[str]]:
    """The command lines of every Docker Compose that is here; always the pinned one."""
    found = [[installed("docker-compose")]]
    docker = shutil.which("docker")
    if docker and _run([docker, "compose", "version"]).returncode == 0:
        found.append([docker, "compose"])
    return found


def composed(
    composer: Sequence[str], *, profile: str = "*", **environment: str
) -> subprocess.CompletedProcess[str]:
    """What Docker Compose makes of the file, every default filled in. It asks no engine."""
    options = ["--file", "docker-compose.yml", "--profile", profile]
    return _run([*composer, *options, "config", "--format", "json"], **environment)


def model(*, profile: str = "*", **environment: str) -> dict[str, Any]:
    """The file's meaning, by default with the services of every profile."""
    done = composed([installed("docker-compose")], profile=profile, **environment)
    assert done.returncode == 0, done.stderr
    read: dict[str, Any] = json.loads(done.stdout)
    return read


def linted() -> str:
    """What hadolint has to say about the Dockerfile."""
    done = _run([installed("hadolint"), "--no-color", "Dockerfile"])
    return done.stdout + done.stderr


@cache
def instructions() -> tuple[Instruction, ...]:
    """The Dockerfile, in order."""
    found: list[Instruction] = []
    stage = -1
    for one in dockerfile.parse_file(str(ROOT / "Dockerfile")):
        stage += one.cmd == "FROM"
        fed = "".join(f"\n{heredoc.content}{heredoc.name}\n" for heredoc in one.heredocs)
        script = one.value[0] + fed if one.cmd == "RUN" else ""
        found.append(Instruction(stage, one.cmd, one.flags, one.value, script))
    return tuple(found)


def _run(words: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
    """Without the environment of who runs the tests, which could change the answer."""
    own = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        words,
        cwd=ROOT,
        env=own | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
