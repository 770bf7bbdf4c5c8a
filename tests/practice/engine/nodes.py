"""The syntax tree that the parser builds: expressions, queries, and statements."""
from dataclasses import dataclass, field
from types import SimpleNamespace


class Stmt(SimpleNamespace):
    """A statement: `kind` chooses the executor's method, `line` is where it starts."""


class Batch(list):
    """Statements, and in which states of the catalogue their compilation found nothing wrong."""

    def __init__(self, statements):
        super().__init__(statements)
        self.compiled = set()


def node(cls):
    return dataclass(eq=True, unsafe_hash=False)(cls)


# ---- expressions -------------------------------------------------------------------------------

@node
class Lit:
    value: object
    type: object


@node
class Var:
    name: str


@node
class GlobalVar:
    name: str


@node
class Col:
    parts: tuple
    line: int = field(default=0, compare=False)


@node
class Star:
    parts: tuple


@node
class Unary:
    op: str
    arg: object


@node
class Binary:
    op: str
    left: object
    right: object


@node
class Case:
    operand: object
    whens: list
    other: object


@node
class Cast:
    arg: object
    type: object
    style: object = None
    attempt: bool = False


@node
class Func:
    parts: tuple
    args: list
    distinct: bool = False
    over: object = None
    within: object = None
    line: int = field(default=0, compare=False)


@node
class XmlMethod:
    arg: object
    method: str
    args: list


@node
class Collate:
    arg: object
    name: str


@node
class Sub:
    query: object


@node
class NextValue:
    parts: tuple


# Conditions: true, false or unknown; never a value in a select list.

@node
class Compare:
    op: str
    left: object
    right: object
    quantifier: str = ""


@node
class Logic:
    op: str
    items: list


@node
class Not:
    arg: object


@node
class In:
    arg: object
    items: object        # list of expressions or a Query
    negated: bool


@node
class Like:
    arg: object
    pattern: object
    escape: object
    negated: bool


@node
class Between:
    arg: object
    low: object
    high: object
    negated: bool


@node
class IsNull:
    arg: object
    negated: bool


@node
class Exists:
    query: object


CONDITIONS = (Compare, Logic, Not, In, Like, Between, IsNull, Exists)


# ---- queries -----------------------------------------------------------------------------------

@node
class Item:
    expr: object
    alias: str = ""
    variable: str = ""


@node
class Select:
    items: list
    distinct: bool = False
    top: object = None
    into: object = None
    source: object = None
    where: object = None
    group: list = field(default_factory=list)
    having: object = None
    order: list = field(default_factory=list)     # [(expr, descending)]
    offset: object = None
    fetch: object = None


@node
class SetOp:
    op: str              # UNION, UNION ALL, EXCEPT, INTERSECT
    left: object
    right: object
    order: list = field(default_factory=list)
    offset: object = None
    fetch: object = None


@node
class Values:
    rows: list


@node
class Query:
    body: object
    ctes: list = field(default_factory=list)      # [(name, columns, Query)]


@node
class Constraint:
    kind: str            # C D PK UQ F, as in sys.objects
    name: str            # "" where the server finds one
    value: object        # condition, default's expression, names of columns
    text: str = ""
    clustered: object = None
    referenced: tuple = ()
    targets: tuple = ()  # columns of that table; none: those of its primary key


@node
class TableRef:
    parts: tuple
    alias: str = ""
    hints: tuple = ()
    line: int = field(default=0, compare=False)


@node
class FuncRef:
    parts: tuple
    args: list
    alias: str = ""
    columns: list = field(default_factory=list)
    line: int = field(default=0, compare=False)


@node
class VarRef:
    name: str
    alias: str = ""


@node
class Derived:
    query: object
    alias: str
    columns: list = field(default_factory=list)


@node
class Join:
    kind: str            # INNER LEFT RIGHT FULL CROSS
    left: object
    right: object
    on: object = None


@node
class Apply:
    outer: bool
    left: object
    right: object
