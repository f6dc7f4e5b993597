"""A file of commands: one JSON object per line, checked as a whole, sent as often as needed."""

import hashlib
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

import click
import msgspec
from msgspec import Struct

from schemas.envelope import Command, derived_id
from schemas.errors import Invalid
from schemas.parse import parse_command_line

FINDINGS_MAX = 20  # bad lines that are told one by one
LINE_BYTES_MAX = 1_000_000
BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """A file of commands. Whoever sends it again, unchanged, sends the same commands."""

    lines: BinaryIO
    id: str  # 32 hex digits
    changed_at: int  # ms
    left: Counter[str] = field(default_factory=Counter)  # commands of each account to come


class Peek(Struct):
    """As much of a line as is needed to say when it was issued."""

    account_id: str = ""


def check(source: Source) -> int:
    """How many commands the file has. Raises: Invalid with every bad line, up to a bound."""
    findings: list[str] = []
    total = 0
    for item in parsed_or_reason(source, lambda line: source.changed_at):
        if isinstance(item, str):
            findings.append(item)
            if len(findings) >= FINDINGS_MAX:
                findings.append(f"… and perhaps more: these are the first {FINDINGS_MAX}.")
                break
        else:
            total += 1
            source.left[item.account_id] += 1
    if findings:
        raise Invalid("\n".join([*findings, "Nothing was sent."]))
    return total


def parsed(source: Source) -> Iterator[Command]:
    """The commands of a file that was checked.

    An account's last line is issued when the file was changed, each before it a millisecond
    earlier: so each is newer than the one before it, and than what came before the file.
    """

    def issued_at(line: bytes) -> int:
        account_id = account_of(line)
        source.left[account_id] -= 1
        return source.changed_at - max(0, source.left[account_id])

    for item in parsed_or_reason(source, issued_at):
        if isinstance(item, str):
            raise Invalid(f"{item}\nThe file changed while it was sent: send it again.")
        yield item


def parsed_or_reason(
    source: Source, issued_at: Callable[[bytes], int]
) -> Iterator[Command | str]:
    """Each line's command, or what is wrong with it; blank lines are skipped."""
    lines = source.lines
    lines.seek(0)
    for number, line in enumerate(lines_of(lines), 1):
        if line.isspace():
            continue
        if len(line) > LINE_BYTES_MAX:
            yield f"line {number}: over {LINE_BYTES_MAX:,} bytes, which no command needs"
            continue
        try:
            yield parse_command_line(
                line,
                command_id=derived_id(source.id, number),
                issued_at=issued_at(line),
                actor="member",
            )
        except Invalid as error:
            yield f"line {number}: {error}"


def account_of(line: bytes) -> str:
    """Whose command it is; of a line that is none, nobody's."""
    try:
        return msgspec.json.decode(line, type=Peek).account_id
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""


def lines_of(lines: BinaryIO) -> Iterator[bytes]:
    """Each line; of one that is too long only the beginning, one byte more than is allowed."""
    while line := lines.readline(LINE_BYTES_MAX + 1):
        yield line
        while line and not line.endswith(b"\n"):
            line = lines.readline(BLOCK_BYTES)


@contextmanager
def opened(file: Path, now_at: int) -> Iterator[Source]:
    """The file; or a copy of standard input or a pipe, since it is read more than once."""
    if file.is_file():
        with file.open("rb") as lines:
            yield source_of(lines, min(now_at, file.stat().st_mtime_ns // 1_000_000))
        return
    with TemporaryFile(prefix="airside-") as copy, click.open_file(str(file), "rb") as pipe:
        shutil.copyfileobj(pipe, copy)
        copy.seek(0)
        yield source_of(copy, now_at)


def source_of(lines: BinaryIO, changed_at: int) -> Source:
    """The file's identity: its content and when it was last changed."""
    digest = hashlib.sha256(str(changed_at).encode())
    while block := lines.read(BLOCK_BYTES):
        digest.update(block)
    return Source(lines, digest.hexdigest()[:32], changed_at)
