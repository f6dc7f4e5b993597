"""Whether the engines belong together, judged on made-up facts."""

from airside.judging.finding import Finding
from airside.judging.layout import judge
from projectors.view_store import Generation, Registry
from tests.kit.judged import about, troubles, verdicts

BUILT = Registry(1, 1, (Generation("downloads", 1, "f", 0),), history="h1", shards=8)
OTHER = Registry(1, 1, (Generation("licenses", 1, "f", 0),), history="h2", shards=8)
TOPICS = {"commands": 8, "events": 8}


def judged(
    stored: int | None = 8,
    history: str = "h1",
    partitions: dict[str, int] = TOPICS,
    **registries: Registry,
) -> list[Finding]:
    found = {"downloads": BUILT, **registries}
    return list(judge(stored=stored, history=history, partitions=partitions, registries=found))


def test_what_was_laid_out_together_belongs_together() -> None:
    assert verdicts(judged()) == {"shards": "ok", "history": "ok"}


def test_another_number_of_shards_is_mended_and_says_where() -> None:
    found = about(judged(partitions={"commands": 8, "events": 4}), "shards")
    assert found.verdict == "mend"
    assert found.found == "4 in topic events; 8 in event store, topic commands, downloads"


def test_read_models_of_another_history_are_mended_and_named() -> None:
    found = judged(licenses=OTHER)
    assert troubles(found) == {"history": "mend"}
    assert "licenses" in about(found, "history").advice


def test_read_models_that_never_said_their_history_are_not_accused() -> None:
    assert troubles(judged(licenses=Registry(1, 1, OTHER.generations))) == {}


def test_before_anything_is_built_there_is_nothing_to_compare() -> None:
    found = judged(downloads=Registry())
    assert about(found, "history").found == "no read model is built yet"
    assert troubles(found) == {}


def test_nothing_is_said_of_engines_that_did_not_answer() -> None:
    assert list(judge(stored=None, history="", partitions={}, registries={})) == []
    assert verdicts(judged(stored=None, history="")) == {"shards": "ok"}
