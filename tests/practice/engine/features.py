"""The switches of the server: departures from the product, setup, and rules.

The type of a field is the form of its argument: a bool is a switch, an int a number; the others name their form.
"""
from dataclasses import dataclass, field

# Rules of the product that are off by default while the agent fails under them. `real` switches all of them on.
# Once the agent handles a rule, it is on by default and can be switched off.
PENDING = ()


def _form(form, factory):
    return field(default_factory=factory, metadata={"form": form})


@dataclass
class Features:
    """All may change while the server runs."""
    # Departures from the product.
    error_map: dict = _form("map", dict)                # {15025: 33001}
    lowercase_databases: bool = False
    no_deny: bool = False
    no_execute_as: bool = False
    no_sql_logins: bool = False
    empty_permissions: bool = False
    no_permission_answers: bool = False                 # HAS_PERMS_BY_NAME is NULL, whatever is asked
    no_own_permissions: bool = False                    # fn_my_permissions answers a row of NULLs
    sid_length: int = 16
    no_must_change: bool = False
    no_server_roles: bool = False
    no_kill: bool = False
    no_applock: bool = False
    deadlock_on: list = _form("regex,number", list)     # [[regex, times left], ...]
    fail_on: list = _form("regex,number", list)         # [(regex, number), ...]
    lockout_threshold: int = 5
    # Possible setups of a real server.
    user_options: int = 0
    rollback_milliseconds: int = 0                      # how long an ended session takes back its work
    hidden_names: bool = False                          # DB_ID and DB_NAME are NULL for a database whose row is hidden
    database_state: dict = _form("words", dict)         # {name: word of databases.STATES}
    use_goes_on: bool = False                           # a batch goes on after a USE that failed
    replicas: str = ""                                  # names of the servers of an availability group
    distributed_group: bool = False                     # that group is in a distributed one, with group2
    contained_group: bool = False                       # this is the listener of a contained one
    listener_port: int = 0                              # what sessions are told that they came in by
    second_port: int = 0                                # the server also listens at this port
    engine_edition: int = 3                             # 8: Azure SQL Managed Instance
    password_days: int = 42                             # how old a password may be where it expires
    password_age: dict = _form("words", dict)           # {login: days since its password was set}
    bare_login_properties: bool = False                 # LOGINPROPERTY is mostly NULL without CHECK_EXPIRATION
    other_logins: dict = _form("words", dict)           # {name: type} of logins of other kinds: U G E X
    aged_days: int = 0                                  # server and objects are older by that many days
    restarted: bool = False                             # the server has just started, and its counters are empty
    query_store: dict = _form("words", dict)            # {name: ALL, AUTO, READ_ONLY or FULL}: Query Store is on
    query_store_days: int = 30                          # how long it keeps a query that does not run; 0: for ever
    sign_ins: int = 0                                   # every n-th look at the sessions meets one that is logging in
    mars: str = ""                                      # login whose sessions have three connections
    shared_memory: str = ""                             # login whose sessions came without TCP
    null_columns: str = ""                              # view.column,... that are NULL for others' rows
    spid_reuse: str = ""                                # login whose session ids are a stranger's before a KILL
    names_swap: str = ""                                # regex,A,B: before such a batch two databases exchange names
    derived_implicit: bool = False                      # texts of derived tables have the database's collation
    transaction_before: str = ""                        # regex: before such a batch its session is in a transaction
    cost_limit: int = 0                                 # a query with more joins costs too much; 0: any may run
    requests_fail: int = 0                              # the number with which sys.dm_exec_requests fails
    damaged: dict = _form("words", dict)                # {name: view}: reading it there is error 824
    foreign_dbo: str = ""                               # a database that came from a server where its owner is another
    damaged_after: str = ""                             # regex: not before such a batch
    hidden_between: dict = _form("words", dict)         # {name: user}: only the owner sees it, and no denial is there
    in_doubt: str = ""                                  # unit of work of a distributed transaction (-2)
    # Rules of every server.
    session_settings: bool = True
    catalogue_locks: bool = True
    hidden_databases: bool = True
    ownership_moves: bool = True
    collations: bool = True

    def unknown_statements(self):
        """What has no syntax here; REVERT ends what EXECUTE AS begins."""
        return ("DENY",) * self.no_deny + ("EXECUTE AS",) * self.no_execute_as
