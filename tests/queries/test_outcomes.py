import msgspec
import pytest

from queries.outcomes import OutcomeAnswer, command, explain_refusal
from queries.reader import at_least
from schemas.errors import NotFound
from tests.kit.happenings import NOW, history, id_of, issued, refused
from tests.kit.served import Served


def served(*happenings: object) -> Served:
    served = Served()
    served.happened(history(*happenings))  # type: ignore[arg-type]
    return served


def test_an_accepted_command_needs_no_explanation() -> None:
    found = command(served(issued()).reader, id_of(900), "a1")
    assert (found.outcome.status, found.outcome.license_ids) == ("accepted", (id_of(1),))
    assert found.explanation == explain_refusal(found.outcome) == ""


def test_a_refusal_is_explained_from_the_row_alone() -> None:
    again_at = 1_800_000_000_000
    given = refused(limit=3, used=3, available_at=again_at, scope="studio", issued_at=NOW)
    found = command(served(given).reader, id_of(900), "a1")
    assert found.explanation == (
        "TITLE_PERIOD_LIMIT: The title was downloaded as often as it may be in its period. "
        "The limit of the studio was 3, and 3 of it were used. "
        "It will be possible from 2027-01-15 08:00:00 UTC. "
        "Decided by rule R14, catalog version 3."
    )


def test_an_answer_is_json() -> None:
    found = command(served(refused()).reader, id_of(900), "a1")
    assert msgspec.json.decode(msgspec.json.encode(found), type=OutcomeAnswer) == found


def test_a_command_that_was_not_handled_yet_is_not_found() -> None:
    with pytest.raises(NotFound, match="airside parked"):
        command(served(issued()).reader, id_of(1), "a1", wanted=at_least(1, 0.0))


def test_a_command_of_somebody_else_is_not_found() -> None:
    one_shard = Served(shards=1)
    one_shard.happened(history(issued()))
    with pytest.raises(NotFound, match="of account a2"):
        command(one_shard.reader, id_of(900), "a2")
