"""A SQL Server to practise on: its language, catalogue and permissions. See ../README.md."""
from .events import (Column, Columns, DatabaseChanged, Done, Features, Message, ReturnStatus,
                     ReturnValue, Row, SqlError)
from .sessions import Server, Session

__all__ = ["Column", "Columns", "DatabaseChanged", "Done", "Features", "Message", "ReturnStatus",
           "ReturnValue", "Row", "Server", "Session", "SqlError"]
