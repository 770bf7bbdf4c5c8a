"""What a former full-access user or a DBA may have left, by T-SQL: each is planted by test_audit_leftovers.py."""

from dataclasses import dataclass

USER = "acme.jane.doe"


@dataclass
class Plant:
    """`batches` run as sa in `database`; `check` must then say `evidence`. `undo`: what no remedy takes away."""
    check: str
    batches: tuple
    evidence: str
    database: str = "AcmeTest"
    undo: tuple = ()
    shown: bool = False    # the remedy shows it: a person must judge what holds data


MALLORY = "CREATE USER [mallory] WITHOUT LOGIN"
TABLE = "ON OBJECT::dbo.Orders"
USERS = (
    Plant("orphaned-user", ("CREATE LOGIN [eve] WITH PASSWORD = N'Str0ng-enough'", "CREATE USER [eve] FOR LOGIN [eve]",
                            "DROP LOGIN [eve]"), "eve: SID 0x"),
    Plant("renamed-user", (f"ALTER USER [{USER}] WITH NAME = [innocent]",), f"maps to login {USER}"),
    Plant("renamed-user", ("CREATE LOGIN [eve] WITH PASSWORD = N'Str0ng-enough'", "CREATE USER [bob] FOR LOGIN [eve]"),
          "bob: maps to login eve", undo=("DROP LOGIN [eve]",)),
    Plant("contained-user", ("CREATE USER [eve] WITH PASSWORD = N'Str0ng-enough'",), "eve: created", "AcmeProd"),
    Plant("loginless-user", (MALLORY,), "mallory: created"),
    Plant("stale-user", (f"CREATE USER [{USER}] FOR LOGIN [{USER}]",), USER, "Elsewhere"),
    Plant("stale-user", (f"CREATE USER [{USER}] FOR LOGIN [{USER}]",), USER, "msdb"),
    Plant("stale-user", (f"CREATE USER [{USER}] FOR LOGIN [{USER}]", f"ALTER ROLE [db_owner] ADD MEMBER [{USER}]"), USER, "tempdb"),
    Plant("application-role", ("CREATE APPLICATION ROLE [backdoor] WITH PASSWORD = N'Back-Passw0rd'",), "backdoor: created"),
    Plant("certificate-user", ("CREATE CERTIFICATE [c] ENCRYPTION BY PASSWORD = N'Cert-Passw0rd' WITH SUBJECT = N'c'",
                               "CREATE USER [signer] FROM CERTIFICATE [c]"), "signer: type C"),
)
SINCE_THE_BASELINE = (
    Plant("new-principal", ("CREATE ROLE [sleepers]",), "[sleepers]: DATABASE_ROLE"),
    Plant("new-login", ("CREATE LOGIN [eve] WITH PASSWORD = N'Str0ng-enough'",), "[eve]: SQL_LOGIN"),
    Plant("new-server-member", ("CREATE LOGIN [eve] WITH PASSWORD = N'Str0ng-enough'",
                                "ALTER SERVER ROLE [sysadmin] ADD MEMBER [eve]"), "[eve] in [sysadmin]"),
    Plant("new-server-module", ("CREATE PROCEDURE dbo.sp_Helper AS SELECT 1",), "[dbo].[sp_Helper]: SQL_STORED_PROCEDURE", "master"),
    Plant("changed-server-module", ("ALTER PROCEDURE dbo.sp_Tool AS SELECT 666",), "[dbo].[sp_Tool]: SQL_STORED_PROCEDURE", "master",
          shown=True, undo=("ALTER PROCEDURE dbo.sp_Tool AS SELECT 1",)),
    Plant("new-server-permission", ("CREATE LOGIN [eve] WITH PASSWORD = N'Str0ng-enough'",
                                    "GRANT CONTROL SERVER TO [eve]"), "CONTROL SERVER TO [eve]", "master"),
    Plant("new-member", ("ALTER ROLE [db_owner] ADD MEMBER [helper]",), "[helper] in [db_owner]"),
    Plant("new-permission", (f"GRANT SELECT {TABLE} TO [helper]",), "SELECT ON OBJECT::[dbo].[Orders] TO [helper]"),
    Plant("new-permission", ("GRANT VIEW DEFINITION TO [helper]",), "VIEW DEFINITION TO [helper]"),
    Plant("new-object", ("CREATE TABLE dbo.Mine (Id int NOT NULL)",), "[dbo].[Mine]: USER_TABLE",
          undo=("DROP TABLE dbo.Mine",), shown=True),
    Plant("new-object", ("CREATE PROCEDURE dbo.Mine AS SELECT 1",), "[dbo].[Mine]: SQL_STORED_PROCEDURE"),
    Plant("new-object", ("CREATE TRIGGER dbo.Mine ON dbo.Orders AFTER INSERT AS SELECT 1",), "[dbo].[Mine]: SQL_TRIGGER"),
    Plant("new-object", ("CREATE SEQUENCE dbo.Mine AS int START WITH 1",), "[dbo].[Mine]: SEQUENCE_OBJECT"),
    Plant("new-object", ("CREATE VIEW dbo.Mine AS SELECT Id FROM dbo.Orders",), "[dbo].[Mine]: VIEW"),
    Plant("new-object", ("CREATE TYPE dbo.Mine FROM int",), "[dbo].[Mine]: TYPE"),
    Plant("new-certificate", ("CREATE CERTIFICATE [c] ENCRYPTION BY PASSWORD = N'Cert-Passw0rd' WITH SUBJECT = N'c'",),
          "[c]: CERTIFICATE"),
    Plant("changed-definition", ("ALTER PROCEDURE dbo.OrderAdd AS SELECT 666",), "[dbo].[OrderAdd]: SQL_STORED_PROCEDURE",
          undo=("DROP PROCEDURE dbo.OrderAdd", "CREATE PROCEDURE dbo.OrderAdd AS INSERT INTO dbo.Orders (Id, Customer) VALUES (99, N'Eve');",)),
    Plant("changed-definition", ("ALTER TRIGGER dbo.OldTrigger ON dbo.Orders AFTER DELETE AS SELECT 666",),
          "[dbo].[OldTrigger]: SQL_TRIGGER",
          undo=("DROP TRIGGER dbo.OldTrigger", "CREATE TRIGGER dbo.OldTrigger ON dbo.Orders AFTER DELETE AS SELECT 1;",)),
    Plant("trigger-disabled", ("DISABLE TRIGGER dbo.OldTrigger ON dbo.Orders",), "disabled",
          undo=("ENABLE TRIGGER dbo.OldTrigger ON dbo.Orders",), shown=True),
    Plant("numbered-changed", ("ALTER PROCEDURE dbo.Twice;2 AS SELECT 666",), "[dbo].[Twice];2: ",
          undo=("ALTER PROCEDURE dbo.Twice;2 AS SELECT 2",), shown=True),
    Plant("changed-table", ("CREATE UNIQUE INDEX ix ON dbo.Orders (Customer)",), "[dbo].[Orders].[ix]: ",
          undo=("DROP INDEX ix ON dbo.Orders",), shown=True),
    Plant("plan-guide", ("EXEC sp_create_plan_guide N'g', N'SELECT Id FROM dbo.Orders', N'OBJECT', N'dbo.OldImport', NULL, "
                         "N'OPTION (MAXDOP 1)'",), "g: on object_id"),
    Plant("queue-activation", ("ALTER QUEUE dbo.Inbox WITH ACTIVATION (STATUS = ON, PROCEDURE_NAME = dbo.OldImport, "
                               "MAX_QUEUE_READERS = 1, EXECUTE AS SELF)",), "[dbo].[Inbox]: runs [dbo].[OldImport] as dbo"),
    Plant("queue-activation", ("ALTER QUEUE dbo.Inbox WITH ACTIVATION (STATUS = OFF, PROCEDURE_NAME = dbo.OldImport, "
                               "MAX_QUEUE_READERS = 1, EXECUTE AS OWNER)",),
          "[dbo].[Inbox]: runs [dbo].[OldImport] as OWNER, once its activation is switched on"),
    Plant("renamed", ("EXEC sp_rename 'dbo.Customers', 'z'; EXEC sp_rename 'dbo.Suppliers', 'Customers'; "
                      "EXEC sp_rename 'dbo.z', 'Suppliers'",), "[dbo].[Customers]: object_id",
          undo=("EXEC sp_rename 'dbo.Customers', 'z'; EXEC sp_rename 'dbo.Suppliers', 'Customers'; "
                "EXEC sp_rename 'dbo.z', 'Suppliers'",), shown=True),
    Plant("changed-setting", ("EXEC sp_configure 'xp_cmdshell', 1; RECONFIGURE",), "xp_cmdshell: 1, was 0", "master",
          undo=("EXEC sp_configure 'xp_cmdshell', 0; RECONFIGURE",)),
)
RIGHTS = (
    Plant("nested-role", ("CREATE ROLE [inner]", "ALTER ROLE [db_owner] ADD MEMBER [inner]"), "inner: member of db_owner"),
    Plant("extra-role", (f"ALTER ROLE [db_owner] ADD MEMBER [{USER}]",), "role db_owner"),
    Plant("extra-role", ("ALTER ROLE [curfew_full] ADD MEMBER [helper]",), "role curfew_full"),
    Plant("server-role-member", (f"ALTER SERVER ROLE [sysadmin] ADD MEMBER [{USER}]",), "role sysadmin"),
    Plant("server-role-nested", ("ALTER SERVER ROLE [securityadmin] ADD MEMBER [curfew_logins]",), "member of securityadmin",
          "master"),
    Plant("server-permission", (f"GRANT CONTROL SERVER TO [{USER}]",), "CONTROL SERVER", "master"),
    Plant("server-permission", (f"GRANT IMPERSONATE ON LOGIN::sa TO [{USER}]",), "IMPERSONATE", "master"),
    Plant("server-grant", ("GRANT ALTER ANY LOGIN TO [public]",), "ALTER ANY LOGIN by sa", "master"),
    Plant("server-grant", ("GRANT ALTER ON ENDPOINT::[TSQL Default TCP] TO [public]",),
          "ALTER ON ENDPOINT::[TSQL Default TCP] by sa", "master"),
    Plant("server-grant", ("GRANT CONTROL SERVER TO [curfew_logins]",), "CONTROL SERVER", "master"),
    Plant("server-denial", (f"DENY CONNECT SQL TO [{USER}]",), "DENY CONNECT SQL by sa", "master"),
    Plant("server-denial", ("DENY VIEW ANY DATABASE TO [curfew_logins]",), "DENY VIEW ANY DATABASE by sa", "master"),
    Plant("server-denial", (f"DENY VIEW DEFINITION ON LOGIN::[{USER}] TO [public]",), "DENY VIEW DEFINITION ON LOGIN", "master"),
    Plant("extra-permission", (f"GRANT DELETE {TABLE} TO [{USER}]",), "DELETE on dbo.Orders"),
    Plant("extra-permission", (f"GRANT UPDATE {TABLE} (Customer) TO [{USER}]",), "UPDATE on dbo.Orders.Customer"),
    Plant("extra-permission", ("GRANT CREATE TABLE TO [curfew_full]",), "curfew_full: CREATE TABLE"),
    Plant("extra-permission", (f"GRANT SELECT {TABLE} TO [{USER}] WITH GRANT OPTION",
                               f"GRANT SELECT {TABLE} TO [helper] AS [{USER}]"), f"granted by {USER}"),
    Plant("denial-missing", ("REVOKE INSERT ON SCHEMA::dbo FROM [curfew_read_only]",), "INSERT on dbo is not denied"),
    Plant("public-grant", (f"GRANT DELETE {TABLE} TO [public]",), "DELETE: GRANT ON OBJECT::[dbo].[Orders]"),
    Plant("public-grant", ("GRANT CREATE TABLE TO [public]",), "CREATE TABLE: GRANT"),
    Plant("public-grant", ("GRANT INSERT ON SCHEMA::dbo TO [public]",), "INSERT: GRANT ON SCHEMA::[dbo]"),
    Plant("guest-connect", ("GRANT CONNECT TO [guest]",), "CONNECT: GRANT"),
    Plant("guest-elsewhere", ("GRANT CONNECT TO [guest]",), "guest: every login", "Elsewhere"),
    Plant("guest-elsewhere", ("GRANT CONTROL TO [public]",), "public: CONTROL", "tempdb"),
    Plant("guest-connect", (f"GRANT SELECT {TABLE} TO [guest]",), "SELECT: GRANT ON OBJECT::[dbo].[Orders]"),
    Plant("grant-option", (f"GRANT SELECT {TABLE} TO [helper] WITH GRANT OPTION",), "helper: SELECT ON OBJECT"),
    Plant("column-grant", (f"GRANT UPDATE {TABLE} (Customer) TO [helper]",), "helper: UPDATE on Orders.Customer"),
    Plant("strong-permission", ("GRANT IMPERSONATE ON USER::dbo TO [helper]",), "IMPERSONATE ON USER::[dbo]"),
    Plant("strong-permission", (f"GRANT CONTROL {TABLE} TO [helper]",), "CONTROL ON OBJECT::[dbo].[Orders]"),
    Plant("strong-permission", ("GRANT TAKE OWNERSHIP ON SCHEMA::dbo TO [helper]",), "TAKE OWNERSHIP ON SCHEMA::[dbo]"),
    Plant("strong-permission", ("GRANT ALTER ANY USER TO [helper]",), "helper: ALTER ANY USER"),
    Plant("strong-permission", ("GRANT ALTER ANY ROLE TO [helper]",), "helper: ALTER ANY ROLE"),
    Plant("strong-permission", ("GRANT CONTROL ON ROLE::[curfew_full] TO [helper]",), "CONTROL ON ROLE::[curfew_full]"),
    # What is hidden has no name for the agent, so the remedy finds it by its id.
    Plant("hiding-denial", ("DENY VIEW DEFINITION ON SCHEMA::dbo TO [curfew_agent]",), "curfew_agent: denied VIEW DEFINITION on SCHEMA dbo"),
    Plant("hiding-denial", (f"DENY VIEW DEFINITION {TABLE} TO [public]",), "public: denied VIEW DEFINITION on id"),
    Plant("hiding-denial", ("DENY CONTROL ON USER::[helper] TO [public]",), "public: denied CONTROL on id"),
    Plant("hiding-denial", ("CREATE ROLE [inner]; CREATE ROLE [outer]; ALTER ROLE [inner] ADD MEMBER [curfew_agent]; "
                            f"ALTER ROLE [outer] ADD MEMBER [inner]; DENY CONTROL {TABLE} TO [outer]",), "outer: denied CONTROL on id",
          undo=("ALTER ROLE [outer] DROP MEMBER [inner]; ALTER ROLE [inner] DROP MEMBER [curfew_agent]; DROP ROLE [outer]; "
                "DROP ROLE [inner]",)),
    Plant("execute-for-all", ("GRANT EXECUTE ON OBJECT::dbo.OrderAdd TO [public]",), "[dbo].[OrderAdd]: GRANT to public"),
)
OWNERSHIP = (
    Plant("owned-by-user", (f"CREATE SCHEMA [hers] AUTHORIZATION [{USER}]",), "owns the SCHEMA hers", undo=("DROP SCHEMA [hers]",)),
    Plant("owned-by-user", (f"ALTER AUTHORIZATION {TABLE} TO [{USER}]",), "owns the OBJECT Orders",
          undo=("ALTER AUTHORIZATION ON OBJECT::dbo.Orders TO SCHEMA OWNER",)),
    Plant("foreign-owner", ("ALTER AUTHORIZATION ON OBJECT::dbo.Orders TO [helper]",), "OBJECT owned by helper",
          undo=("ALTER AUTHORIZATION ON OBJECT::dbo.Orders TO SCHEMA OWNER",)),
    Plant("foreign-owner", ("CREATE SCHEMA [ours]", "ALTER AUTHORIZATION ON SCHEMA::[ours] TO [db_datareader]"),
          "SCHEMA owned by db_datareader", undo=("DROP SCHEMA [ours]",)),
    Plant("foreign-owner", ("CREATE ROLE [own] AUTHORIZATION [helper]",), "ROLE owned by helper"),
    Plant("foreign-owner", ("CREATE TYPE dbo.Mine FROM int", "ALTER AUTHORIZATION ON TYPE::dbo.Mine TO [helper]"),
          "TYPE owned by helper"),
    Plant("foreign-owner", ("CREATE CERTIFICATE [c] AUTHORIZATION [helper] ENCRYPTION BY PASSWORD = N'Cert-Passw0rd' "
                            "WITH SUBJECT = N'c'",), "CERTIFICATE owned by helper"),
    Plant("foreign-owner", ("CREATE SYMMETRIC KEY [k] AUTHORIZATION [helper] WITH ALGORITHM = AES_256 "
                            "ENCRYPTION BY PASSWORD = N'Key-Passw0rd'",), "SYMMETRIC KEY owned by helper",
          undo=("DROP SYMMETRIC KEY [k]",)),
    Plant("foreign-owner", ("CREATE XML SCHEMA COLLECTION dbo.Docs AS N'<schema/>'",
                            "ALTER AUTHORIZATION ON XML SCHEMA COLLECTION::dbo.Docs TO [helper]"),
          "XML SCHEMA COLLECTION owned by helper"),
    Plant("foreign-owner", ("CREATE ROUTE [away] AUTHORIZATION [helper] WITH ADDRESS = N'TCP://203.0.113.99:4022'",),
          "ROUTE owned by helper", undo=("DROP ROUTE [away]",)),
    Plant("strong-permission", ("CREATE SERVICE [tell] ON QUEUE dbo.Inbox", "GRANT CONTROL ON SERVICE::[tell] TO [helper]"),
          "CONTROL ON SERVICE::[tell]", undo=("DROP SERVICE [tell]",)),
    # A new owner takes it from everybody, the agent too.
    Plant("server-owner", (f"ALTER AUTHORIZATION ON ENDPOINT::[TSQL Default TCP] TO [{USER}]",
                           "GRANT CONNECT ON ENDPOINT::[TSQL Default TCP] TO [public]"),
          f"TSQL Default TCP: ENDPOINT owned by {USER}", "master",
          undo=("GRANT CONNECT ON ENDPOINT::[TSQL Default TCP] TO [public]",)),
    Plant("server-owner", (f"CREATE SERVER ROLE [hers] AUTHORIZATION [{USER}]",), f"SERVER ROLE owned by {USER}", "master",
          undo=("DROP SERVER ROLE [hers]",)),
    Plant("database-owner", (f"ALTER AUTHORIZATION ON DATABASE::Elsewhere TO [{USER}]",), f"owned by {USER}", "Elsewhere"),
)
# What runs by itself or as somebody else, and what a database allows.
WHAT_RUNS = (
    Plant("execute-as-module", ("CREATE PROCEDURE dbo.Up WITH EXECUTE AS OWNER AS DELETE FROM dbo.Orders",),
          "[dbo].[Up]: EXECUTE AS OWNER"),
    Plant("execute-as-module", ("CREATE PROCEDURE dbo.Up WITH EXECUTE AS N'dbo' AS SELECT 1",), "EXECUTE AS dbo"),
    Plant("signed-module", ("CREATE CERTIFICATE [c] ENCRYPTION BY PASSWORD = N'Cert-Passw0rd' WITH SUBJECT = N'c'",
                            "ADD SIGNATURE TO dbo.OrderAdd BY CERTIFICATE [c] WITH PASSWORD = N'Cert-Passw0rd'"),
          "[dbo].[OrderAdd]: SIGNATURE BY CERTIFICATE"),
    Plant("ddl-trigger", ("CREATE TRIGGER [trap] ON DATABASE FOR CREATE_USER AS SELECT 1",), "trap: enabled"),
    Plant("ddl-trigger", ("CREATE TRIGGER [trap] ON DATABASE FOR CREATE_USER AS SELECT 1", "DISABLE TRIGGER [trap] ON DATABASE"),
          "trap: disabled"),
    Plant("server-trigger", ("CREATE TRIGGER [trap] ON ALL SERVER FOR LOGON AS SELECT 1",), "trap: enabled", "master"),
    Plant("event-notification", ("CREATE EVENT NOTIFICATION [ear] ON DATABASE FOR CREATE_USER TO SERVICE N'//ear', "
                                 "N'current database'",), "ear: service //ear"),
    Plant("server-event-notification", ("CREATE EVENT NOTIFICATION [ear] ON SERVER FOR CREATE_LOGIN TO SERVICE N'//ear', "
                                        "N'current database'",), "ear: service //ear", "master"),
    Plant("synonym-outward", ("CREATE SYNONYM dbo.Away FOR [Elsewhere].[dbo].[T]",), "[dbo].[Away]: [Elsewhere].[dbo].[T]"),
    Plant("assembly", ("CREATE ASSEMBLY [code] FROM 0x4D5A90 WITH PERMISSION_SET = SAFE",), "code: SAFE"),
    Plant("agent-job", (f"EXEC msdb.dbo.sp_add_job @job_name = N'nightly', @owner_login_name = N'{USER}'",),
          f"nightly: owned by {USER}", "master"),
    Plant("agent-proxy", ("CREATE CREDENTIAL [cred] WITH IDENTITY = N'svc', SECRET = N'Svc-Passw0rd'",
                          "EXEC msdb.dbo.sp_add_proxy @proxy_name = N'prox', @credential_name = N'cred', @enabled = 1"),
          "prox: enabled", "master", undo=("DROP CREDENTIAL [cred]",)),
    Plant("startup-procedure", ("CREATE PROCEDURE dbo.Wake AS SELECT 1",
                                "EXEC sp_procoption @ProcName = N'Wake', @OptionName = 'startup', @OptionValue = 'on'"),
          "Wake: in master", "master", undo=("DROP PROCEDURE dbo.Wake",)),
    Plant("linked-server", ("EXEC sp_addlinkedserver @server = N'away', @srvproduct = N'', @provider = N'MSOLEDBSQL', "
                            "@datasrc = N'192.0.2.99'",), "away: 192.0.2.99", "master"),
    Plant("trustworthy", ("ALTER DATABASE [AcmeTest] SET TRUSTWORTHY ON",), "AcmeTest: is_trustworthy_on = 1", "master"),
    Plant("db-chaining", ("ALTER DATABASE [AcmeTest] SET DB_CHAINING ON",), "AcmeTest: is_db_chaining_on = 1", "master"),
)
