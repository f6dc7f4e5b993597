"""What a simulation came to: all counts, and the first decisions that would differ."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from airside.policy_changes import KeyChange
from commands.differing import Difference, Kind, Outcome, Term
from commands.simulate import Simulated, Why
from queries.explain import explain
from schemas.events import CommandRefused

LEFT_OUT_SHOWN = 5  # accounts that are named for each reason
LAST: tuple[Kind, ...] = ("follows", "other_terms")  # shown after all others
BUFFER_SHOWN = 4  # times what is shown is kept before it is sorted and cut


class Told(Struct, frozen=True):
    """One outcome, a refusal also in words."""

    verdict: str
    events: tuple[str, ...]
    code: str = ""
    rule: str = ""
    explanation: str = ""


class Shown(Struct, frozen=True):
    """One decision that would differ. What was decided is in version `catalog_version`."""

    kind: Kind
    at: int
    account_id: str
    version: int
    command: str
    command_id: str
    catalog_version: int
    before: Told
    after: Told  # by the same version, with the entries of the file instead
    terms: tuple[Term, ...]


class RuleCount(Struct, frozen=True):
    """How many decisions would differ in this way because of one rule."""

    kind: Kind
    rule: str
    code: str
    count: int


class LeftOut(Struct, frozen=True):
    """Accounts that nothing is said of, why, and some of them by name."""

    why: Why
    accounts: int
    some: dict[str, str]  # account -> in words


class Report(Struct, frozen=True):
    """The whole answer. Accounts are those looked at; decisions those compared."""

    accounts: int
    left_out: list[LeftOut]
    decisions: int
    same: int
    differing_accounts: int
    kinds: dict[Kind, int]
    rules: list[RuleCount]
    terms: dict[str, int]  # of `other_terms`: how many decisions say this otherwise
    differences: list[Shown]  # the first by time; those of the kinds in LAST after all others
    replaced: list[str]  # the catalog's entries that the file replaces
    keys: list[KeyChange]  # what they say otherwise than the catalog in use
    accounts_in_all: int | None = None  # there are; None: not counted


class Tally:
    """Adds accounts up. Keeps `shown` differences and some names, whatever comes."""

    def __init__(self, shown: int) -> None:
        self._shown_max = shown
        self._accounts = self._decisions = self._differing = 0
        self._kinds: Counter[Kind] = Counter()
        self._rules: Counter[tuple[Kind, str, str]] = Counter()
        self._terms: Counter[str] = Counter()
        self._left_out: Counter[Why] = Counter()
        self._names: dict[Why, dict[str, str]] = {}
        self._first: list[Difference] = []

    def add(self, account_id: str, found: Simulated) -> None:
        """One account more."""
        self._accounts += 1
        if found.left_out is not None:
            self.leave_out(account_id, found.left_out, found.why)
            return
        self._decisions += found.decisions
        self._differing += bool(found.differences)
        for one in found.differences:
            self._kinds[one.kind] += 1
            if one.kind == "other_terms":
                self._terms.update(term.name for term in one.terms)
            else:
                self._rules[(one.kind, *_rule_of(one))] += 1
        self._keep(found.differences)

    def leave_out(self, account_id: str, why: Why, text: str) -> None:
        """Nothing can be said of this account, which is counted already."""
        self._left_out[why] += 1
        names = self._names.setdefault(why, {})
        if len(names) < LEFT_OUT_SHOWN:
            names[account_id] = text

    def report(
        self, replaced: Iterable[str], keys: list[KeyChange], accounts_in_all: int | None
    ) -> Report:
        """What it has come to."""
        self._cut()
        rules = [RuleCount(*key, count) for key, count in self._rules.most_common()]
        return Report(
            accounts=self._accounts,
            left_out=[
                LeftOut(why, count, self._names[why])
                for why, count in self._left_out.most_common()
            ],
            decisions=self._decisions,
            same=self._decisions - self._kinds.total(),
            differing_accounts=self._differing,
            kinds=dict(self._kinds.most_common()),
            rules=sorted(rules, key=lambda one: (-one.count, one.kind, one.rule, one.code)),
            terms=dict(self._terms.most_common()),
            differences=[_shown(one) for one in self._first],
            replaced=sorted(replaced),
            keys=keys,
            accounts_in_all=accounts_in_all,
        )

    def _keep(self, differences: Iterable[Difference]) -> None:
        self._first.extend(differences)
        if len(self._first) > max(BUFFER_SHOWN * self._shown_max, BUFFER_SHOWN):
            self._cut()

    def _cut(self) -> None:
        self._first.sort(key=_place)
        del self._first[self._shown_max :]


def _place(one: Difference) -> tuple[int, int, str, int]:
    """Its place among those that are shown."""
    rank = LAST.index(one.kind) + 1 if one.kind in LAST else 0
    return rank, one.at, one.account_id, one.version


def _rule_of(one: Difference) -> tuple[str, str]:
    """The rule and code behind a difference: of the refusal that only one of the two has."""
    before, after = set(one.before.refusals), set(one.after.refusals)
    only = [r for r in one.after.refusals if r not in before]
    only += [r for r in one.before.refusals if r not in after]
    if not only:
        return "", ""
    _, code, rule = only[0]
    return rule, code


def _shown(one: Difference) -> Shown:
    return Shown(
        kind=one.kind,
        at=one.at,
        account_id=one.account_id,
        version=one.version,
        command=one.command,
        command_id=one.command_id,
        catalog_version=one.catalog_version,
        before=_told(one.before, one.after, one.catalog_version),
        after=_told(one.after, one.before, one.catalog_version),
        terms=one.terms,
    )


def _told(outcome: Outcome, other: Outcome, catalog_version: int) -> Told:
    """An outcome; the refusal that is told is one that the other run does not have."""
    known = set(other.refusals)
    refusals = [event for event in outcome.events if isinstance(event, CommandRefused)]
    new = [r for r in refusals if (r.license_id, r.code, r.rule) not in known]
    refusal = next(iter(new or refusals), None)
    types = tuple(type(event).__name__ for event in outcome.events)
    if refusal is None:
        return Told(outcome.verdict, types)
    facts: dict[str, Any] = {name: getattr(refusal, name) for name in refusal.__struct_fields__}
    words = explain(facts, catalog_version)
    return Told(outcome.verdict, types, refusal.code, refusal.rule, words)
