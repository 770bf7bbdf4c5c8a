#!/usr/bin/python3
"""An audit of 300 users over 20 databases of one practice server: round trips and seconds.

The round trips are the agent's own and would be the same on any server; the seconds are mostly the practice server's, an
interpreter over SQLite. Usage: bench_audit.py [USERS [DATABASES]]
"""

import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))

import audit_lab  # noqa: E402  (the path above makes them importable)
import lab  # noqa: E402


def measured(found, *command):
    began = time.monotonic()
    result = found.agent.curfew(*command, "--json", seconds=900)
    return result, time.monotonic() - began


def main():
    users = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    databases = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    lab.require()
    each = users // databases
    names = [f"Db{number:02}" for number in range(databases)]
    found = audit_lab.AuditLab({"sql01": names}, program={"max_users": max(each, 3)}, limits={"server_deadline": 600})
    try:
        for number, name in enumerate(names):
            # Half of them read only by now: the longer questions.
            found.golive = lab.now() + lab.days(20 if number % 2 else -3)
            found.client_add(f"client{number:02}", [("staging", "sql01", name)],
                             users=[("User", f"Number{person}") for person in range(each)])
        applied, seconds = measured(found, "apply")
        print(f"apply    {users} users, {databases} databases: exit {applied.code}, {seconds:.1f} s")
        for run in ("first", "again"):
            result, seconds = measured(found, "audit")
            audit = result.json
            proofs = [p["outcome"] for p in audit["proofs"]]
            print(f"audit    {run}: exit {result.code}, state {audit['state']}, {len(audit['grants'])} grants, "
                  f"{proofs.count('verified')} proved, {len(audit['findings'])} findings, "
                  f"{audit['servers'][0]['round_trips']} round trips, {seconds:.1f} s")
    finally:
        found.close()


if __name__ == "__main__":
    main()
