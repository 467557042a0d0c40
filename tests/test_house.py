"""The house itself: names that do not hide one another, few at the door, no circles, and where what moved is now."""

import ast
import importlib
from pathlib import Path

import pytest

import isthmus

ROOT = Path(isthmus.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
MOST_PUBLIC = 25


def module_name(path):
    parts = ["isthmus", *path.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in FILES}
PACKAGES = {name for name, path in MODULES.items() if path.name == "__init__.py"}


def imports(tree):
    """What is imported when a module is: not inside functions, and not for type checkers only."""
    for node in tree.body:
        yield from _imports(node)


def _imports(node):
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield node
    elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for other in node.orelse:
            yield from _imports(other)
    elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _imports(child)


def targets(name, node):
    """The modules of this library that an import statement of module `name` asks for."""
    if isinstance(node, ast.Import):
        asked = [alias.name for alias in node.names]
    else:
        assert node.level == 0, f"{name} imports relatively"
        asked = [f"{node.module}.{alias.name}" for alias in node.names]
    for each in asked:
        while each and each not in MODULES:  # a function or a class: the module it is taken from
            each = each.rpartition(".")[0]
        if each:
            yield each


GRAPH = {
    name: {t for node in imports(ast.parse(path.read_text(encoding="utf-8"))) for t in targets(name, node)} - {name}
    for name, path in MODULES.items()
}


def a_circle(graph):
    """Modules that import one another, in order; empty if there are none."""
    done, path = set(), []

    def visit(name):
        if name in path:
            return path[path.index(name) :]
        if name in done:
            return []
        path.append(name)
        for other in sorted(graph[name]):
            if found := visit(other):
                return found
        done.add(path.pop())
        return []

    return next((found for name in sorted(graph) if (found := visit(name))), [])


def test_no_module_imports_itself_through_others():
    assert a_circle(GRAPH) == []


def test_a_circle_would_be_found():
    assert a_circle({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b", "c"]
    tree = ast.parse(
        "import x\nif TYPE_CHECKING:\n    import y\ntry:\n    import z\nexcept E:\n    pass\ndef f():\n    import v"
    )
    assert [node.names[0].name for node in imports(tree)] == ["x", "z"]
    assert {"isthmus.networks", "isthmus.errors"} <= GRAPH["isthmus.training.loop"]


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_no_module_is_hidden_by_a_name_of_its_package(package):
    """`from package import name` would give the function where the module is meant, or the other way round."""
    modules = {name.rpartition(".")[2] for name in MODULES if name.rpartition(".")[0] == package}
    tree = ast.parse(MODULES[package].read_text(encoding="utf-8"))
    bound = {alias.asname or alias.name for node in imports(tree) for alias in node.names}
    bound |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    taken_as_modules = {
        alias.asname or alias.name
        for node in imports(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if f"{node.module}.{alias.name}" in MODULES
    }
    assert (modules & bound) - taken_as_modules == set()
    loaded = importlib.import_module(package)
    exported = getattr(loaded, "__all__", ())
    assert [name for name in exported if name in modules and f"{package}.{name}" not in PACKAGES] == []


def public():
    return sorted({*isthmus.__all__, *isthmus._HOME})


def test_few_names_at_the_door():
    assert len(public()) <= MOST_PUBLIC
    assert isthmus.__all__ == sorted(isthmus.__all__, key=lambda name: (name.islower(), name))


@pytest.mark.parametrize("name", public())
def test_every_public_name_can_be_imported(name):
    found = getattr(isthmus, name)
    assert found.__doc__
    assert name in dir(isthmus)
    with pytest.raises(AttributeError):
        getattr(isthmus, f"{name}_")


@pytest.mark.parametrize("name", sorted(isthmus._MOVED))
def test_a_name_that_moved_says_where(name):
    assert name not in public()
    with pytest.raises(AttributeError, match=f"isthmus.{name} is gone") as raised:
        getattr(isthmus, name)
    where = isthmus._MOVED[name]
    assert where in str(raised.value)
    for word in where.replace(",", " ").split():
        if word.startswith("isthmus."):
            home, _, last = word.rpartition(".")
            module = importlib.import_module(home)
            assert hasattr(module, last) or word in MODULES, f"{word} is not there"
