#!/usr/bin/python3
"""The metrics of a running service, read by the Prometheus project's own parsers for Python, in both formats."""

import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab  # noqa: E402  (the path above makes it importable)
from case import USER  # noqa: E402
from lab import days  # noqa: E402
from service import ServiceCase, until  # noqa: E402

try:
    from prometheus_client import parser
    from prometheus_client.openmetrics import parser as openmetrics_parser
    PARSERS = (parser.text_string_to_metric_families, openmetrics_parser.text_string_to_metric_families)
except ImportError:
    PARSERS = ()


def setUpModule():
    lab.require()
    if not PARSERS:
        print("SKIPPED: no python3-prometheus-client", file=sys.stderr)
        raise unittest.SkipTest("no python3-prometheus-client")


class Figures(ServiceCase):
    def read(self):
        """{(sample, label value): value}, the same by both formats."""
        with open(self.agent.settings["metrics_file"], encoding="utf-8") as file:
            text = file.read()
        older, newer = (self.parsed(parse, text) for parse in PARSERS)
        self.assertEqual(older, newer)
        return newer

    def parsed(self, parse, text):
        """Every family complete, every sample once."""
        found = {}
        for family in parse(text):
            self.assertTrue(family.documentation, f"{family.name} has no help")
            counts = family.name.endswith("_total")
            self.assertIn(family.type, ("unknown", "untyped") if counts else ("gauge",), family.name)
            for sample in family.samples:
                self.assertEqual(sample.name, family.name)
                # A textfile collector refuses the whole file for one.
                self.assertIsNone(sample.timestamp, sample.name)
                self.assertLessEqual(len(sample.labels), 1)
                key = (sample.name, *sample.labels.values())
                self.assertNotIn(key, found, "told twice")
                found[key] = sample.value
        # What a parser does not know it leaves out.
        samples = [line for line in text.splitlines() if not line.startswith("#")]
        self.assertEqual(len(samples), len(found))
        return found

    def test_through_a_parser(self):
        golive = lab.now() + days(20)
        service = self.service_make(golive)
        self.elements_come(2)
        until(lambda: service.metric("curfew_passes_total"), "the pass at the start has ended")
        found = self.read()
        self.assertEqual(found["curfew_clients",], 1)
        self.assertEqual([found["curfew_grants", level] for level in ("none", "read-only", "full")], [0, 0, 1])
        self.assertEqual(found["curfew_allowlist_elements",], 2)
        self.assertEqual(found["curfew_next_transition_timestamp_seconds",], golive.timestamp())
        self.assertEqual(found["curfew_overdue_grants",], 0)
        self.assertEqual(found["curfew_server_reachable", "sql01"], 1)
        self.assertGreaterEqual(found["curfew_server_last_complete_pass_timestamp_seconds", "sql01"],
                                golive.timestamp() - 20 * 86400)
        self.assertGreater(found["curfew_changes_total",], 2)
        before = found["curfew_passes_total",]
        self.silent(self.found.person("other"))
        self.agent.apply(expect=0)
        until(lambda: service.metric("curfew_passes_total") > before, "the next pass has ended")
        found = self.read()
        self.assertGreater(found["curfew_denied_packets",], 0)

    def test_excess_of_a_server_that_stopped_answering(self):
        """Nobody has seen that it is over."""
        service = self.service_make(lab.now() + days(20))
        self.role_comes("curfew_full")
        self.found.server.sql(f"ALTER SERVER ROLE [dbcreator] ADD MEMBER [{USER}]")
        self.found.server.sql("USE [master]; DENY ALTER ANY LOGIN TO [curfew_agent]")
        service.process.send_signal(signal.SIGHUP)
        service.metric_comes("curfew_excess_grants", 1)
        self.found.server.faults(drop_prelogin=True)
        service.process.send_signal(signal.SIGHUP)
        service.metric_comes('curfew_server_reachable{server="sql01"}', 0)
        self.assertEqual(service.metric("curfew_excess_grants"), 1)
        # Nor does a restart make it less.
        service.stop()
        os.unlink(self.agent.settings["metrics_file"])
        service.start()
        service.metric_comes('curfew_server_reachable{server="sql01"}', 0)
        self.assertEqual(service.metric("curfew_excess_grants"), 1)
        self.found.server.faults()
        self.found.server.sql(f"ALTER SERVER ROLE [dbcreator] DROP MEMBER [{USER}]")
        self.found.server.sql("USE [master]; REVOKE ALTER ANY LOGIN FROM [curfew_agent]")
        service.metric_comes("curfew_excess_grants", 0)


if __name__ == "__main__":
    unittest.main()
