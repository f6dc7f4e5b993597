"""A refusal in words, from what its event says and nothing else."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from schemas.codes import REFUSALS


def explain(facts: Mapping[str, Any], catalog_version: int) -> str:
    """For support staff: what the code means, which rule, whose limit, and when again.

    `facts` are fields of a CommandRefused; what is absent or None is not spoken of.
    """
    code = facts["code"]
    limit, used, scope = facts.get("limit"), facts.get("used"), facts.get("scope")
    sentences = [f"{code}: {REFUSALS.get(code, 'A reason that this version does not know.')}"]
    if limit is not None:
        whose = f" of the {scope}" if scope else ""
        taken = f", and {used} of it were used" if used is not None else ""
        sentences.append(f"The limit{whose} was {limit}{taken}.")
    if facts.get("available_at") is not None:
        sentences.append(f"It will be possible from {_when(facts['available_at'])}.")
    elif limit is not None:
        sentences.append("Time alone will not change that.")
    if facts.get("detail"):
        sentences.append(f"In detail: {facts['detail'].rstrip('.')}.")
    rule = f"rule {facts['rule']}" if facts.get("rule") else "no numbered rule"
    sentences.append(f"Decided by {rule}, catalog version {catalog_version}.")
    return " ".join(sentences)


def _when(at: int) -> str:
    return f"{datetime.fromtimestamp(at // 1_000, UTC):%Y-%m-%d %H:%M:%S} UTC"
