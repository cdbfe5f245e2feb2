"""The shape of the program: who imports whom, what is pure, how large and how small things get.

The table is the architecture; docs/architecture.md is its picture. Each rule is itself tested with a
planted fault.
"""

import ast
import re
import statistics
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tools import ROOT

PACKAGE = ROOT / "ingestor"

TEXT = {"text"}
"""What can be said of a text: it needs nothing else of ours but the nouns for its answers."""

NOUNS = TEXT | {"", "identity", "identity_parameters", "policy", "witness", "model", "errors"}
NOUNS |= {"clock", "log", "observer", "registry", "version"}
"""What every stage may use; the nouns themselves use only nouns ("" is the package)."""

GROUND = NOUNS | {"config"}

STAGES = {"sources", "fetch", "extract", "store", "archive"}
"""They do not know each other."""

ABOVE = {"pipeline", "daemon", "cluster", "browse", "maintenance", "api", "watch", "cli"}
"""What is built of the stages, each of those behind it."""

MAY_IMPORT = {
    "text": TEXT | {"model"},
    **dict.fromkeys(NOUNS - TEXT, NOUNS),
    "config": GROUND,
    **{stage: GROUND | {stage} for stage in STAGES},
    # What runs in a worker process begins with an answer and ends with an article, packed.
    "workers": GROUND | {"workers", "sources", "fetch", "extract", "archive"},
    "pipeline": GROUND | STAGES | {"workers", "pipeline"},
    "maintenance": GROUND | STAGES | {"pipeline", "api", "maintenance"},
    "daemon": GROUND | STAGES | {"pipeline", "watch", "daemon"},
    "browse": GROUND | STAGES | {"api", "browse"},
    "cluster": GROUND | STAGES | {"workers", "pipeline", "watch", "daemon", "cluster"},
    "api": GROUND | {"store", "archive", "api"},
    # Waits for what lands as a user of the library would, and sends it on.
    "watch": GROUND | {"fetch", "store", "archive", "api", "watch"},
    # What users import: a door to the library, and small.
    "": {"version", "api"},
    "cli": GROUND | STAGES | ABOVE | {"workers"},
    "__main__": {"cli", "version"},
}

PURE = {
    "text",
    "identity",
    "identity_parameters",
    "witness",
    "model",
    "errors",
    "policy",
    "archive.front_matter",
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

FLOOR = 60
"""A module of fewer lines that one module imports is a paragraph of that module."""

FOUND_BY_NAME = {"sources", "sites", "cli"}
"""Folders whose modules are found by their names: they may be as small as they like."""

MOST_MODULES = 20
"""In one folder; those of ``cli`` are as many as there are commands."""

MOST_AT_THE_TOP = 12

NOUNS_IN_ING = {"ranking": "the field's noun for the order in which answers come"}
"""Modules that end in -ing and are no verb, each with the reason."""

DOCUMENTED_PRIVATES = {"_mapping", "_replace", "_fields", "_asdict", "_exit"}
"""Names that SQLAlchemy's rows, named tuples and ``os`` document, underscore and all."""

STILL_OFFENDING: dict[str, set[str]] = {
    "small": set(),
    "crowded": set(),
    "verbs": set(),
    "namesakes": set(),
    "privates": set(),
}


@dataclass(frozen=True)
class Module:
    """A module's dotted name below the package, and its syntax tree."""

    name: str
    tree: ast.Module
    lines: int
    is_folder: bool = False
    """It is the ``__init__.py`` of the folder of its name."""

    @property
    def layer(self) -> str:
        return self.name.partition(".")[0]

    @property
    def folder(self) -> str:
        return self.name.rpartition(".")[0]


@cache
def modules() -> list[Module]:
    return [
        parse(name_of(path), path.read_text("utf-8"), is_folder=path.name == "__init__.py")
        for path in sorted(PACKAGE.rglob("*.py"))
    ]


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def parse(name: str, source: str, *, is_folder: bool = False) -> Module:
    return Module(name, ast.parse(source), source.count("\n"), is_folder)


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


def target_of(name: str, known: Collection[str]) -> str | None:
    """Return the module of ours that an imported name lies in, or is."""
    package, _, target = name.partition(".")
    while package == "ingestor" and target not in known:
        target = target.rpartition(".")[0]
    return target if package == "ingestor" else None


def importers(package: list[Module]) -> dict[str, set[str]]:
    """Return for each module those that import it."""
    found = {module.name: set() for module in package}
    for module in package:
        for name in imported(module):
            target = target_of(name, found)
            if target is not None and target != module.name:
                found[target].add(module.name)
    return found


def small(package: list[Module]) -> list[str]:
    users = importers(package)
    return [
        module.name
        for module in package
        if module.lines < FLOOR
        and len(users[module.name]) == 1
        and not module.is_folder
        and module.folder.rpartition(".")[2] not in FOUND_BY_NAME
    ]


def crowded(package: list[Module]) -> list[str]:
    """Find the folders with too many modules directly in them."""
    sizes = Counter(module.name if module.is_folder else module.folder for module in package)
    found = [folder for folder, size in sizes.items() if folder and size > MOST_MODULES]
    top = [m for m in package if not m.folder and not m.is_folder and m.name != "__main__"]
    return [name for name in found if name != "cli"] + ["the top"] * (len(top) > MOST_AT_THE_TOP)


def verbs(package: list[Module]) -> list[str]:
    """Find the modules and folders that are named by a verb in -ing."""
    return [
        module.name
        for module in package
        if (last := module.name.rpartition(".")[2]).endswith("ing") and last not in NOUNS_IN_ING
    ]


def namesakes(package: list[Module]) -> list[str]:
    """Find the classes whose name another class has too, wherever it stands."""
    names = Counter(
        node.name
        for module in package
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
    )
    return [name for name, count in names.items() if count > 1]


def privates(module: Module) -> list[str]:
    """Find the private attributes of anything but the object itself, or its class."""
    return [
        f"{module.name} uses .{node.attr}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and re.match(r"_(?!_)", node.attr)
        and node.attr not in DOCUMENTED_PRIVATES
        and not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"})
    ]


def imported_tests(module: Module) -> list[str]:
    """Find the tests that something imports: what two need lies in tests/support, or in tools."""
    return [
        f"{module.name} imports {name}"
        for name in imported(module)
        if any(part.startswith("test_") for part in name.split("."))
    ]


def beside_the_package() -> list[Module]:
    """Return the modules of the tests, the tools and the benchmarks."""
    folders = ("tests", "tools", "benchmarks")
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [parse(str(path.relative_to(ROOT)), path.read_text("utf-8")) for path in paths]


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
    graph = {name: set() for name in importers(modules())}
    for name, users in importers(modules()).items():
        for user in users:
            graph[user].add(name)
    while ready := [name for name, needs in graph.items() if not needs]:
        for name in ready:
            del graph[name]
        for needs in graph.values():
            needs.difference_update(ready)
    assert graph == {}


OF_THE_HOUSE = {
    "a module is worth its door": small,
    "a folder has at most 20 modules, the top at most 12": crowded,
    "a module is named by a noun, or by its command's verb": verbs,
    "no two classes have the same name": namesakes,
    "nothing private of another object is used": lambda package: [
        fault for module in package for fault in privates(module)
    ],
}


@pytest.mark.parametrize(
    ("rule", "offenders"),
    list(zip(OF_THE_HOUSE.values(), STILL_OFFENDING.values(), strict=True)),
    ids=OF_THE_HOUSE,
)
def test_the_house_is_in_order(rule, offenders):
    """Rooms of a good size, and names that mean one thing."""
    assert set(rule(modules())) - offenders == set()


def test_no_test_imports_another():
    """What two tests need lies in tests/support, or in tools."""
    assert [fault for module in beside_the_package() for fault in imported_tests(module)] == []


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
    "a library's private attribute": (privates, "fetch.client", "client._transport = None"),
    "a test imports another": (imported_tests, "tests", "from tests.cli.test_show import shown"),
}


@pytest.mark.parametrize(("rule", "name", "source"), PLANTED.values(), ids=PLANTED)
def test_the_rules_find_a_planted_fault(rule, name, source):
    """A check that cannot fail holds nothing."""
    assert rule(parse(name, source)) != []


A_FOLDER_TOO_FULL = {f"store.m{number}": "" for number in range(MOST_MODULES + 1)}
A_TOP_TOO_FULL = {f"m{number}": "" for number in range(MOST_AT_THE_TOP + 1)}

PLANTED_IN_THE_HOUSE: dict[str, tuple[Callable[[list[Module]], list[str]], dict[str, str]]] = {
    "a small module that one imports": (
        small,
        {"store.tiny": "x = 1\n", "store.user": "from ingestor.store import tiny\n" * 60},
    ),
    "a small module that is imported by a function of one": (
        small,
        {"tiny": "", "user": "def f():\n    from ingestor.tiny import x\n"},
    ),
    "a folder that is too full": (crowded, A_FOLDER_TOO_FULL),
    "a top level that is too full": (crowded, A_TOP_TOO_FULL),
    "a module named by a verb": (verbs, {"store.saving": ""}),
    "two classes of one name": (namesakes, {"model": "class A: ...", "store.x": "class A: ..."}),
}


@pytest.mark.parametrize(
    ("rule", "sources"), PLANTED_IN_THE_HOUSE.values(), ids=PLANTED_IN_THE_HOUSE
)
def test_the_rules_of_the_house_find_a_planted_fault(rule, sources):
    """Those that look at more than one module."""
    assert rule([parse(name, source) for name, source in {"": "", **sources}.items()]) != []


def test_what_is_found_by_its_name_may_be_small():
    """A page template of twenty lines is the point of its folder."""
    names = ["", "extract.sites", "extract.sites.tiny", "cli.tiny", "sources.tiny"]
    package = [parse(name, "import ingestor.extract.sites.tiny\n" * 60) for name in names[:2]]
    package += [parse(name, "x = 1\n") for name in names[2:]]
    assert small(package) == []
