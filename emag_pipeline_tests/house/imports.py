"""What a module's source imports, wherever in it the import stands."""

import ast
from collections.abc import Iterator


def imported(source: str) -> Iterator[tuple[str, str]]:
    """Each import as a module, with its dots if it is relative, and the name taken from it: empty for `import x`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((module, alias.name) for alias in node.names)
