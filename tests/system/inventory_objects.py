"""A product's objects and custom ones of every kind, for the tests of the inventory."""

HOSTILE = "=cmd|' /C calc'!A0"
PRODUCT = """
CREATE TABLE dbo.Invoices (Id int NOT NULL, Customer nvarchar(100))
GO
CREATE TABLE dbo.Parties (Id int NOT NULL CONSTRAINT pk_Parties PRIMARY KEY)
GO
CREATE PROCEDURE dbo.InvoiceAdd AS INSERT INTO dbo.Invoices (Id, Customer) VALUES (1, N'x')
GO
CREATE PROCEDURE dbo.InvoiceShow AS SELECT Id FROM dbo.Invoices
GO
CREATE VIEW dbo.InvoiceList AS SELECT Id FROM dbo.Invoices
"""
CUSTOM = """
ALTER PROCEDURE dbo.InvoiceShow AS SELECT Id, Customer FROM dbo.Invoices
GO
ALTER TABLE dbo.Invoices ADD Note nvarchar(40) NULL
GO
CREATE TABLE dbo.Used (Id int)
GO
CREATE TABLE dbo.Unused (Id int)
GO
CREATE TABLE dbo.Shown (Id int)
GO
CREATE VIEW dbo.Shows AS SELECT Id FROM dbo.Shown
GO
CREATE PROCEDURE dbo.Busy AS SELECT Id FROM dbo.Used
GO
CREATE PROCEDURE dbo.Idle AS SELECT 1
GO
CREATE PROCEDURE dbo.Caller AS EXEC dbo.Idle2
GO
CREATE PROCEDURE dbo.Dynamic AS EXEC (N'SELECT 1')
GO
CREATE PROCEDURE dbo.Scheduled AS SELECT 1
GO
CREATE PROCEDURE dbo.Writer AS INSERT INTO dbo.Invoices (Id, Customer) VALUES (2, N'y')
GO
CREATE PROCEDURE dbo.Mailer AS EXEC msdb.dbo.sp_send_dbmail @profile_name = N'x'
GO
CREATE PROCEDURE dbo.Ping AS EXEC dbo.Pong
GO
CREATE PROCEDURE dbo.Pong AS EXEC dbo.Ping
GO
CREATE TRIGGER dbo.InvoiceCopy ON dbo.Invoices AFTER INSERT AS SELECT 1
GO
CREATE SYNONYM dbo.Far FOR Elsewhere.dbo.Thing
GO
CREATE SEQUENCE dbo.Numbers AS int START WITH 1
GO
CREATE TYPE dbo.Short FROM nvarchar(10)
GO
CREATE PROCEDURE dbo.[=cmd|' /C calc'!A0] AS SELECT 1
GO
CREATE TABLE dbo.[<b>Bobby</b>] (Id int)
"""
# SQL Server refuses to drop these columns, and these tables, before what depends on them.
DEPENDENT = """
ALTER TABLE dbo.Parties ADD Code int CONSTRAINT uq_Code UNIQUE
GO
ALTER TABLE dbo.Parties ADD Price int DEFAULT 7
GO
ALTER TABLE dbo.Parties ADD Half int CONSTRAINT ck_Half CHECK (Half > 0)
GO
ALTER TABLE dbo.Parties ADD CONSTRAINT ck_Both CHECK (Price > Half)
GO
CREATE INDEX ix_Price ON dbo.Parties (Price, Half)
GO
CREATE TABLE dbo.Other (Code int CONSTRAINT fk_Code REFERENCES dbo.Parties (Code))
GO
CREATE TABLE dbo.First (Id int NOT NULL PRIMARY KEY, Next int)
GO
CREATE TABLE dbo.Second (Id int NOT NULL PRIMARY KEY CONSTRAINT fk_Second REFERENCES dbo.First (Id))
GO
ALTER TABLE dbo.First ADD CONSTRAINT fk_First FOREIGN KEY (Next) REFERENCES dbo.Second (Id)
"""
MORE = "\nGO\n".join(f"CREATE PROCEDURE dbo.Report{n:03} AS SELECT {n}" for n in range(90))
# Of an old server: what it counted says something.
OLD = {"aged-days": "100", "query-store": "AcmeTest:ALL", "query-store-days": "0"}


def job_add(server, name, database, command):
    server.sql(f"EXEC msdb.dbo.sp_add_job @job_name = N'{name}'; EXEC msdb.dbo.sp_add_jobstep @job_name = N'{name}', "
               f"@step_name = N's', @subsystem = N'TSQL', @command = N'{command}', @database_name = N'{database}'")


def named(report, name):
    """The one object of that name in an inventory's report."""
    found = [o for o in report["objects"] if o["name"] == name]
    assert len(found) == 1, (name, found)
    return found[0]
