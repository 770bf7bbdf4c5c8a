"""All attacks of the table in one life: what lies there before, access as full, the attack in the user's own session by an
independent client, go-live, audit, the end."""

import audit_lab
import lab
from attack_cases import CASES
from practice import SqlRefused

PASSWORD = "Known-to-the-user-7"


class Life:
    """All cases through one life, once; what was seen is kept for the tests."""

    def __init__(self):
        self.lab = audit_lab.AuditLab({"sql01": [c.db for c in CASES]}, limits={"server_deadline": 300})
        self.seen = {}

    def sql(self, case, text):
        return self.lab.server.sql(case.text(text), case.db)

    def prepare(self):
        lab_, golive = self.lab, lab.now() - lab.days(3)
        for case in CASES:
            lab_.agent.client_add(
                case.client, approved_on=lab.day(lab.now() - lab.days(12)), starts=lab.day(lab.now() - lab.days(10)),
                go_live=lab.local(golive), databases=[{"role": "staging", "server": "sql01", "name": case.db,
                                                      "full_waiver": {"approved_by": "lead@host.example", "ticket": "CS-7"}}],
                users=[{"first": "Jane", "last": "Doe", "email": f"jane.doe@{case.client}.example",
                        "sources": [f"203.0.113.{CASES.index(case) + 7}"]}])
        lab_.agent.write()
        lab_.agent.bootstrap("sql01", lab_.server)
        for case in CASES:
            for batch in case.before:
                self.sql(case, batch)
        self.triggers_know()
        lab_.agent.apply(lab.local(golive - lab.days(2)))
        for case in CASES:
            for batch in case.given:
                self.sql(case, batch)
            lab_.server.sql(f"ALTER LOGIN [{case.user}] WITH PASSWORD = N'{PASSWORD}'")
        self.triggers_know()

    def triggers_know(self):
        """The hoster has reviewed every DDL trigger that is there now; that of 55 nobody has."""
        known = []
        for case in CASES:
            known += [f"{name} sha256:{digest}" for name, digest in self.sql(case, (
                "SELECT t.name, CONVERT(nvarchar(64), HASHBYTES('SHA2_256', m.definition), 2) FROM sys.triggers AS t "
                "JOIN sys.sql_modules AS m ON m.object_id = t.object_id WHERE t.parent_class = 0")) if case.number != "55"]
        self.lab.agent.servers["sql01"]["known_triggers"] = known
        self.lab.agent.write()

    def attack(self):
        shared = self.person()
        for case in CASES:
            case.person = self.person() if case.stays else shared
            entered = case.person.login(case.user, PASSWORD, case.db)
            answers = [case.person.sql(case.text(batch)) for batch in case.attack] if entered.ok else []
            worked = [(self.sql(case, query), rows) for query, rows in case.worked]
            if not case.stays:
                case.person.logout()
            self.seen[case.number] = {"entered": entered, "answers": answers, "worked": worked}
        for case in CASES:
            for batch in case.server:
                self.lab.server.sql(case.text(batch), "master")

    def person(self):
        return lab.Person(self.lab.space, audit_lab.HOST, audit_lab.PORT, self.lab.server.certificates.ca, audit_lab.HOST)

    def look(self, case, queries):
        """What the server says of the user now, as sa. A database that nobody may enter tells nothing."""
        server, found = self.lab.server, {}
        found["login"] = server.login(case.user)
        found["sessions"] = len(server.sessions_of(case.user))
        try:
            found["roles"] = server.roles(case.user, case.db)
            found["user"] = server.user(case.user, case.db)
            found["held"] = server.sql(
                "SELECT p.permission_name FROM sys.database_permissions AS p JOIN sys.database_principals AS u ON "
                "u.principal_id = p.grantee_principal_id WHERE p.state IN ('G', 'W') AND p.permission_name <> N'CONNECT' "
                f"AND u.name = N'{case.user}'", case.db)
            found["changes"] = server.sql(
                f"EXECUTE AS USER = N'{case.user}'; SELECT HAS_PERMS_BY_NAME(N'dbo', N'SCHEMA', N'ALTER'), "
                "HAS_PERMS_BY_NAME(N'dbo', N'SCHEMA', N'UPDATE'), HAS_PERMS_BY_NAME(DB_NAME(), N'DATABASE', N'CONTROL'); "
                "REVERT", case.db) if found["user"] and found["login"] else []
            found["queries"] = [(self.sql(case, query), rows) for query, rows in queries]
        except SqlRefused as error:
            found["closed"] = error.number
        return found

    def run(self):
        self.prepare()
        self.attack()
        self.lab.server.faults(mars="c27.jane.doe", sign_ins=3)
        self.golive_result = self.lab.agent.apply(expect=(0, 1, 2))
        for case in CASES:
            self.seen[case.number]["golive"] = self.look(case, case.golive)
        self.lab.server.faults()
        self.audit = self.lab.agent.curfew("audit", "--json").json
        self.end_result = self.lab.agent.apply(lab.local(lab.now() + lab.days(60)), expect=(0, 1, 2))
        for case in CASES:
            self.seen[case.number]["removed"] = self.look(case, case.removed)

    def close(self):
        return self.lab.close()
