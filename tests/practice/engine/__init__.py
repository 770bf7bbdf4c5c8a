"""The engine of the practice server: T-SQL, the catalog, and permissions. See ../README.md."""
from .events import (Column, Columns, DatabaseChanged, Done, Message, ReturnStatus, ReturnValue,
                     Row, SqlError)
from .features import PENDING, Features
from .server import Server
from .sessions import Session

__all__ = ["Column", "Columns", "DatabaseChanged", "Done", "Features", "Message", "PENDING", "ReturnStatus",
           "ReturnValue", "Row", "Server", "Session", "SqlError"]
