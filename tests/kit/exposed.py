"""What a /metrics page says, parsed by Prometheus's own parser."""

import urllib.request
from collections.abc import Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from airside.telemetry.metrics import Metrics

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: str) -> Samples:
    """Value by name and labels. Two samples of the same are a fault of the page."""
    samples = [
        ((one.name, frozenset(one.labels.items())), one.value)
        for family in text_string_to_metric_families(text)
        for one in family.samples
    ]
    found = dict(samples)
    assert len(found) == len(samples), "the page says something twice"
    return found


def page_of(registry: CollectorRegistry) -> Samples:
    """What the page of this registry says."""
    return parsed(generate_latest(registry).decode())


def fetched(url: str) -> Samples:
    """What is served there."""
    with urllib.request.urlopen(url, timeout=30) as answer:
        return parsed(answer.read().decode())


def value(samples: Samples, name: str, **labels: str) -> float:
    """The sum of all samples of that name with these labels, and others perhaps."""
    wanted = labels.items()
    return sum(v for (n, own), v in samples.items() if n == name and wanted <= own)


def has(samples: Samples, name: str, **labels: str) -> bool:
    """Whether there is any such sample."""
    wanted = labels.items()
    return any(n == name and wanted <= own for n, own in samples)


def sample_labels(metrics: Metrics) -> dict[str, frozenset[str]]:
    """Every name that a sample may have, with its labels."""
    found: dict[str, frozenset[str]] = {}
    for one in metrics.registry.collect():
        labels = frozenset(_labels(metrics, one))
        match one.type:
            case "counter":
                found[f"{one.name}_total"] = labels
            case "histogram":
                found[f"{one.name}_bucket"] = labels | {"le"}
                found[f"{one.name}_sum"] = found[f"{one.name}_count"] = labels
            case _:
                found[one.name] = labels
    return found


def table(metrics: Metrics) -> list[str]:
    """The metrics that are ours, as lines of the table in docs/operations/README.md."""
    lines = []
    for one in metrics.registry.collect():
        if one.name.startswith("airside_"):
            name = f"{one.name}_total" if one.type == "counter" else one.name
            labels = ", ".join(_labels(metrics, one))
            lines.append(f"| `{name}` | {one.type} | {labels} | {one.documentation} |")
    return lines


def _labels(metrics: Metrics, one: Metric) -> Sequence[str]:
    """The names of its labels, also where no sample has any yet."""
    known: Any = one if hasattr(one, "_labelnames") else None
    known = known or metrics.registry._names_to_collectors[one.name]
    names: Sequence[str] = getattr(known, "_labelnames", ())
    return names
