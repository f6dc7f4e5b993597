"""The metrics and labels that a PromQL expression names, by a strict if small reader.

It knows what our rules and panels use, and refuses what it does not know: a misspelled function
or an open bracket is an error, not a metric that nobody has.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<duration>\[\w+\])'
    r"|(?P<number>\d+(?:\.\d+)?)|(?P<name>[a-zA-Z_:][\w:]*)"
    r"|(?P<sign>[=!]~|[=!<>]=|[-+*/%^<>=(){},]))"
)
AGGREGATES = {"sum", "max", "min", "avg", "count"}
FUNCTIONS = {"absent", "changes", "clamp_max", "histogram_quantile", "increase", "rate", "time"}
GROUPING = {"by", "without", "on", "ignoring"}
WORDS = {"and", "or", "unless"}
CLOSING = {"(": ")", "{": "}"}


@dataclass
class Named:
    """What an expression names."""

    metrics: dict[str, set[str]] = field(default_factory=dict)  # and the labels they select by
    grouped_by: set[str] = field(default_factory=set)


def read(expression: str) -> Named:
    """Raises: ValueError for what it cannot read."""
    tokens = list(_tokens(expression.replace("$__rate_interval", "5m")))
    found, open_signs, metric = Named(), [""], ""
    for n, (kind, text) in enumerate(tokens):
        after = tokens[n + 1][1] if n + 1 < len(tokens) else ""
        if text in CLOSING:
            open_signs.append(text)
            is_list = text == "(" and n > 0 and tokens[n - 1][1] in GROUPING
            open_signs[-1] = "list" if is_list else text
        elif text in CLOSING.values():
            opened = open_signs.pop()
            if CLOSING.get("(" if opened == "list" else opened) != text:
                raise ValueError(f"{text} closes nothing: {expression}")
        elif kind == "name" and open_signs[-1] == "{":
            found.metrics[metric].add(text)
        elif kind == "name" and open_signs[-1] == "list":
            found.grouped_by.add(text)
        elif kind == "name" and text not in AGGREGATES | GROUPING | WORDS:
            if after != "(":
                metric = text
                found.metrics.setdefault(text, set())
            elif text not in FUNCTIONS:
                raise ValueError(f"{text} is no function: {expression}")
    if open_signs != [""]:
        raise ValueError(f"{open_signs[-1]} stays open: {expression}")
    return found


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    place = 0
    text = expression.rstrip()
    while place < len(text):
        match = TOKEN.match(text, place)
        if match is None or match.lastgroup is None:
            raise ValueError(f"what is {text[place : place + 20]!r}? {expression}")
        yield match.lastgroup, match[match.lastgroup]
        place = match.end()
