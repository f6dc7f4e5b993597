"""`python -m stack`: Kafka, Cassandra and Valkey on this machine, until Ctrl-C."""

import fcntl
import logging
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import click

from schemas.errors import AirsideError, NotFound, Unavailable
from stack.engines import Stack
from stack.jars import ENGINES, POMS, fetch, find_java

LOOK_SECONDS = 0.5  # between two looks whether all servers live
RUN_STOP_SECONDS_MAX = 10.0

_HELP = """Start Kafka, Cassandra and Valkey on this machine; stop them at Ctrl-C.

They listen on 127.0.0.1 only, on ports that stay the same as long as the data directory does.
Needs Java 17 and Maven; what Maven fetches (110 MB, once) goes to .engines. Memory: 2 GB, with
--cluster 6 GB.

\b
In one terminal:             python -m stack
in another:                  source .engines/stack.env
                             airside init
For one command:             python -m stack --run airside init
Three of each:               python -m stack --cluster
From nothing again:          python -m stack --clean

The logs lie beside the data: .engines/single/*/*.log.
"""


@click.command(
    help=_HELP, context_settings={"allow_interspersed_args": False, "max_content_width": 96}
)
@click.option("--cluster", is_flag=True, help="Three brokers, three nodes, three servers.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=ENGINES,
    help="Where the data are, which are kept. [default: .engines]",
)
@click.option("--clean", is_flag=True, help="Remove the data that are there first.")
@click.option("--fetch", "only_fetch", is_flag=True, help="Fetch the jars, start nothing.")
@click.option("--run", is_flag=True, help="Run COMMAND with the addresses set, then stop.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def main(
    *,
    cluster: bool,
    directory: Path,
    clean: bool,
    only_fetch: bool,
    run: bool,
    command: tuple[str, ...],
) -> None:
    """Start, say where, wait, stop."""
    if run != bool(command):
        raise click.UsageError(
            "--run and COMMAND go together: python -m stack --run airside init"
        )
    _tell_progress()
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)  # ignored where a script started us by `&`
    try:
        program = _found(command)
        find_java()
        for pom in POMS:
            fetch(pom)
        if only_fetch:
            return
        data = directory / ("cluster" if cluster else "single")
        with _ours_alone(data):
            if clean:
                shutil.rmtree(data, ignore_errors=True)
            code = _serve(Stack(data, cluster=cluster), program, directory / "stack.env")
    except AirsideError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        code = 0 if not command else 130
    sys.exit(code)


def _serve(engines: Stack, program: list[str], file: Path) -> int:
    click.echo("starting Kafka, Cassandra and Valkey", err=True)
    with engines:
        try:
            if program:
                return _run(program, engines.environment)
            _say_where(engines.environment, file)
            _wait(engines)
        finally:
            click.echo("stopping", err=True)
            file.unlink(missing_ok=True)


def _say_where(environment: Mapping[str, str], file: Path) -> None:
    lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    file.write_text("\n".join(lines) + "\n")
    click.echo("\n".join(lines))
    click.echo(f"ready. In another terminal: source {_near(file)}. Stop: Ctrl-C", err=True)


def _near(file: Path) -> Path:
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def _wait(engines: Stack) -> NoReturn:
    while True:
        for process in engines.processes:
            if not process.is_running:
                raise Unavailable(f"{process.name} has ended. Its log: {process.log}")
        time.sleep(LOOK_SECONDS)


def _found(command: tuple[str, ...]) -> list[str]:
    """The command with the whole path of its program, looked for beside this Python first."""
    own = str(Path(sys.executable).parent)  # `airside` is this environment's
    path = os.pathsep.join((own, os.environ.get("PATH", os.defpath)))
    program = shutil.which(command[0], path=path) if command else None
    if command and program is None:
        raise NotFound(f"there is no command {command[0]!r} on PATH. --run needs a program.")
    return [program, *command[1:]] if program else []


def _run(program: list[str], environment: Mapping[str, str]) -> int:
    with subprocess.Popen(program, env={**os.environ, **environment}) as child:
        try:
            return child.wait()
        except BaseException:
            child.terminate()
            try:
                child.wait(RUN_STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                child.kill()
            raise


@contextmanager
def _ours_alone(data: Path) -> Iterator[None]:
    """Hold the data directory: the system lets go of it however we end."""
    data.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(data.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        file = data.with_name("stack.env")
        raise Unavailable(
            f"another stack runs on {data}. Use that one (source {_near(file)}), stop it, or "
            "give another --directory."
        ) from error
    finally:
        os.close(lock)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _tell_progress() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("airside.stack")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


if __name__ == "__main__":
    main(prog_name="python -m stack")
