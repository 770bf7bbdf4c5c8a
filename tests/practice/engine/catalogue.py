"""The catalog of the server and its databases: objects, their ids, and what a new server or database contains."""
import datetime
import hashlib
import hmac
import os

from . import collations
from .owned import REGISTER
from .sqltypes import T, date_text
from .state import JDict, Objects, Rec, Register, Scope
from .utf16 import encode

FIXED_SERVER_ROLES = {3: "sysadmin", 4: "securityadmin", 5: "serveradmin", 6: "setupadmin",
                      7: "processadmin", 8: "diskadmin", 9: "dbcreator", 10: "bulkadmin"}
# Since 2022; their permissions are listed with those of the other roles.
NEWER_SERVER_ROLES = {11: "##MS_ServerStateReader##", 12: "##MS_ServerStateManager##",
                      13: "##MS_DefinitionReader##", 14: "##MS_DatabaseConnector##",
                      15: "##MS_DatabaseManager##", 16: "##MS_LoginManager##",
                      17: "##MS_SecurityDefinitionReader##", 18: "##MS_PerformanceDefinitionReader##",
                      19: "##MS_ServerPerformanceStateReader##", 20: "##MS_ServerSecurityStateReader##"}
FIXED_DATABASE_ROLES = {16384: "db_owner", 16385: "db_accessadmin", 16386: "db_securityadmin",
                        16387: "db_ddladmin", 16389: "db_backupoperator", 16390: "db_datareader",
                        16391: "db_datawriter", 16392: "db_denydatareader",
                        16393: "db_denydatawriter"}
SYSTEM_DATABASES = ("master", "tempdb", "model", "msdb")
FIRST_OBJECT = 1000000000
ENDPOINTS = {1: "Dedicated Admin Connection", 2: "TSQL Local Machine", 3: "TSQL Named Pipes", 4: "TSQL Default TCP",
             5: "TSQL Default VIA"}
DEFAULT_ENDPOINT = ENDPOINTS[4]     # where clients come in


# How much this server's clock is ahead of its host's.
CLOCK_AHEAD = datetime.timedelta()


def now_text(kind="datetime", utc=False):
    """This instant in stored form; the server's zone is UTC, as its Debian machine's is."""
    del utc
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) + CLOCK_AHEAD
    scale = 3 if kind == "datetime" else 7
    return date_text(T(kind, 0, 0, scale), now.replace(microsecond=0), now.microsecond * 10)


def older(catalogue, moment):
    """A stored instant, as many days back as the switch `aged-days` says."""
    days = catalogue.features.aged_days
    if not days:
        return moment
    before = datetime.datetime.fromisoformat(moment[:26]) - datetime.timedelta(days=days)
    return before.strftime("%Y-%m-%d %H:%M:%S.%f") + moment[26:]


def password_hash(password, salt=None):
    """The product's format since 2012: 0x0200, four bytes of salt, SHA-512 of UTF-16 and salt."""
    salt = os.urandom(4) if salt is None else salt
    return b"\x02\x00" + salt + hashlib.sha512(encode(password) + salt).digest()


def password_matches(stored, password):
    return bool(stored) and hmac.compare_digest(stored, password_hash(password, stored[2:6]))


def owner_sid_key(sid):
    return bytes(sid) if sid is not None else None


def sid_in(features, db, p):
    """The SID that a database has for a user of its own; dbo may have come with it from another server."""
    if p.id == 1 and features.foreign_dbo.casefold() == db.name.casefold():
        return b"\x02" * 16
    return p.sid


class Database(Scope):
    """One database. Plain attributes here change through `fields`, so that they can be undone."""

    def __init__(self, root, id_, name, owner_sid, collation=collations.DEFAULT, contained=False):
        super().__init__(root)
        self.id = id_
        self.fields = Rec(self, name=name, owner_sid=owner_sid, state="ONLINE", trustworthy=False,
                          chaining=name in ("master", "tempdb", "msdb"), contained=contained,
                          created=now_text(), read_only=False, auto_close=False, source=None, access="MULTI_USER",
                          recovery="FULL",
                          collation=collation, set_options=frozenset())
        self.fold = collations.folding(self.catalogue_collation)
        self.principals = Register(self)
        self.members = JDict(self)          # (role id, member id) -> True
        self.permissions = JDict(self)      # (class, major, minor) -> JDict of entries
        self.schemas = Register(self)
        self.objects = Objects(self)
        self.types = Objects(self)
        self.triggers = Register(self)      # DDL triggers
        self.notifications = Register(self)
        self.plan_guides = Register(self)
        for register in REGISTER.values():
            setattr(self, register, Register(self))
        self.xml_collections = Objects(self)
        self.signatures = JDict(self)       # (object id, thumbprint) -> kind
        self.properties = JDict(self)       # (class, major, minor, name) -> value
        self.last_id = FIRST_OBJECT
        self.name_registers()
        self._fill()

    @property
    def name(self):
        return self.fields.name

    def note(self, kind, key, function, *args):
        if kind and self.root.undo is not None:
            self.root.refuse_changes(self)
        super().note(kind, key, function, *args)

    @property
    def catalogue_collation(self):
        """Of the names in it."""
        return collations.CONTAINED if self.fields.contained else self.fields.collation

    def names_compare_anew(self):
        """Its collation or containment has changed."""
        self.fold = collations.folding(self.catalogue_collation)
        for register in self.__dict__.values():
            if isinstance(register, Register):
                register.rekey()

    @property
    def is_system(self):
        return self.id <= 4

    def next_object_id(self):
        """The next of an int; it begins again from below, as the product's do, and comes to every number once."""
        self.last_id = (self.last_id + 16000057) % 2147483647
        return self.last_id if self.last_id > 100 else self.next_object_id()

    def next_id(self, register, first=5, limit=16384):
        return max([i for i in register.by_id if i < limit] + [first - 1]) + 1

    def principal(self, id_, name, type_, sid, owner=None, schema=None, fixed=False, auth=0):
        now = now_text()
        return self.principals.add(Rec(
            self, id=id_, name=name, type=type_, sid=sid, owner=owner, default_schema=schema,
            fixed=fixed, created=now, modified=now, auth=auth, hash=None))

    def _fill(self):
        user = self.principal
        user(0, "public", "R", b"\x01\x05\0\0\0\0\0\x09\x04" + bytes(19), 1)
        user(1, "dbo", "S", self.fields.owner_sid, None, "dbo", auth=1)
        user(2, "guest", "S", b"\0", None, "guest")
        user(3, "INFORMATION_SCHEMA", "S", None)
        user(4, "sys", "S", None)
        for id_, name in FIXED_DATABASE_ROLES.items():
            user(id_, name, "R", b"\x01\x05\0\0\0\0\0\x09\x04" + bytes(15) + id_.to_bytes(4, "little"),
                 1, fixed=True)
        for id_, name, owner in [(1, "dbo", 1), (2, "guest", 2), (3, "INFORMATION_SCHEMA", 3),
                                 (4, "sys", 4)] + [(i, nm, i) for i, nm in
                                                   FIXED_DATABASE_ROLES.items()]:
            self.schemas.add(Rec(self, id=id_, name=name, owner=owner))
        self.entry("DATABASE", 0, 0)[(1, "CONNECT", 1)] = "G"
        if self.name in ("master", "tempdb", "msdb"):
            self.entry("DATABASE", 0, 0)[(2, "CONNECT", 1)] = "G"
        for p in ("VIEW ANY COLUMN MASTER KEY DEFINITION", "VIEW ANY COLUMN ENCRYPTION KEY DEFINITION"):
            self.entry("DATABASE", 0, 0)[(0, p, 1)] = "G"

    def entry(self, cls, major, minor=0):
        """The permission entries of one securable: {(grantee, permission, grantor): G, W or D}."""
        key = (cls, major, minor)
        found = self.permissions.get(key)
        if found is None:
            found = self.permissions[key] = JDict(self, "permissions", (cls, major))
        return found

    def forget_permissions(self, cls, major):
        """All entries on a securable that goes away or changes hands, its columns included."""
        for key in [k for k in self.permissions if k[0] == cls and k[1] == major]:
            del self.permissions[key]

    def owner_of(self, obj):
        """The principal who owns an object: its own owner, else its schema's."""
        if getattr(obj, "owner", None) is not None:
            return obj.owner
        schema = self.schemas.get(obj.schema_id)
        return schema.owner if schema else 1

    def user_of_sid(self, sid):
        for p in self.principals:
            if p.type in "SEUG" and p.sid is not None and bytes(p.sid) == bytes(sid) and p.id > 4:
                return p
        return None

    def columns(self, obj):
        return [c for c in sorted(obj.columns.values(), key=lambda c: c.id)]

    def column(self, obj, name):
        key = self.fold(name)
        for c in obj.columns.values():
            if self.fold(c.name) == key:
                return c
        return None


class ServerCatalogue(Scope):
    """Logins, server roles, databases and the rest of what the server itself keeps."""

    def __init__(self, root, name, sa_password, features, collation=collations.DEFAULT,
                 major_version=16):
        super().__init__(root)
        self.collation, self.fold = collation, collations.folding(collation)
        self.name, self.features = name, features
        self.principals = Register(self)
        self.members = JDict(self)
        self.permissions = JDict(self)
        self.databases = Register(self)
        self.triggers = Register(self)
        self.notifications = Register(self)
        self.servers = Register(self)
        self.linked_logins = JDict(self)
        self.credentials = Register(self)
        self.configurations = JDict(self)
        self.jobs = JDict(self)
        self.proxies = JDict(self)
        self.proxy_logins = JDict(self)     # (proxy, SID) -> True
        self.schedules = JDict(self)
        self.alerts = JDict(self)
        self.endpoints = Register(self)
        self.group_owners = JDict(self)     # name of an availability group -> SID, where it is not sa
        self.restores = JDict(self)         # id -> (when, database, login, whether over another)
        self.started = now_text()
        self.name_registers()
        self.add_login(1, "sa", b"\x01", password_hash(sa_password))
        self.server_role(2, "public", 1)
        newer = NEWER_SERVER_ROLES if major_version >= 16 else {}
        for id_, role in {**FIXED_SERVER_ROLES, **newer}.items():
            self.server_role(id_, role, 1)
        self.members[(3, 1)] = True
        self.entry("SERVER", 0)[(1, "CONNECT SQL", 1)] = "G"
        self.entry("SERVER", 0)[(2, "VIEW ANY DATABASE", 1)] = "G"
        for id_, endpoint in ENDPOINTS.items():
            self.endpoints.add(Rec(self, id=id_, name=endpoint, owner=1, state="STARTED", port=0))
            if id_ > 1:
                self.entry("ENDPOINT", id_)[(2, "CONNECT", 1)] = "G"
        for id_, db in enumerate(SYSTEM_DATABASES, 1):
            self.databases.add(Database(root, id_, db, b"\x01", collation))
        self.servers.add(Rec(self, id=0, name=name, product="SQL Server", provider="SQLNCLI",
                             source=name, linked=False, modified=now_text()))
        for key, row in {101: ("recovery interval (min)", 0), 117: ("nested triggers", 1),
                         102: ("allow updates", 0), 103: ("user connections", 0),
                         400: ("cross db ownership chaining", 0), 518: ("show advanced options", 0),
                         1534: ("user options", 0),
                         1547: ("scan for startup procs", 0), 1562: ("clr enabled", 0),
                         16387: ("SMO and DMO XPs", 1), 16384: ("Agent XPs", 1),
                         16388: ("Ole Automation Procedures", 0), 16390: ("xp_cmdshell", 0),
                         16391: ("Ad Hoc Distributed Queries", 0), 16393: ("contained database "
                         "authentication", 0), 1587: ("clr strict security", 1)}.items():
            self.configurations[key] = Rec(self, name=row[0], value=row[1], in_use=row[1])

    def entry(self, cls, major, minor=0):
        key = (cls, major, minor)
        found = self.permissions.get(key)
        if found is None:
            found = self.permissions[key] = JDict(self, "permissions", (cls, major))
        return found

    forget_permissions = Database.forget_permissions

    def add_login(self, id_, name, sid, hash_, **fields):
        now = now_text()
        values = dict(id=id_, name=name, type="S", sid=sid, hash=hash_, disabled=False, created=now,
                      modified=now, default_database="master", language="us_english", policy=True,
                      expiration=False, must_change=False, bad_count=0, locked=False,
                      bad_time="1900-01-01 00:00:00.0000000",
                      password_set=now, owner=None, fixed=False)
        values.update(fields)
        return self.principals.add(Rec(self, **values))

    def server_role(self, id_, name, owner):
        now = now_text()
        return self.principals.add(Rec(
            self, id=id_, name=name, type="R", sid=id_.to_bytes(1, "little") if id_ < 256 else
            b"\x01\x05\0\0\0\0\0\x09\x03" + os.urandom(19), disabled=False, created=now, modified=now,
            owner=owner, fixed=2 < id_ < 21))

    def next_principal_id(self):
        return max(list(self.principals.by_id) + [256]) + 1

    def login_of_sid(self, sid):
        for p in self.principals:
            if p.type == "S" and sid is not None and bytes(p.sid) == bytes(sid):
                return p
        return None

    def other_sid(self, name):
        """Of a login of another kind than SQL Server's own; None: there is none of that name."""
        return b"\x01\x05" + name.encode("utf-16-le") if name in self.features.other_logins else None

    def new_sid(self):
        length = max(int(self.features.sid_length), 1)
        return os.urandom(length)

    def shown(self, name):
        """A database's name as clients see it."""
        return name.lower() if self.features.lowercase_databases else name
