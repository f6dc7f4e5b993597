"""What contradicts itself in a catalog whose entries are all readable one by one."""

from commands.catalog import EXTENDS_MAX, Catalog
from commands.catalog_entries import PolicySource
from commands.catalog_reading import Finding, Path, meant
from commands.policy import Said, Scope
from commands.policy_keys import KEYS, shown


def contradictions(catalog: Catalog) -> list[Finding]:
    """Every reference that leads nowhere and every policy that cannot mean what it says.

    Paths are those of the catalog file: `titles.t7.studio_id`.
    """
    findings: list[Finding] = []
    for name, said in catalog.policies.items():
        findings += _of_policy(said, ("policies", name), catalog, name)
    findings += _of_scope("service", catalog.service.policy, ("service", "policy"), catalog)
    for plan_id, plan in catalog.plans.items():
        findings += _of_scope("plan", plan.policy, ("plans", plan_id, "policy"), catalog)
    for studio_id, studio in catalog.studios.items():
        findings += _of_scope(
            "studio", studio.policy, ("studios", studio_id, "policy"), catalog
        )
    for title_id, title in catalog.titles.items():
        if title.studio_id and title.studio_id not in catalog.studios:
            fact = f"no studio {shown(title.studio_id)} in the catalog; add it under studios"
            path = ("titles", title_id, "studio_id")
            findings.append(Finding(path, f"{fact} or correct the id"))
        findings += _of_scope("title", title.policy, ("titles", title_id, "policy"), catalog)
    return findings


def _of_scope(
    scope: Scope, source: PolicySource, path: Path, catalog: Catalog
) -> list[Finding]:
    """What is wrong with the policy that a scope refers to or writes out."""
    findings: list[Finding] = []
    if isinstance(source, str) and source not in catalog.policies:
        return [Finding(path, _no_policy(source, catalog))]
    if isinstance(source, Said):
        findings += _of_policy(source, path, catalog, name=None)
    said = catalog.written_out(source)
    for key_name in () if said is None else said.values:
        scopes = KEYS[key_name].scopes
        if scope not in scopes:
            fact = f"says {key_name}, which a {scope} may not say"
            finding = f"{fact}; move it to the policy of the {' or the '.join(scopes)}"
            findings.append(Finding(path, finding))
    return findings


def _of_policy(said: Said, path: Path, catalog: Catalog, name: str | None) -> list[Finding]:
    """What is wrong with one policy, with all that it extends."""
    fault = _extends_fault(said, catalog, name)
    if fault:
        return [Finding((*path, "extends"), fault)]
    whole = catalog.written_out(said)
    if whole is None:
        return []  # what it extends is broken, and reported there
    findings = []
    for key_name in sorted(said.override - whole.values.keys()):
        fact = f"lists {key_name} but the policy does not say it; say a value (null: no limit)"
        findings.append(Finding((*path, "override"), fact))
    for key_name in said.values:
        count = key_name.removesuffix("_window_s")
        if KEYS[key_name].combination == "window" and count not in whole.values:
            fact = f"is the window of {count}, which this policy does not say; say both or none"
            findings.append(Finding((*path, key_name), fact))
    return findings


def _extends_fault(said: Said, catalog: Catalog, name: str | None) -> str | None:
    """Why what a policy extends cannot be written out, if it is this policy's own fault."""
    chain: list[str] = []
    base = said.extends
    while base is not None:
        if base == name:
            round_trip = " → ".join(map(shown, [base, *chain, base]))
            # told once, by the member that sorts first
            return (
                f"{round_trip} goes round; remove one" if base <= min(chain or [base]) else None
            )
        if base in chain:
            return None
        if base not in catalog.policies:
            return None if chain else _no_policy(base, catalog)
        chain.append(base)
        base = catalog.policies[base].extends
    if len(chain) > EXTENDS_MAX:
        return (
            f"extends {len(chain)} policies in a row, at most {EXTENDS_MAX}; join some of them"
        )
    return None


def _no_policy(name: str, catalog: Catalog) -> str:
    close = meant(name, catalog.policies)
    return f"no policy {shown(name)} in the catalog{close}; add it under policies or correct it"
