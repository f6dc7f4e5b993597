"""References that lead nowhere, and policies that cannot mean what they say."""

import json
from typing import Any

import pytest

from commands.catalog import Catalog
from commands.catalog_check import contradictions

A_STUDIO = {"name": "One"}


def found(**entries: Any) -> list[str]:
    spelled = {key.replace("__", "/"): value for key, value in entries.items()}
    records = [(key, json.dumps(value).encode()) for key, value in spelled.items()]
    return [
        str(finding) for finding in contradictions(Catalog.empty().with_entries(records, 1))
    ]


def a_title(**fields: Any) -> dict[str, Any]:
    return {"name": "A title", "studio_id": "s1", **fields}


def chain(count: int) -> dict[str, Any]:
    """Policies p0, p1, …, each but the last extending the next."""
    links = {f"policy__p{n}": {"extends": f"p{n + 1}"} for n in range(count - 1)}
    return {**links, f"policy__p{count - 1}": {}}


def test_the_empty_catalog_is_consistent() -> None:
    assert found() == []


def test_a_catalog_that_uses_everything_is_consistent() -> None:
    entries = {
        "policy__house": {"clock.max_skew_s": 60, "account.lease_s": 60},
        "policy__base": {"title.max_downloads": 3, "title.max_downloads_window_s": 60},
        "policy__child": {"extends": "base", "title.max_downloads": 2},
        "service": {"policy": "house"},
        "plan__p1": {"policy": {"extends": "base", "account.lease_s": 9}},
        "studio__s1": {"name": "One", "policy": "child"},
        "title__t1": a_title(
            policy={
                "extends": "child",
                "title.max_downloads": None,
                "override": ["title.max_downloads"],
            }
        ),
    }
    assert found(**entries) == []


@pytest.mark.parametrize(
    ("entries", "finding"),
    [
        (
            {"title__t7": {"name": "A title", "studio_id": "s99"}},
            "titles.t7.studio_id: no studio 's99' in the catalog; add it under studios or "
            "correct the id",
        ),
        (
            {"policy__strict": {}, "studio__s1": {"name": "One", "policy": "strct"}},
            "studios.s1.policy: no policy 'strct' in the catalog, did you mean 'strict'; add "
            "it under policies or correct it",
        ),
        ({"service": {"policy": "x"}}, "service.policy: no policy 'x' in the catalog; add it"),
        ({"plan__p1": {"policy": "x"}}, "plans.p1.policy: no policy 'x' in the catalog"),
        (
            {"studio__s1": A_STUDIO, "title__t1": a_title(policy="x")},
            "titles.t1.policy: no policy 'x' in the catalog",
        ),
        (
            {"policy__a": {"extends": "x"}, "policy__b": {"extends": "a"}},
            "policies.a.extends: no policy 'x' in the catalog",
        ),
        (
            {"plan__p1": {"policy": {"extends": "x"}}},
            "plans.p1.policy.extends: no policy 'x' in the catalog",
        ),
        (
            {"policy__a": {"extends": "a"}},
            "policies.a.extends: 'a' → 'a' goes round; remove one",
        ),
        (
            {
                "policy__c": {"extends": "a"},
                "policy__b": {"extends": "c"},
                "policy__a": {"extends": "b"},
                "policy__to_it": {"extends": "c"},
                "service": {"policy": {"extends": "to_it"}},
            },
            "policies.a.extends: 'a' → 'b' → 'c' → 'a' goes round; remove one",
        ),
        (chain(10), "policies.p0.extends: extends 9 policies in a row, at most 8; join some"),
        (
            {"policy__a": {"title.max_plays_window_s": 60}},
            "policies.a.title.max_plays_window_s: is the window of title.max_plays, which this "
            "policy does not say; say both or none",
        ),
        (
            {"policy__a": {"override": ["license.term_s"]}},
            "policies.a.override: lists license.term_s but the policy does not say it; say a "
            "value (null: no limit)",
        ),
        (
            {"plan__p1": {"policy": {"clock.max_skew_s": 60}}},
            "plans.p1.policy: says clock.max_skew_s, which a plan may not say; move it to the "
            "policy of the service",
        ),
        (
            {
                "policy__house": {"account.lease_s": 60},
                "studio__s1": A_STUDIO,
                "title__t1": a_title(policy={"extends": "house"}),
            },
            "titles.t1.policy: says account.lease_s, which a title may not say; move it to the "
            "policy of the plan or the service",
        ),
    ],
)
def test_one_contradiction_is_one_finding(entries: dict[str, Any], finding: str) -> None:
    findings = found(**entries)
    assert len(findings) == 1
    assert finding in findings[0]


def test_a_chain_within_the_bound_is_allowed() -> None:
    assert found(**chain(9)) == []
