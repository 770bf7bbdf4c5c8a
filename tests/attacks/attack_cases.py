"""The table of attacks: what lies there before, what a client's user does, and what must have come of it."""

from dataclasses import dataclass, field

QUEUE = ("CREATE QUEUE dbo.Inbox", "CREATE PROCEDURE dbo.Reader AS SELECT 1")


@dataclass
class Case:
    """{db} and {user} stand for the case's own. `before`: as sa, of what lies there. `attack`: the user's batches;
    `refused`: numbers, any of which the server must answer the last of them with. `worked`: (query, rows) that show, before
    go-live, that the attack is one. `stays`: her session is still open at go-live. `golive` and `removed` are further
    (query, rows), as sa in the database. `finds`: (check, least severity, in evidence)."""
    number: str
    title: str
    before: tuple = ()
    given: tuple = ()           # as sa in the database, once she has access
    attack: tuple = ()
    refused: tuple = ()
    worked: tuple = ()
    stays: bool = False
    server: tuple = ()          # as sa, on the server, after the attack
    golive: tuple = ()
    login: str = "enabled"      # at go-live: enabled, disabled or any
    role: bool = True           # read-only at go-live; else no user must be left with anything
    finds: tuple = ()
    removed: tuple = ()
    gone: bool = True           # at the end the login is
    user_stays: bool = False    # at the end a user without login and rights may be left
    person: object = field(default=None, repr=False)

    @property
    def client(self):
        return "c" + self.number

    @property
    def user(self):
        return f"{self.client}.jane.doe"

    @property
    def db(self):
        return "Case" + self.number

    def text(self, text):
        return text.replace("{user}", self.user).replace("{db}", self.db)


OWN_MODULE = ("CREATE PROCEDURE dbo.Helper AS SELECT 1",
              "CREATE PROCEDURE dbo.Nightly WITH EXECUTE AS OWNER AS EXEC dbo.Helper")
IN_OWNER = ("SELECT r.name FROM sys.database_role_members AS m JOIN sys.database_principals AS r ON r.principal_id = "
            "m.role_principal_id JOIN sys.database_principals AS u ON u.principal_id = m.member_principal_id "
            "WHERE u.name = N'{user}' AND r.name = N'db_owner'")
BOSS = "CREATE ROLE [boss]; ALTER ROLE [db_owner] ADD MEMBER [boss]; GRANT TAKE OWNERSHIP ON ROLE::[boss] TO [public]"
DENIED = ("SELECT p.state_desc, USER_NAME(p.grantor_principal_id) FROM sys.database_permissions AS p WHERE p.class = 1 AND "
          "p.grantee_principal_id = USER_ID(N'helper')")
HERS = ("SELECT name FROM sys.server_principals WHERE name LIKE N'hers[01]%'", [])
RENAMED = ("SELECT name FROM sys.server_principals WHERE name LIKE N'inno%'", [])
CASES = (
    Case("01", "the body of a procedure", attack=("ALTER PROCEDURE dbo.OrderAdd AS SELECT 666",),
         finds=(("changed-definition", "high", "[dbo].[OrderAdd]"),)),
    Case("02", "a module that runs as its owner calls what she may change", before=OWN_MODULE,
         attack=("ALTER PROCEDURE dbo.Helper AS EXEC (N'ALTER ROLE [db_owner] ADD MEMBER [{user}]')", "EXEC dbo.Nightly"),
         worked=((IN_OWNER, [["db_owner"]]),), golive=((IN_OWNER, []),),
         finds=(("execute-as-module", "high", "[dbo].[Nightly]"), ("changed-definition", "high", "[dbo].[Helper]"),
                ("execute-as-closure", "critical", "[dbo].[Nightly] uses other objects"))),
    Case("03", "from there, CONTROL for everybody", before=OWN_MODULE,
         attack=("ALTER PROCEDURE dbo.Helper AS EXEC (N'GRANT CONTROL TO [public]')", "EXEC dbo.Nightly"),
         login="disabled", role=False, finds=(("public-grant", "critical", "CONTROL"),)),
    Case("03b", "from there, for everybody what no list of ours names", before=OWN_MODULE,
         attack=("ALTER PROCEDURE dbo.Helper AS EXEC (N'GRANT ALTER ANY SECURITY POLICY TO [public]')", "EXEC dbo.Nightly"),
         login="disabled", finds=(("effective-permission", "critical", "ALTER ANY SECURITY POLICY on DATABASE"),)),
    Case("03c", "from there, for everybody a role that is more than theirs", before=OWN_MODULE,
         attack=(f"ALTER PROCEDURE dbo.Helper AS EXEC (N'{BOSS}')", "EXEC dbo.Nightly"),
         login="disabled", finds=(("effective-permission", "critical", "TAKE OWNERSHIP on ROLE boss"),)),
    *(Case("03" + letter, f"the same, and {what} is hidden from everybody", before=OWN_MODULE,
           attack=(f"ALTER PROCEDURE dbo.Helper AS EXEC (N'{given}; DENY VIEW DEFINITION {hidden} TO [public]')", "EXEC dbo.Nightly"),
           login="disabled", role=role)
      for letter, what, given, hidden, role in (
          ("d", "the role", BOSS, "ON ROLE::[boss]", True),
          ("e", "a user", "CREATE USER [boss] WITHOUT LOGIN; ALTER ROLE [db_owner] ADD MEMBER [boss]; "
           "GRANT IMPERSONATE ON USER::[boss] TO [public]", "ON USER::[boss]", True),
          ("f", "an object", "GRANT CONTROL ON OBJECT::dbo.Orders TO [public]", "ON OBJECT::dbo.Orders", False),
          ("g", "a schema", "GRANT CONTROL ON SCHEMA::dbo TO [public]", "ON SCHEMA::dbo", False))),
    Case("04", "EXECUTE AS OWNER of her own", attack=("ALTER PROCEDURE dbo.OrderAdd WITH EXECUTE AS OWNER AS SELECT 1",),
         refused=(15151, 15517, 229, 15247),
         golive=(("SELECT COUNT(*) FROM sys.sql_modules WHERE execute_as_principal_id IS NOT NULL", [[0]]),)),
    Case("05", "EXECUTE AS SELF", attack=("ALTER PROCEDURE dbo.OrderAdd WITH EXECUTE AS SELF AS DELETE FROM dbo.Orders",),
         finds=(("execute-as-module", "high", "EXECUTE AS {user}"),), user_stays=True),
    Case("06", "a trigger on a table", attack=("CREATE TRIGGER dbo.Trojan ON dbo.Orders AFTER INSERT AS SELECT 1",),
         finds=(("new-object", "high", "[dbo].[Trojan]"),),
         removed=(("SELECT name FROM sys.triggers", [["Trojan"]]),)),
    Case("07", "a trigger in the place of a view", before=("CREATE VIEW dbo.Names AS SELECT Customer FROM dbo.Orders",),
         attack=("CREATE TRIGGER dbo.Trojan ON dbo.Names INSTEAD OF INSERT AS SELECT 1",),
         finds=(("new-object", "high", "[dbo].[Trojan]"),)),
    Case("08", "an audit trigger switched off", before=("CREATE TRIGGER dbo.Audit ON dbo.Orders AFTER DELETE AS SELECT 1",),
         attack=("DISABLE TRIGGER ALL ON dbo.Orders",), worked=(("SELECT is_disabled FROM sys.triggers", [[1]]),),
         finds=(("trigger-disabled", "high", "[dbo].[Audit]"),)),
    Case("09", "a trigger on what a reviewed DDL trigger writes",
         given=("CREATE TABLE dbo.DdlLog (Id int)",
                "CREATE TRIGGER [audit09] ON DATABASE FOR DDL_DATABASE_LEVEL_EVENTS AS INSERT INTO dbo.DdlLog VALUES (1)"),
         attack=("CREATE TRIGGER dbo.Trojan ON dbo.DdlLog AFTER INSERT AS "
                 "IF SUSER_SNAME() = N'curfew_agent' EXEC (N'CREATE LOGIN [hers09] WITH PASSWORD = N''Hers-Passw0rd-9''')",),
         golive=(HERS,), removed=(HERS,), login="disabled", role=False, gone=False,
         finds=(("ddl-closure", "critical", "audit09: it uses other objects"), ("new-object", "high", "[dbo].[Trojan]"))),
    Case("10", "a procedure that a reviewed DDL trigger calls",
         given=("CREATE PROCEDURE dbo.Notify AS SELECT 1",
                "CREATE TRIGGER [audit10] ON DATABASE FOR DDL_DATABASE_LEVEL_EVENTS AS EXEC dbo.Notify"),
         attack=("ALTER PROCEDURE dbo.Notify AS IF SUSER_SNAME() = N'curfew_agent' "
                 "EXEC (N'CREATE LOGIN [hers10] WITH PASSWORD = N''Hers-Passw0rd-9''')",),
         golive=(HERS,), removed=(HERS,), login="disabled", role=False, gone=False,
         finds=(("ddl-closure", "critical", "audit10: it runs procedures"),)),
    Case("11", "a reviewed DDL trigger with another text under its name",
         before=("CREATE TRIGGER [audit11] ON DATABASE FOR DROP_TABLE AS PRINT N'dropped'",), attack=("SELECT 1",),
         server=("USE [{db}]; EXEC (N'ALTER TRIGGER [audit11] ON DATABASE FOR DDL_DATABASE_LEVEL_EVENTS AS "
                 "IF SUSER_SNAME() = N''curfew_agent'' CREATE LOGIN [hers11] WITH PASSWORD = N''Hers-Passw0rd-9''')",),
         golive=(HERS,), removed=(HERS,), login="disabled", role=False, gone=False,
         finds=(("ddl-trigger-changed", "high", "[audit11]"), ("ddl-trigger", "high", "audit11: enabled"))),
    Case("12", "a queue that runs a procedure as her", before=QUEUE,
         attack=("ALTER QUEUE dbo.Inbox WITH ACTIVATION (STATUS = ON, PROCEDURE_NAME = dbo.Reader, "
                 "MAX_QUEUE_READERS = 1, EXECUTE AS SELF)",),
         finds=(("queue-activation", "high", "[dbo].[Inbox]"), ("changed-queue", "high", "[dbo].[Inbox]")), user_stays=True),
    Case("14", "a numbered procedure", before=("CREATE PROCEDURE dbo.Twice AS SELECT 1", "CREATE PROCEDURE dbo.Twice;2 AS SELECT 2"),
         attack=("ALTER PROCEDURE dbo.Twice;2 AS SELECT 666",), finds=(("numbered-changed", "high", "[dbo].[Twice];2"),)),
    Case("15", "a plan guide", attack=("EXEC sp_create_plan_guide N'g', N'SELECT Id FROM dbo.Orders', N'OBJECT', "
                                       "N'dbo.OldImport', NULL, N'OPTION (MAXDOP 1)'",), finds=(("plan-guide", "medium", "g: "),)),
    Case("16", "a computed column over a function",
         before=("CREATE FUNCTION dbo.Rate (@id int) RETURNS int AS BEGIN RETURN 1 END",),
         attack=("ALTER TABLE dbo.Orders ADD Rate AS (dbo.Rate(Id))",), refused=(229,)),
    Case("17", "the predicate of a policy",
         before=("CREATE FUNCTION dbo.Mine (@c nvarchar(50)) RETURNS TABLE AS RETURN SELECT 1 AS ok WHERE @c = N'Ada'",
                 "CREATE SECURITY POLICY dbo.Rows ADD FILTER PREDICATE dbo.Mine(Customer) ON dbo.Orders WITH (STATE = ON, "
                 "SCHEMABINDING = OFF)"),
         attack=("ALTER FUNCTION dbo.Mine (@c nvarchar(50)) RETURNS TABLE AS RETURN SELECT 1 AS ok",),
         finds=(("changed-definition", "high", "[dbo].[Mine]"), ("policy-unbound", "high", "[dbo].[Rows]"))),
    Case("18", "two tables with each other's names", before=("CREATE TABLE dbo.Prices (Id int)", "CREATE TABLE dbo.OldPrices (Id int)"),
         attack=("EXEC sp_rename 'dbo.Prices', 'z'", "EXEC sp_rename 'dbo.OldPrices', 'Prices'",
                 "EXEC sp_rename 'dbo.z', 'OldPrices'"),
         finds=(("renamed", "medium", "[dbo].[Prices]"), ("renamed", "medium", "[dbo].[OldPrices]"))),
    Case("19", "a name that would be a statement", before=("CREATE TABLE dbo.Prices (Id int)",),
         attack=("DECLARE @n nvarchar(128) = N'x]; DROP TABLE dbo.Orders --' + NCHAR(10) + N'y'; EXEC sp_rename 'dbo.Prices', @n",),
         golive=(("SELECT COUNT(*) FROM sys.tables WHERE name = N'Orders'", [[1]]),),
         finds=(("new-object", "high", "x]]; DROP TABLE"), ("missing", "medium", "[dbo].[Prices]"))),
    Case("20", "a name with half of a character", before=("CREATE TABLE dbo.Prices (Id int)",),
         attack=("DECLARE @n nvarchar(128) = N'x' + CAST(0x00D8 AS nchar(1)); EXEC sp_rename 'dbo.Prices', @n",),
         finds=(("name-unreadable", "medium", "780000D8"),)),
    Case("21", "a unique index", attack=("CREATE UNIQUE INDEX ix ON dbo.Orders (Customer)",),
         finds=(("changed-table", "medium", "[dbo].[Orders].[ix]"),)),
    Case("22", "an index switched off", before=("CREATE INDEX ix ON dbo.Orders (Customer)",),
         attack=("ALTER INDEX ix ON dbo.Orders DISABLE",), worked=(("SELECT is_disabled FROM sys.indexes WHERE name = N'ix'", [[1]]),),
         finds=(("index-disabled", "high", "[dbo].[Orders].[ix]"),)),
    Case("23", "a table dropped", before=("CREATE TABLE dbo.Prices (Id int)",), attack=("DROP TABLE dbo.Prices",),
         worked=(("SELECT COUNT(*) FROM sys.tables WHERE name = N'Prices'", [[0]]),),
         finds=(("missing", "medium", "[dbo].[Prices]"),)),
    Case("24a", "a table into another schema", before=("CREATE SCHEMA side",),
         attack=("ALTER SCHEMA side TRANSFER dbo.Orders",), refused=(15151, 229, 2760, 15247)),
    Case("24b", "a table of her own", attack=("ALTER AUTHORIZATION ON OBJECT::dbo.Orders TO [{user}]",), refused=(15151, 229, 15247)),
    Case("24c", "a grant to others", attack=("GRANT SELECT ON OBJECT::dbo.Orders TO [public]",), refused=(15151, 229, 4613, 15247)),
    Case("25", "an open transaction as a wall", attack=("BEGIN TRANSACTION; ALTER TABLE dbo.Orders ADD x int NULL",), stays=True,
         golive=(("SELECT COUNT(*) FROM sys.columns WHERE name = N'x'", [[0]]),)),
    Case("27", "three connections in one, and no address", attack=("SELECT 1",), stays=True),
    Case("30", "an application role, whose password she knows", given=("CREATE APPLICATION ROLE [app] WITH PASSWORD = N'App-Passw0rd-7'",),
         attack=("EXEC sp_setapprole N'app', N'App-Passw0rd-7'",), stays=True, finds=(("application-role", "high", "app"),)),
    Case("30b", "an application role, whose password everybody may set",
         given=("CREATE APPLICATION ROLE [app] WITH PASSWORD = N'App-Passw0rd-7'", "GRANT ALTER ON APPLICATION ROLE::[app] TO [public]"),
         attack=("SELECT 1",), login="disabled", finds=(("effective-permission", "critical", "ALTER on APPLICATION ROLE"),)),
    Case("31", "a session as another, for good", given=("CREATE USER [other] WITHOUT LOGIN", "GRANT IMPERSONATE ON USER::[other] TO [{user}]"),
         attack=("EXECUTE AS USER = N'other' WITH NO REVERT",), stays=True,
         worked=(("SELECT COUNT(*) FROM sys.dm_exec_sessions WHERE original_login_name = N'{user}' AND "
                  "security_id <> original_security_id", [[1]]),), finds=(("loginless-user", "medium", "other"),)),
    Case("32", "the login renamed while she is connected", attack=("SELECT 1",), stays=True,
         server=("ALTER LOGIN [{user}] WITH NAME = [inno]]cent]",),
         golive=(("SELECT COUNT(*) FROM sys.dm_exec_sessions WHERE original_login_name IN (N'{user}', N'inno]cent')", [[0]]),
                 RENAMED), removed=(RENAMED,)),
    Case("32b", "the login renamed, and so strong that nobody but a DBA can drop it", attack=("SELECT 1",), stays=True,
         server=("ALTER LOGIN [{user}] WITH NAME = [strong]", "ALTER SERVER ROLE [sysadmin] ADD MEMBER [strong]"), login="any",
         role=False, golive=(("SELECT COUNT(*) FROM sys.dm_exec_sessions WHERE original_login_name IN (N'{user}', N'strong')", [[0]]),)),
    Case("34", "Curfew's lock, held", attack=("USE master", "EXEC sp_getapplock @Resource = N'curfew', @LockMode = N'Exclusive', "
                                            "@LockOwner = N'Session'"), stays=True),
    Case("39", "made sysadmin by a DBA", server=("ALTER SERVER ROLE [sysadmin] ADD MEMBER [{user}]",), login="any", role=False,
         finds=(("server-role-member", "critical", "sysadmin"),), gone=False),
    Case("40", "a right on the server by sa", server=("GRANT ALTER ANY LOGIN TO [{user}]",), login="any", role=False,
         finds=(("server-permission", "critical", "ALTER ANY LOGIN"),)),
    Case("41", "a schema of hers with objects that others hold grants on",
         given=("CREATE USER [helper] WITHOUT LOGIN", "CREATE SCHEMA [hers] AUTHORIZATION [{user}]",
                 "CREATE TABLE hers.T (Id int)", "GRANT SELECT ON OBJECT::hers.T TO [helper] AS [dbo]"), attack=("SELECT 1",),
         golive=(("SELECT USER_NAME(principal_id) FROM sys.schemas WHERE name = N'hers'", [["dbo"]]),
                 ("SELECT p.permission_name FROM sys.database_permissions AS p WHERE p.class = 1 AND "
                  "p.grantee_principal_id = USER_ID(N'helper')", [["SELECT"]]))),
    Case("42", "a denial that came with her grant option",
         given=("CREATE USER [helper] WITHOUT LOGIN", "GRANT SELECT ON OBJECT::dbo.Orders TO [{user}] WITH GRANT OPTION"),
         attack=("DENY SELECT ON OBJECT::dbo.Orders TO [helper]",), worked=((DENIED, [["DENY", "{user}"]]),),
         golive=((DENIED, [["DENY", "dbo"]]),), removed=((DENIED, [["DENY", "dbo"]]),)),
    Case("43", "a grant on a table with a column taken out", given=("GRANT SELECT ON OBJECT::dbo.Orders TO [{user}]",
                                                                  "REVOKE SELECT ON OBJECT::dbo.Orders (Customer) FROM [{user}]"),
         attack=("SELECT Id FROM dbo.Orders",),
         golive=(("SELECT COUNT(*) FROM sys.database_permissions WHERE class = 1 AND "
                  "grantee_principal_id = USER_ID(N'{user}')", [[0]]),)),
    Case("44", "the database offline at the instant", attack=("SELECT 1",), server=("ALTER DATABASE [{db}] SET OFFLINE WITH ROLLBACK IMMEDIATE",),
         role=False, login="disabled", gone=False),
    Case("51", "chains into other databases of one owner", before=("ALTER DATABASE [{db}] SET DB_CHAINING ON",),
         finds=(("db-chaining", "medium", "{db}"), ("shared-owner", "critical", "databases of the same owner"))),
    Case("52", "TRUSTWORTHY, owned by a sysadmin", server=("ALTER DATABASE [{db}] SET TRUSTWORTHY ON",),
         finds=(("trustworthy", "critical", "{db}"),)),
    Case("54", "a restore from before go-live", attack=("ALTER PROCEDURE dbo.OrderAdd AS SELECT 666",),
         server=("BACKUP DATABASE [{db}] TO DISK = N'{db}.bak'", "RESTORE DATABASE [{db}] FROM DISK = N'{db}.bak' WITH REPLACE"),
         finds=(("changed-definition", "high", "[dbo].[OrderAdd]"), ("restored", "high", "restored by sa"))),
    Case("55", "a trigger that answers with rows like the server's own",
         given=("CREATE TRIGGER [shaped] ON DATABASE FOR DDL_DATABASE_LEVEL_EVENTS AS SELECT N'end' AS [part], DB_ID(), 1",),
         attack=("SELECT 1",), login="disabled", role=False, gone=False, finds=(("ddl-trigger", "high", "shaped: enabled"),)),
)
