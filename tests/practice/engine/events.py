"""What the engine returns to the wire: errors and result events.

Values in a Row are plain Python: int, bool (bit), str, bytes, float, Decimal, datetime, date, time,
UUID or None. In a sql_variant column the Python type of each value names its base type.
"""
from dataclasses import dataclass

from .features import PENDING, Features  # noqa: F401  (part of what the wire needs to know)


class SqlError(Exception):
    """One SQL Server error. `aborts` ends the batch; `compile` cannot be caught in its own scope."""

    def __init__(self, number, text, severity=16, state=1, line=0, procedure="", aborts=False,
                 compile=False):
        super().__init__(f"{number}: {text}")
        self.number, self.text, self.severity, self.state = number, text, severity, state
        self.line, self.procedure = line, procedure
        self.aborts, self.compile = aborts or compile, compile
        self.env = None                 # whose statement has failed


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    nullable: bool = True
    size: int = 0            # characters for n(var)char, bytes for (var)char and (var)binary, -1 = max
    precision: int = 0
    scale: int = 0


@dataclass(frozen=True)
class Columns:
    columns: list


@dataclass(frozen=True)
class Row:
    values: list


@dataclass(frozen=True)
class Done:
    count: object            # rows affected, None when no count belongs to the statement
    more: bool
    command: str


@dataclass(frozen=True)
class Message:
    number: int
    state: int
    severity: int
    text: str
    procedure: str = ""
    line: int = 1


@dataclass(frozen=True)
class DatabaseChanged:
    old: str
    new: str


@dataclass(frozen=True)
class ReturnStatus:
    value: int


@dataclass(frozen=True)
class ReturnValue:
    name: str
    type: str
    value: object
    size: int = 0
    precision: int = 0
    scale: int = 0
