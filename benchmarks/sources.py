"""A hash of what a figure depends on, that neither git nor a comment changes.

Comments, docstrings, blank lines and line wrapping are dropped first, so that better words never ask for a new measurement.
"""
from __future__ import annotations

import ast
import hashlib
import io
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def tokens(source: str) -> Iterator[tuple[int, str]]:
    "Row and text of each token but comments and line ends inside brackets. An f-string is one token on every Python."
    lines, depth, opened = source.splitlines(keepends=True), 0, (0, 0)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = tokenize.tok_name[token.type]
        if kind == 'FSTRING_START':  # Python 3.12 and later take f-strings apart
            depth, opened = depth+1, opened if depth else token.start
        elif kind == 'FSTRING_END':
            depth -= 1
            if not depth: yield opened[0], between(lines, opened, token.end)
        elif not depth and kind not in ('COMMENT', 'NL'): yield token.start[0], {'INDENT': '<', 'DEDENT': '>'}.get(kind, token.string)


def between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    "The text from one place (row, column) to another."
    chosen = lines[start[0]-1:end[0]]
    chosen[-1] = chosen[-1][:end[1]]
    chosen[0] = chosen[0][start[1]:]
    return ''.join(chosen)


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
    "What of `source` a computer acts on, however its lines are wrapped."
    source = source.replace('\r\n', '\n')
    docs = docstring_rows(source)
    return ' '.join('\n' if text.isspace() else text for row, text in tokens(source) if row not in docs)


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
