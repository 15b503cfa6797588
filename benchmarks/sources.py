"""A hash of what a figure depends on, that neither git nor a comment changes.

Comments, docstrings, blank lines and trailing spaces are dropped first, so that better words never ask for a new measurement.
"""
from __future__ import annotations

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def without_comments(source: str) -> list[str]:
    "The lines of `source`, comments cut off."
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, col = token.start
            lines[row-1] = lines[row-1][:col]
    return lines


def docstring_rows(source: str) -> set[int]:
    "Row numbers, from 1, that only a docstring stands on."
    rows: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)): continue
        first, owner_row = node.body[0] if node.body else None, getattr(node, 'lineno', 0)
        is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
        if is_text and first.lineno > owner_row: rows |= set(range(first.lineno, first.end_lineno+1))
    return rows


def normalise(source: str) -> str:
    "What of `source` a computer acts on."
    docs = docstring_rows(source)
    kept = (line.rstrip() for i, line in enumerate(without_comments(source), 1) if i not in docs)
    return '\n'.join(line for line in kept if line)


def files(patterns: Iterable[str], root: Path = ROOT) -> list[Path]:
    "The files below `root` that `patterns` name, in a fixed order; a pattern that names none is an error."
    found = {pattern: [p for p in root.glob(pattern) if p.suffix == '.py'] for pattern in patterns}
    for pattern, paths in found.items():
        if not paths: raise FileNotFoundError(f'{pattern} names no source file below {root.name}/: was it renamed, or not exported yet?')
    return sorted({p for paths in found.values() for p in paths}, key=lambda p: p.relative_to(root).as_posix())


def source_hash(patterns: Iterable[str], *, extra: str = '', root: Path = ROOT) -> str:
    "One sha256 over names and normalised text of the sources, and over `extra`."
    digest = hashlib.sha256(extra.encode())
    for path in files(patterns, root):
        digest.update(f'\0{path.relative_to(root).as_posix()}\0{normalise(path.read_text(encoding="utf-8"))}'.encode())
    return digest.hexdigest()
