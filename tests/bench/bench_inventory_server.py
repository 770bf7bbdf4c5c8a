#!/usr/bin/python3
"""The inventory of a large database over a server: round trips, seconds, and the CPU of Curfew's own processes.

A fifth each of tables with six columns, procedures, views, functions, and triggers; each module refers to a table. Nine
tenths are on the list of the product. The practice server is an interpreter on the same processors: its share of the seconds
is shown apart, and says nothing about a real server.
Usage: bench_inventory_server.py [OBJECTS [FOLDER]]; with FOLDER the page stays there, to be looked at.
"""

import json
import os
import resource
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))

import audit_lab  # noqa: E402  (the path above makes it importable)
import lab  # noqa: E402

AT_ONCE = 500


def object_script(number):
    table = f"dbo.t{number - number % 5:06}"
    return [f"CREATE TABLE dbo.t{number:06} (c0 int, c1 int, c2 int, c3 nvarchar(40), c4 nvarchar(40), c5 datetime2)",
            f"CREATE PROCEDURE dbo.p{number:06} AS SELECT c0 FROM {table}",
            f"CREATE VIEW dbo.v{number:06} AS SELECT c0, c1 FROM {table}",
            f"CREATE FUNCTION dbo.f{number:06}() RETURNS int AS BEGIN DECLARE @n int; SELECT @n = MAX(c0) FROM {table}; RETURN @n END",
            f"CREATE TRIGGER dbo.r{number:06} ON {table} AFTER INSERT AS SELECT 1"][number % 5]


def product_list(path, objects):
    """As `curfew inventory --vendor` would write it of nine tenths; the hashes come from the list of the whole."""
    with open(path, encoding="utf-8") as file:
        whole = json.load(file)
    own = {f"{number:06}" for number in range(objects) if number // 5 % 10 == 0}
    whole["items"] = [item for item in whole["items"] if item[1].split(".")[1][1:] not in own]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(whole, file)


def measured(what, run):
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"  {what:34} {time.monotonic() - began:7.1f} s   {cpu:6.1f} s of CPU in Curfew   "
          f"{after.ru_maxrss >> 10:5} MiB", flush=True)
    return done


def main():
    objects = int(sys.argv[1]) if len(sys.argv) > 1 else 50000
    folder = sys.argv[2] if len(sys.argv) > 2 else None
    lab.require()
    found = audit_lab.AuditLab(servers={"sql01": ("AcmeTest",)}, limits={"server_deadline": 900})
    try:
        found.client_add("acme", [("staging", "sql01", "AcmeTest")])
        began = time.monotonic()
        for start in range(0, objects, AT_ONCE):
            found.server.script("USE AcmeTest\nGO\n" + "\nGO\n".join(
                object_script(n) for n in range(start, min(start + AT_ONCE, objects))))
        print(f"{objects} objects, made in {time.monotonic() - began:.0f} s", flush=True)
        found.server.faults(**{"aged-days": "100", "query-store": "AcmeTest:ALL", "query-store-days": "0"})
        vendor = found.path("product.json")
        with open(vendor, "w", encoding="utf-8") as file:
            file.write(measured("list of a clean installation", lambda: found.agent.curfew(
                "inventory", "--vendor", "sql01", "AcmeTest", expect=0, seconds=900)).out)
        product_list(vendor, objects)
        found.agent.settings["inventory"] = {"vendor_lists": [vendor]}
        found.agent.write()
        report = measured("curfew inventory --json", lambda: found.agent.curfew(
            "inventory", "acme", "--json", expect=0, seconds=900)).json
        page = os.path.join(folder, "inventory.html") if folder else found.path("inventory.html")
        measured("curfew inventory --html", lambda: found.agent.curfew(
            "inventory", "acme", "--html", page, expect=0, seconds=900))
        print(f"  {report['round_trips']} round trips, {len(report['objects'])} custom objects {report['colors']}, "
              f"a page of {os.path.getsize(page) >> 10} KiB")
    finally:
        found.close()


if __name__ == "__main__":
    main()
