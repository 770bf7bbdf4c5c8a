#!/usr/bin/python3
"""Every switch of the practice server against check-server: each fault makes a named line fail, and what is no fault makes
none fail. A switch that is in neither list fails here."""

import contextlib
import dataclasses
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "practice"))

import lab  # noqa: E402  (the paths above make these importable)
from engine.features import Features  # noqa: E402
from practice import Certificates  # noqa: E402
from test_check_server import CheckServer  # noqa: E402
from wire.faults import WIRE  # noqa: E402

LIFE = ("--life", "Scratch")
# switch: (its value, options, the line that fails)
FAULTS = {
    "no_tls": (True, (), "tls"),
    "login_only_tls": (True, (), "encryption"),
    "wrong_cert": ("PAIR", (), "tls"),
    "stall_prelogin": (True, (), "tls"),
    "drop_prelogin": (True, (), "tls"),
    "stall_after": (3, (), "connection"),
    "stall_match": ("is_auto_executed", (), "audit.startup-procedure"),
    "drop_before": (3, (), "connection"),
    "drop_after": (3, (), "connection"),
    "drop_before_match": ("is_auto_executed", (), "audit.startup-procedure"),
    "drop_after_match": ("is_auto_executed", (), "audit.startup-procedure"),
    "tds5_only": (True, (), "tls"),
    "error_map": ({18488: 33001}, LIFE, "life.must-change"),
    "no_deny": (True, LIFE, "life.full"),
    "no_execute_as": (True, LIFE, "life.full"),
    "empty_permissions": (True, (), "read.permission"),
    "no_permission_answers": (True, (), "right.ALTER ANY LOGIN"),
    "no_own_permissions": (True, LIFE, "life.full"),
    "no_must_change": (True, LIFE, "life.one-time-password"),
    "no_server_roles": (True, LIFE, "life.full"),
    "no_kill": (True, LIFE, "life.kill"),
    "no_applock": (True, (), "lock"),
    "deadlock_on": ("sys\\.linked|is_linked,1", (), "audit.linked-server"),
    "fail_on": ("d\\.referencing_id = m\\.object_id,1222", (), "read.runner"),
    "damaged": ({"AcmeProd": "database_permissions"}, (), "connection"),
    "database_state": ({"AcmeProd": "suspect"}, (), "database.state"),
    "contained_group": (True, (), "contained-group"),
    "replicas": ("SQL01,SQL02", (), "replicas"),
    "listener_port": (14330, (), "port"),
    "second_port": (14331, (), "listeners"),
    "engine_edition": (8, (), "edition"),
    "foreign_dbo": ("AcmeProd", (), "database.owner"),
}
# What Curfew works with, all of a group at once.
HARMLESS = {
    "how a server may answer": {
        "force_encryption": True,                           # asked for in any case
        "delay": 1,
        "lowercase_databases": True,                        # names are matched as the server matches them
        "no_sql_logins": True,                              # nothing is asked of that view
        "sid_length": 28,                                   # a SID is compared byte for byte, of any length
        "lockout_threshold": 1,
        "bare_login_properties": True,                      # NULL is unknown
        "null_columns": "dm_exec_sessions.is_user_process",
        "sign_ins": 1},                                     # a session without a time counts as old
    "how it may be set up": {
        "user_options": 2,                                  # a session sets its own
        "rollback_milliseconds": 300,
        "cost_limit": 1,                                    # a session lifts it
        "distributed_group": True,                          # its "replicas" are groups
        "requests_fail": 978,                               # asked behind a KILL alone, and it may fail
        "use_goes_on": True,                                # each statement asks for its database
        "password_days": 10,
        "password_age": {"curfew_agent": "400"},            # the agent's own does not expire
        "other_logins": {"people@contoso": "X"},
        "aged_days": 400,
        "query_store": {"AcmeTest": "ALL"}, "query_store_days": 10,
        "mars": "curfew_agent",                             # several connections are one session
        "spid_reuse": "acme.jane.doe",                      # KILL asks who it is
        "hidden_between": {"AcmeProd": "nobody"},           # the owner is asked who is there
        "hidden_names": True,                               # of a database that is offline: it counts as unread
        "derived_implicit": True,                           # collations are named where two texts may meet
        "names_swap": "nothing like it,AcmeTest,AcmeProd",  # a question asks for the database's id
        "damaged_after": "nothing like it",                 # what is damaged only then
        "transaction_before": "nothing like it",            # no proof is made inside one
        "in_doubt": "6E8AEFE6-0000-4000-8000-00000000A602"},    # a finding of the audit
    "rules that are off, and a server that has just started": {
        "shared_memory": "curfew_agent", "restarted": True,
        "session_settings": False, "catalogue_locks": False, "hidden_databases": False, "ownership_moves": False,
        "collations": False},
}


def setUpModule():
    lab.require()


class Switches(CheckServer):
    def scratch(self):
        found = self.made()
        found.server.script("USE [Scratch]\nGO\nCREATE USER [curfew_agent] FOR LOGIN [curfew_agent]\nGO\n"
                            "ALTER ROLE [db_owner] ADD MEMBER [curfew_agent]\nGO\n"
                            "CREATE USER [curfew_users] FOR LOGIN [curfew_users]\nGO\n")
        return found

    def test_none_is_left_out(self):
        names = {name.replace("-", "_") for name in WIRE} | {f.name for f in dataclasses.fields(Features)}
        listed = [*FAULTS, *(name for group in HARMLESS.values() for name in group)]
        self.assertEqual(sorted(listed), sorted(names))

    def test_each_fault_has_its_line(self):
        found = self.scratch()
        wrong = Certificates(found.path("wrong"), "other.example")
        for name, (value, options, line) in FAULTS.items():
            with self.subTest(switch=name):
                found.server.faults(**{name: f"{wrong.certificate},{wrong.key}" if value == "PAIR" else value})
                with found.agent.impatient() if name.startswith("stall_") else contextlib.nullcontext():
                    failed = [c for c in self.check(found, *options, expect=(1, 2))["checks"] if c["result"] == "FAIL"]
                self.assertIn(line, {c["name"] for c in failed})
                for check in failed:
                    self.assertTrue(check["detail"] and check["fix"], check)
                found.server.faults()

    def test_what_is_no_fault_fails_no_line(self):
        found = self.scratch()
        for group, switches in HARMLESS.items():
            with self.subTest(group):
                found.server.faults(**switches)
                report = self.check(found, *LIFE, expect=(0, 1, 2))
                self.assertEqual([c for c in report["checks"] if c["result"] == "FAIL"], [])
                found.server.faults()


if __name__ == "__main__":
    unittest.main()
