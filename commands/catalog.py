"""The catalog: titles, studios, plans and their policies, frozen at one version.

It is the context that decisions are made in; the version that decided is in every event.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from commands.catalog_entries import Entry, Plan, PolicySource, Service, Studio, Title
from commands.catalog_reading import read_change
from commands.policy import Policy, Said, Scope, resolve

__all__ = [
    "BUILT_IN_PLANS",
    "EXTENDS_MAX",
    "POLICIES_CACHED_MAX",
    "Catalog",
    "Plan",
    "Studio",
    "Title",
]

EXTENDS_MAX = 8  # policies that one policy may extend, one through the other
POLICIES_CACHED_MAX = 65_536  # resolved policies of one catalog; above it the cache starts over

BUILT_IN_PLANS: Mapping[str, Plan] = {
    plan.plan_id: plan
    for plan in (
        Plan(
            plan_id="ads",
            name="With ads",
            policy=Said(
                {"plan.max_download_devices": 2, "plan.max_downloads_device_month": 15}
            ),
        ),
        Plan(plan_id="basic", name="Basic", policy=Said({"plan.max_download_devices": 1})),
        Plan(
            plan_id="standard", name="Standard", policy=Said({"plan.max_download_devices": 2})
        ),
        Plan(plan_id="premium", name="Premium", policy=Said({"plan.max_download_devices": 6})),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Never changes: a new version is a new object, with an empty cache of its own."""

    version: int = 0
    titles: Mapping[str, Title] = field(default_factory=dict)
    studios: Mapping[str, Studio] = field(default_factory=dict)
    plans: Mapping[str, Plan] = field(default_factory=lambda: dict(BUILT_IN_PLANS))
    policies: Mapping[str, Said] = field(default_factory=dict)
    service: Service = field(default_factory=Service)
    _resolved: dict[tuple[str, str | None], Policy] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @classmethod
    def empty(cls) -> "Catalog":
        """Version 0: no titles, the built-in plans."""
        return cls()

    def title(self, title_id: str) -> Title | None:
        """The title of that id."""
        return self.titles.get(title_id)

    def plan(self, plan_id: str) -> Plan | None:
        """The plan of that id; ads, basic, standard and premium exist without a catalog."""
        return self.plans.get(plan_id)

    def policy(self, plan_id: str, title_id: str | None) -> Policy:
        """What holds for a title on a plan; without a title, for the plan alone."""
        policy = self._resolved.get((plan_id, title_id))
        return policy if policy is not None else self._resolve(plan_id, title_id)

    def with_entry(self, key: str, value: bytes | None, version: int) -> "Catalog":
        """This catalog after one record of its topic; no value: the entry is removed.

        Raises: Invalid.
        """
        return self.with_entries([(key, value)], version)

    def with_entries(
        self, entries: Iterable[tuple[str, bytes | None]], version: int
    ) -> "Catalog":
        """This catalog after many records, in one step. Raises: Invalid for a bad one."""
        return self.with_changes(
            {key: read_change(key, value) for key, value in entries}, version
        )

    def with_changes(self, changes: Mapping[str, Entry | None], version: int) -> "Catalog":
        """This catalog with entries replaced by key, or removed where the change is None.

        Costs one copy of the catalog, however many changes there are.
        """
        service = changes.get("service", self.service)
        return replace(
            self,
            version=version,
            titles=_changed(self.titles, "title", changes, {}),
            studios=_changed(self.studios, "studio", changes, {}),
            plans=_changed(self.plans, "plan", changes, BUILT_IN_PLANS),
            policies=_changed(self.policies, "policy", changes, {}),
            service=service if isinstance(service, Service) else Service(),
        )

    def keys(self) -> Iterator[str]:
        """The key of every entry that was loaded: not the built-in plans."""
        yield from (f"policy/{policy_id}" for policy_id in self.policies)
        if self.service != Service():
            yield "service"
        for plan_id, plan in self.plans.items():
            if plan is not BUILT_IN_PLANS.get(plan_id):
                yield f"plan/{plan_id}"
        yield from (f"studio/{studio_id}" for studio_id in self.studios)
        yield from (f"title/{title_id}" for title_id in self.titles)

    def written_out(self, source: PolicySource) -> Said | None:
        """A policy with its `extends` written out; None where a name leads nowhere."""
        said = Said()
        for _ in range(EXTENDS_MAX + 1):
            layer = self.policies.get(source) if isinstance(source, str) else source
            if layer is None:
                return said if source is None else None
            said, source = said.upon(layer), layer.extends
        return said if source is None else None

    def _resolve(self, plan_id: str, title_id: str | None) -> Policy:
        """Resolve and cache. Unknown ids share one place, so nobody can fill it with them."""
        plan = self.plans.get(plan_id)
        title = None if title_id is None else self.titles.get(title_id)
        key = (plan_id if plan else "", title_id if title else title_id and "")
        policy = self._resolved.get(key)
        if policy is None:
            policy = self._policy_of(plan, title, asked_for_title=title_id is not None)
            if len(self._resolved) >= POLICIES_CACHED_MAX:
                self._resolved.clear()
            self._resolved[key] = policy
        return policy

    def _policy_of(
        self, plan: Plan | None, title: Title | None, *, asked_for_title: bool
    ) -> Policy:
        """The policy of these scopes. One that is missing or broken allows no downloads.

        `contradictions` (commands/catalog_check.py) keeps such a catalog from being loaded.
        """
        studio = None if title is None else self.studios.get(title.studio_id)
        scopes: dict[Scope, Title | Studio | Plan | Service | None] = {
            "title": title,
            "studio": studio,
            "plan": plan,
            "service": self.service,
        }
        statements: list[tuple[Scope, Said]] = []
        for scope, entry in scopes.items():
            said = None if entry is None else self.written_out(entry.policy)
            if said is not None:
                statements.append((scope, said))
        heard = {scope for scope, _ in statements}
        downloads = plan is not None and plan.downloads_enabled and heard >= {"plan", "service"}
        if not asked_for_title:
            return resolve(statements, plan_downloads_enabled=downloads)
        downloadable = title is not None and title.downloadable and heard >= {"title", "studio"}
        countries = title.countries if title else None
        return resolve(
            statements,
            plan_downloads_enabled=downloads,
            title_downloadable=downloadable,
            title_window_start=title.window_start if title else None,
            title_window_end=title.window_end if title else None,
            title_countries=None if countries is None else frozenset(countries),
        )


E = TypeVar("E")


def _changed(
    entries: Mapping[str, E], kind: str, changes: Mapping[str, Any], otherwise: Mapping[str, E]
) -> Mapping[str, E]:
    """The entries of one kind after the changes; a removed one falls back to `otherwise`."""
    changed = dict(entries)
    for key, entry in changes.items():
        key_kind, _, entry_id = key.partition("/")
        if key_kind != kind:
            continue
        if entry is None:
            entry = otherwise.get(entry_id)
        if entry is None:
            changed.pop(entry_id, None)
        else:
            changed[entry_id] = entry
    return changed
