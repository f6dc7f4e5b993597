"""Dashboard, alert rules and their README name what the processes export, and nothing else."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from airside.cli.main import VERBS
from airside.telemetry.metrics import Metrics
from tests.kit.exposed import sample_labels, table
from tests.kit.promql import Named, read

FOLDER = Path(__file__).parents[3] / "docs" / "operations"
FROM_SCRAPES = {"job", "instance"}
OF_OTHERS: dict[str, frozenset[str]] = {
    "up": frozenset(),
    "process_cpu_seconds_total": frozenset(),
    "process_resident_memory_bytes": frozenset(),
    "process_open_fds": frozenset(),
}
"""Prometheus's own, and those of its library, which are not there on every system."""

LABELS = OF_OTHERS | sample_labels(Metrics(lambda: 0))
METRICS = Metrics(lambda: 0)


def rules() -> list[dict[str, Any]]:
    found = yaml.safe_load((FOLDER / "alerts.yml").read_text())
    return [rule for group in found["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    board = json.loads((FOLDER / "grafana-dashboard.json").read_text())
    return [panel for panel in board["panels"] if panel["type"] != "row"]


EXPRESSIONS = {f"alert {rule['alert']}": rule["expr"] for rule in rules()} | {
    f"panel {panel['title']}, {target['refId']}": target["expr"]
    for panel in panels()
    for target in panel["targets"]
}


def unknown(named: Named) -> set[str]:
    """What an expression names that nobody exports."""
    metrics = {name for name in named.metrics if name not in LABELS}
    known = set().union(FROM_SCRAPES, *(LABELS.get(name, ()) for name in named.metrics))
    selected = {
        f"{name}.{label}"
        for name, labels in named.metrics.items()
        for label in labels - LABELS.get(name, frozenset()) - FROM_SCRAPES
    }
    return metrics | selected | (named.grouped_by - known)


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_every_expression_names_metrics_and_labels_that_exist(where: str) -> None:
    named = read(EXPRESSIONS[where])
    assert named.metrics
    assert not unknown(named)


@pytest.mark.parametrize(
    ("expression", "faults"),
    [
        ("sum(airside_commands)", {"airside_commands"}),
        ("rate(airside_commands_total{result='x'}[5m])".replace("'", '"'),
         {"airside_commands_total.result"}),
        ("max by (account) (airside_handler_seq)", {"account"}),
        ('rate(airside_events_stored_total{job="a"}[5m])', set()),
    ],
)  # fmt: skip
def test_a_name_that_nobody_exports_is_found(expression: str, faults: set[str]) -> None:
    assert unknown(read(expression)) == faults


@pytest.mark.parametrize(
    "expression", ["rte(up[5m])", "sum(up", "sum)up(", 'up{job="a"', "up $"]
)
def test_what_is_no_expression_is_an_error(expression: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expression)):
        read(expression)


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    shown = {name for text in EXPRESSIONS.values() for name in read(text).metrics}
    bases = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    ours = {line.split("`")[1] for line in table(METRICS)}
    assert not ours - bases


def test_every_alert_says_what_it_means_and_what_to_do() -> None:
    for_people = {"summary", "description", "runbook"}
    silent = [
        rule["alert"]
        for rule in rules()
        if {name for name, text in rule["annotations"].items() if text.strip()} != for_people
        or rule["labels"] not in ({"severity": "page"}, {"severity": "ticket"})
    ]
    assert not silent


def test_runbooks_name_verbs_that_exist() -> None:
    texts = [text for rule in rules() for text in rule["annotations"].values()]
    named = {verb for text in texts for verb in re.findall(r"`airside\s+([a-z-]+)", text)}
    assert named
    assert named <= set(VERBS)


def test_panels_say_what_they_show_and_lie_in_a_grid() -> None:
    odd = [
        panel["title"]
        for panel in panels()
        if not panel["description"].endswith(".")
        or panel["gridPos"]["x"] + panel["gridPos"]["w"] > 24
    ]
    assert not odd
    ids = [panel["id"] for panel in panels()]
    assert len(set(ids)) == len(ids)


def test_the_readme_lists_every_metric_as_the_code_has_it() -> None:
    lines = (FOLDER / "README.md").read_text().splitlines()
    listed = [line for line in lines if line.startswith("| `airside_")]
    assert listed == table(METRICS)


def test_promtool_takes_the_rules(tmp_path: Path) -> None:
    """Where it is installed; the reader of `tests/kit/promql.py` holds everywhere."""
    tool = shutil.which("promtool")
    if tool is None:
        pytest.skip("promtool is not on the PATH: read by tests/kit/promql.py alone")
    recorded = [
        {"record": f"r{n}", "expr": text.replace("$__rate_interval", "5m")}
        for n, text in enumerate(EXPRESSIONS.values())
    ]
    of_panels = tmp_path / "all.yml"
    of_panels.write_text(json.dumps({"groups": [{"name": "all", "rules": recorded}]}))
    files = [str(FOLDER / "alerts.yml"), str(of_panels)]
    ran = subprocess.run(
        [tool, "check", "rules", *files], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
