#!/usr/bin/python3
"""What a program in Python does: each check is one line, `ok - NAME` or `not ok - NAME`.

The connection comes as JSON on standard input, because it holds passwords.
"""

import contextlib
import datetime
import decimal
import json
import sys
import traceback
import uuid
import warnings

import pytds

warnings.simplefilter("ignore", DeprecationWarning)
given = json.load(sys.stdin)
host, port = given["server"].split(",")
failed = 0


def opened(password=None, **more):
    return contextlib.closing(pytds.connect(**{
        "dsn": host, "port": int(port), "user": given["user"], "password": password or given["new_password"],
        "database": given["database"], "cafile": given["ca"], "validate_host": False, "autocommit": True,
        "login_timeout": 30, "timeout": 30, "disable_connect_retry": True, **more}))


def check(name, part="own"):
    def run(body):
        global failed
        if part != sys.argv[1]:
            return
        try:
            body()
            print(f"ok - {name}", flush=True)
        except Exception:
            failed += 1
            print(f"not ok - {name}")
            print("".join(f"# {line}\n" for line in traceback.format_exc().splitlines()), flush=True)
    return run


def equal(wanted, found):
    assert wanted == found, f"wanted {wanted!r}, found {found!r}"


def refused(work, number=None, words=""):
    try:
        work()
    except Exception as error:
        if number:
            equal(number, getattr(error, "number", None))
        assert words.lower() in str(error).lower(), error
        return
    raise AssertionError("was not refused")


def one(connection, text, *values):
    with connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchone()[0]


def run(connection, text):
    with connection.cursor() as cursor:
        cursor.execute(text)


def enter(password=None, **more):
    with opened(password, **more):
        pass


@check("a certificate is refused: untrusted", "untrusted")
def _untrusted():
    refused(lambda: enter(given["password"]), words="certificate")


@check("a certificate is refused: misnamed", "misnamed")
def _misnamed():
    refused(lambda: enter(given["password"], validate_host=True), words="certificate")


@check("the one-time password is refused", "first")
def _one_time():
    refused(lambda: enter(given["password"]), words="password of the account must be changed")


@check("the person's own password lets her in")
def _own():
    with opened() as c:
        equal(given["user"], one(c, "SELECT ORIGINAL_LOGIN()"))


@check("another database is refused")
def _another_database():
    refused(lambda: enter(database=given["other_database"]), words="Cannot open database")


@check("parameters of every common type come back as they were")
def _types():
    moment = datetime.datetime(2026, 11, 23, 9, 0, 0, 123456)
    with opened() as c:
        for value in (True, 5, 2**40, 1.5, decimal.Decimal("-1.25"), "ä ] ' €", moment, moment.date(),
                      uuid.UUID(int=7), None):
            equal(value, one(c, "SELECT %s", value))
        equal(b"\0\1\xff", one(c, "SELECT %s", pytds.Binary(b"\0\1\xff")))


@check("20,000 characters in a parameter")
def _long():
    text = "0123456789" * 2000
    with opened() as c:
        equal(text, one(c, "SELECT %s", text))
        equal(20000, one(c, "SELECT LEN(%s)", text))


@check("an emoji is two units, as text and as a parameter")
def _emoji():
    with opened() as c:
        equal("\U0001F600", one(c, "SELECT N'\U0001F600'"))
        equal("\U0001F600", one(c, "SELECT %s", "\U0001F600"))
        equal(2, one(c, "SELECT LEN(N'\U0001F600')"))
        equal(2, one(c, "SELECT LEN(%s)", "\U0001F600"))


@check("an error of a statement has its number, and the connection goes on")
def _error():
    with opened() as c:
        refused(lambda: one(c, "SELECT x FROM dbo.Nowhere"), 208)
        equal(1, one(c, "SELECT 1"))


@check("transactions: what is not committed is not there")
def _transactions():
    with opened(autocommit=False) as c:
        run(c, "INSERT INTO dbo.Orders (Id, Customer) VALUES (10, N'kept')")
        c.commit()
        run(c, "INSERT INTO dbo.Orders (Id, Customer) VALUES (11, N'dropped')")
        c.rollback()
    with opened() as c:
        equal(1, one(c, "SELECT COUNT(*) FROM dbo.Orders WHERE Id IN (10, 11)"))
        run(c, "DELETE FROM dbo.Orders WHERE Id = 10")


@check("a pooled connection is reset before it is used again")
def _pooled():
    with opened(pooling=True) as c:
        session = one(c, "SELECT @@SPID")
        run(c, "SET LOCK_TIMEOUT 1234; USE [master]")
    with opened(pooling=True) as c:
        equal(session, one(c, "SELECT @@SPID"))
        equal(-1, one(c, "SELECT @@LOCK_TIMEOUT"))
        equal(given["database"], one(c, "SELECT DB_NAME()"))


@check("MARS: not served, and one result at a time works all the same")
def _mars():
    with opened(use_mars=True) as c:
        equal(False, c.mars_enabled)
        equal(1, one(c, "SELECT 1"))


@check("a statement that takes too long is cancelled, and the connection goes on")
def _timeout():
    with opened(timeout=1) as c:
        refused(lambda: run(c, "WAITFOR DELAY '00:01:00'"), words="timed out")
        equal(1, one(c, "SELECT 1"))


sys.exit(1 if failed else 0)
