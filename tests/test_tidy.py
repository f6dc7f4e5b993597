"""The code about itself: who imports whom, what is pure, how large things get."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("schemas", "commands", "projectors", "queries", "airside")
MAY_IMPORT = {
    "schemas": {"schemas"},
    "commands": {"schemas", "commands"},
    "projectors": {"schemas", "projectors"},
    "queries": {"schemas", "projectors", "queries"},
    "airside": set(PACKAGES),
}
PURE_MAY_IMPORT = {
    "ast", "bisect", "calendar", "collections", "dataclasses", "datetime", "difflib", "enum",
    "functools", "hashlib", "heapq", "inspect", "itertools", "json", "logging", "math",
    "msgspec", "operator", "pathlib", "re", "struct", "types", "typing", "uuid", "fastavro",
    "importlib", "base64", "binascii", "statistics", "sys", "xxhash",
}  # fmt: skip
CLOCKS = {"time", "now", "utcnow", "today", "monotonic", "perf_counter", "uuid1", "uuid4"}
LINES_MAX = 300
FUNCTION_LINES_MAX = 50


def sources(*packages: str) -> list[Path]:
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", sources(*PACKAGES), ids=name_of)
def test_imports_follow_the_diagram(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = {name.split(".")[0] for name in imported(path)} & set(PACKAGES)
    assert ours <= MAY_IMPORT[package], f"{name_of(path)} imports {ours - MAY_IMPORT[package]}"


@pytest.mark.parametrize(
    "path", sources("schemas", "commands", "projectors", "queries"), ids=name_of
)
def test_code_inside_the_edge_imports_only_what_is_pure(path: Path) -> None:
    outside = {name.split(".")[0] for name in imported(path)} - set(PACKAGES)
    assert outside <= PURE_MAY_IMPORT, f"{name_of(path)} imports {outside - PURE_MAY_IMPORT}"


@pytest.mark.parametrize(
    "path", sources("schemas", "commands", "projectors", "queries"), ids=name_of
)
def test_no_clock_and_no_randomness_inside_the_edge(path: Path) -> None:
    allowed = {"schemas/envelope.py", "commands/batch.py"}  # new_id: a fresh id per attempt
    calls = {
        node.func.attr
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    } | {
        alias.name
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert name_of(path) in allowed or not calls & CLOCKS, f"{name_of(path)}: {calls & CLOCKS}"


@pytest.mark.parametrize(
    "path", sources(*PACKAGES, "tests", "benchmarks", "stack"), ids=name_of
)
def test_no_file_is_longer_than_a_reader_likes(path: Path) -> None:
    lines = path.read_text().count("\n")
    assert lines <= LINES_MAX, f"{name_of(path)} has {lines} lines: two rooms with a name each?"


@pytest.mark.parametrize(
    "path", sources(*PACKAGES, "tests", "benchmarks", "stack"), ids=name_of
)
def test_no_function_is_longer_than_a_page(path: Path) -> None:
    long = {
        f"{node.name}: {lines} lines"
        for node in functions(path)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert not long, f"{name_of(path)}: {long}"


@pytest.mark.parametrize(
    "path", [p for p in sources(*PACKAGES) if p.name == "__init__.py"], ids=name_of
)
def test_a_package_is_one_docstring(path: Path) -> None:
    body = tree_of(path).body
    assert len(body) == 1
    assert isinstance(body[0], ast.Expr)


@pytest.mark.parametrize("path", sources("tests"), ids=name_of)
def test_every_test_asserts_something(path: Path) -> None:
    proofs = ("assert", "raises", ".then", "expect", "check")
    silent = {
        node.name
        for node in functions(path)
        if node.name.startswith("test_")
        and not any(p in ast.unparse(line) for p in proofs for line in node.body)
    }
    assert not silent, f"{name_of(path)}: {silent} cannot fail"


def test_every_read_model_has_a_test() -> None:
    from projectors.all import PROJECTIONS  # noqa: PLC0415

    missing = {
        projection.name
        for projection in PROJECTIONS
        if not (ROOT / "tests" / "projectors" / f"test_{projection.name}.py").is_file()
    }
    assert not missing


def test_only_the_command_line_prints() -> None:
    printing = {
        name_of(path)
        for path in sources(*PACKAGES)
        if "airside/cli" not in name_of(path)
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    }
    assert not printing
