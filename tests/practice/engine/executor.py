"""The executor: all kinds of statements in one class."""
from .exec_dml import DmlExecutor
from .exec_flow import FlowExecutor
from .exec_grants import GrantExecutor
from .exec_jobs import JobExecutor
from .exec_leftovers import LeftoverExecutor
from .exec_lesser import LesserExecutor
from .exec_logins import LoginExecutor
from .exec_modules import ModuleExecutor
from .exec_objects import ObjectExecutor
from .exec_owned import OwnedExecutor
from .exec_procedures import ProcedureExecutor
from .exec_services import ServiceExecutor
from .exec_tables import TableExecutor
from .exec_transactions import TransactionExecutor
from .exec_triggers import TriggerExecutor
from .exec_users import UserExecutor
from .exec_databases import DatabaseExecutor


class Executor(FlowExecutor, TransactionExecutor, DmlExecutor, GrantExecutor, LoginExecutor, UserExecutor,
               ObjectExecutor, TableExecutor, ModuleExecutor, TriggerExecutor, ProcedureExecutor, DatabaseExecutor,
               LesserExecutor, OwnedExecutor, JobExecutor, LeftoverExecutor, ServiceExecutor):
    """One per session; holds no state but the session."""
