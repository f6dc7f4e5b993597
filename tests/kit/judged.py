"""Findings, looked up by what they are about."""

from collections.abc import Iterable

from airside.judging.finding import Finding, Verdict


def verdicts(findings: Iterable[Finding]) -> dict[str, Verdict]:
    """The verdict on each thing."""
    return {one.what: one.verdict for one in findings}


def troubles(findings: Iterable[Finding]) -> dict[str, Verdict]:
    """Of what is not ok."""
    return {what: verdict for what, verdict in verdicts(findings).items() if verdict != "ok"}


def about(findings: Iterable[Finding], what: str) -> Finding:
    """The one finding about that."""
    (found,) = (one for one in findings if one.what == what)
    return found
