"""The shape of the program: who imports whom, what is pure, how large things get.

The table is the architecture. Each rule is itself tested with a planted fault.
"""

import ast
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "ingestor"

TEXT = {"text"}
"""What can be said of a text: it needs nothing else of ours but the nouns for its answers."""

NOUNS = TEXT | {"", "identity", "policy", "model", "errors", "clock", "observer", "registry"}
"""What every stage may use; the nouns themselves use only nouns ("" is the package)."""

GROUND = NOUNS | {"config"}

STAGES = {"sources", "fetch", "extract", "store", "archive"}
"""They do not know each other."""

ABOVE = {"pipeline", "daemon", "cluster", "browse", "maintenance", "cli"}
"""What is built of the stages, each of those behind it."""

MAY_IMPORT = {
    "text": TEXT | {"model"},
    **dict.fromkeys(NOUNS - TEXT, NOUNS),
    "config": GROUND,
    **{stage: GROUND | {stage} for stage in STAGES},
    # What runs in a worker process begins with an answer and ends with an article, packed.
    "workers": GROUND | {"workers", "sources", "fetch", "extract", "archive"},
    "pipeline": GROUND | STAGES | {"workers", "pipeline"},
    "maintenance": GROUND | STAGES | {"pipeline", "maintenance"},
    "daemon": GROUND | STAGES | {"pipeline", "daemon"},
    "browse": GROUND | STAGES | {"browse"},
    "cluster": GROUND | STAGES | {"workers", "pipeline", "daemon", "cluster"},
    "cli": GROUND | STAGES | ABOVE | {"workers"},
    "__main__": {"cli"},
}

PURE = {
    "text",
    "identity",
    "model",
    "errors",
    "policy",
    "archive.front_matter",
    "archive.front_matter_reader",
    "fetch.headers",
    "workers.tasks",
    "sources",
    "extract",
}
"""No I/O, no clock, no chance: the same input gives the same output, on any machine."""

IMPURE_MODULES = {"os", "io", "socket", "time", "random", "secrets", "subprocess", "threading"}
IMPURE_MODULES |= {
    "shutil",
    "tempfile",
    "sqlite3",
    "sqlalchemy",
    "httpx",
    "httpcore",
    "urllib.request",
}
IMPURE_CALLS = {"open", "input", "print", "now", "utcnow", "today", "read_text", "write_text"}

MOST_MODULE_LINES = 400
MOST_FUNCTION_LINES = 40
MEDIAN_FUNCTION_LINES = 8
NINETIETH_FUNCTION_LINES = 25


@dataclass(frozen=True)
class Module:
    """A module's dotted name below the package, and its syntax tree."""

    name: str
    tree: ast.Module
    lines: int

    @property
    def layer(self) -> str:
        return self.name.partition(".")[0]


def modules() -> list[Module]:
    return [parse(name_of(path), path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))]


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def parse(name: str, source: str) -> Module:
    return Module(name, ast.parse(source), source.count("\n"))


def imported(module: Module) -> Iterator[str]:
    """Yield the dotted names that a module imports."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def wrong_imports(module: Module) -> list[str]:
    found = []
    for name in imported(module):
        package, _, rest = name.partition(".")
        layer = rest.partition(".")[0]
        if layer in {"__version__", ""}:
            layer = ""
        if package == "ingestor" and layer not in MAY_IMPORT[module.layer]:
            found.append(f"{module.name or 'ingestor'} imports {name}")
    return found


def impurities(module: Module) -> list[str]:
    found = [
        f"{module.name} imports {name}"
        for name in imported(module)
        if any(name == bad or name.startswith(f"{bad}.") for bad in IMPURE_MODULES)
    ]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = (
                node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            )
            if called in IMPURE_CALLS:
                found.append(f"{module.name}:{node.lineno} calls {called}()")
        elif isinstance(node, ast.Global):
            found.append(f"{module.name}:{node.lineno} changes a global")
    return found


def functions(module: Module) -> Iterator[tuple[str, int]]:
    """Yield each function with its lines, the docstring not counted."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            documented = docstring.count("\n") + 1 if docstring else 0
            yield (
                f"{module.name}.{node.name}",
                (node.end_lineno or 0) - node.lineno + 1 - documented,
            )


def oversized(module: Module) -> list[str]:
    found = [
        f"{name}: {lines} lines" for name, lines in functions(module) if lines > MOST_FUNCTION_LINES
    ]
    if module.lines > MOST_MODULE_LINES:
        found.append(f"{module.name}: {module.lines} lines")
    return found


def swallowed(module: Module) -> list[str]:
    return [
        f"{module.name}:{node.lineno} swallows an exception"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler)
        and all(isinstance(one, ast.Pass) for one in node.body)
    ]


def undocumented(module: Module) -> list[str]:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    found = [
        f"{module.name}.{node.name}"
        for node in ast.walk(module.tree)
        if isinstance(node, kinds) and not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    nested = {
        f"{module.name}.{inner.name}"
        for outer in ast.walk(module.tree)
        if isinstance(outer, ast.FunctionDef)
        for inner in ast.walk(outer)
        if isinstance(inner, ast.FunctionDef) and inner is not outer
    }
    return [name for name in found if name not in nested]


def is_pure(module: Module) -> bool:
    return any(module.name == pure or module.name.startswith(f"{pure}.") for pure in PURE)


def of_all(rule) -> list[str]:
    return [problem for module in modules() for problem in rule(module)]


def test_imports_follow_the_data():
    """A stage uses the ground and itself; only the pipeline knows the stages."""
    assert of_all(wrong_imports) == []


def test_every_module_has_its_place_in_the_table():
    """A new top-level module has to be put into a layer first."""
    assert {module.layer for module in modules()} <= set(MAY_IMPORT)


def test_pure_modules_touch_nothing():
    """No file, no socket, no clock, no chance, no global in the middle of the program."""
    assert [
        problem for module in modules() if is_pure(module) for problem in impurities(module)
    ] == []


def test_the_list_of_pure_modules_names_modules_that_exist():
    """A rule over a module that was renamed would hold for nothing."""
    names = {module.name for module in modules()}
    assert {pure for pure in PURE if pure not in names} == set()


def test_modules_and_functions_stay_small():
    """The caps of the house: 400 lines a module, 40 a function."""
    assert of_all(oversized) == []


def test_functions_are_short_as_a_rule():
    """Half of them have at most 8 lines, nine of ten at most 25."""
    lengths = sorted(lines for module in modules() for _, lines in functions(module))
    assert statistics.median(lengths) <= MEDIAN_FUNCTION_LINES
    assert lengths[int(len(lengths) * 0.9)] <= NINETIETH_FUNCTION_LINES


def test_no_exception_is_swallowed():
    """A handler does something, or is not there."""
    assert of_all(swallowed) == []


def test_everything_public_has_a_docstring():
    """Who reads a name can read what it means."""
    assert of_all(undocumented) == []


def test_there_is_no_import_cycle():
    """The modules can be put in an order in which each needs only those before it."""
    graph = {module.name: set() for module in modules()}
    for module in modules():
        for name in imported(module):
            target = name.removeprefix("ingestor").lstrip(".")
            while target and target not in graph:
                target = target.rpartition(".")[0]
            if name.startswith("ingestor") and target and target != module.name:
                graph[module.name].add(target)
    while ready := [name for name, needs in graph.items() if not needs]:
        for name in ready:
            del graph[name]
        for needs in graph.values():
            needs.difference_update(ready)
    assert graph == {}


PLANTED = {
    "a stage imports another stage": (
        wrong_imports,
        "store.feeds",
        "from ingestor.fetch import client",
    ),
    "a stage imports the pipeline": (wrong_imports, "extract", "import ingestor.pipeline"),
    "the ground imports a stage": (wrong_imports, "identity", "from ingestor.store import schema"),
    "a pure module reads the clock": (impurities, "poll", "import time"),
    "a pure module asks what time it is": (impurities, "poll", "x = datetime.now()"),
    "a pure module opens a file": (impurities, "identity", "def f(p):\n    return open(p)"),
    "a pure module changes a global": (impurities, "identity", "def f():\n    global x\n    x = 1"),
    "a function is too long": (oversized, "poll", "def f():\n" + "    x = 1\n" * 41),
    "a module is too long": (oversized, "poll", "x = 1\n" * 401),
    "an exception is swallowed": (swallowed, "poll", "try:\n    f()\nexcept OSError:\n    pass"),
    "a public function says nothing": (undocumented, "poll", "def f():\n    return 1"),
}


@pytest.mark.parametrize(("rule", "name", "source"), PLANTED.values(), ids=PLANTED)
def test_the_rules_find_a_planted_fault(rule, name, source):
    """A check that cannot fail holds nothing."""
    assert rule(parse(name, source)) != []
