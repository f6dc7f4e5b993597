"""What a generation was built by: a digest of its folds, what they read, and all schemas.

Nobody bumps a number by hand: when code that a row depends on changes, so does the digest.
Comments, docstrings and layout do not count, since a replay is not worth them; nor does the
version of Python, which would else rebuild everything.
"""

import ast
import hashlib
import inspect
from functools import lru_cache
from types import ModuleType
from typing import Any

from projectors.projection import Projection
from schemas.codec import Codec
from schemas.errors import Contradiction

UNSAID = ("ctx", "kind", "type_comment")  # fields of a syntax tree


def fold_fingerprint(projection: Projection[Any], codec: Codec) -> str:
    """The digest, 16 hex digits. Raises: Contradiction if a fold has no source to look at."""
    digest = hashlib.sha256(codec.fingerprint().encode())
    digest.update(repr((projection.name, projection.reads)).encode())
    for event, fold in sorted(projection.folds.items(), key=lambda item: item[0].__name__):
        digest.update(f"{event.__name__} {getattr(fold, '__qualname__', '')}\n".encode())
    for module in _modules(projection):
        digest.update(meaning_of(inspect.getsource(module)).encode())
    return digest.hexdigest()[:16]


@lru_cache(maxsize=256)
def meaning_of(source: str) -> str:
    """Python source without comments, docstrings and layout: the same in every Python."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        match node:
            case ast.Module() | ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                if ast.get_docstring(node, clean=False) is not None:
                    node.body = node.body[1:] or [ast.Pass()]
    return _written(tree)


def _written(part: object) -> str:
    """A part of a syntax tree by its class and the fields that say something.

    Newer Pythons add fields that are empty where nobody uses them; `ctx`, `kind` and
    `type_comment` only repeat what is said elsewhere, or say what does not count.
    """
    if isinstance(part, list):
        return f"[{' '.join(map(_written, part))}]"
    if not isinstance(part, ast.AST):
        return ascii(part)
    said = [
        f"{name}={_written(value)}"
        for name, value in ast.iter_fields(part)
        if name not in UNSAID and value not in (None, [])
    ]
    return f"{type(part).__name__}({' '.join(said)})"


def _modules(projection: Projection[Any]) -> list[ModuleType]:
    parts = (
        *projection.folds.values(),
        projection.keys,
        projection.initial,
        projection.row_type,
    )
    modules = {module.__name__: module for module in projection.modules}
    for part in parts:
        is_plain = inspect.isfunction(part) or inspect.isclass(part)
        module = inspect.getmodule(part) if is_plain else None
        if module is None:
            raise Contradiction(
                f"{projection.name}: {part!r} belongs to no module, so a change of it would go "
                "unseen. Make it a plain function of a module."
            )
        modules[module.__name__] = module
    return [modules[name] for name in sorted(modules)]
