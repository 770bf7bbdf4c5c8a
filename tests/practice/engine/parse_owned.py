"""CREATE and DROP of lesser things that have an owner: XML schema collections, Service Broker, full text."""
from .owned import KINDS
from .parse_security import SecurityParser


class OwnedParser(SecurityParser):
    def at_owned(self):
        """The class that is named here, its words taken; None: another statement."""
        for cls in KINDS:
            if self.accept(*cls.split()):
                return cls
        return None

    def create_owned(self, t, cls):
        parts = self.dotted() if cls == "XML SCHEMA COLLECTION" else (None, None, self.name())
        if cls == "FULLTEXT STOPLIST" and self.accept("FROM"):
            self.expect("SYSTEM", "STOPLIST")
        owner = self.principal() if cls != "XML SCHEMA COLLECTION" and self.accept("AUTHORIZATION") else None
        form = getattr(self, "_" + cls.lower().replace(" ", "_"), None)
        if form:
            form()
        return self.stmt("create_owned", t, cls=cls, parts=parts, owner=owner)

    def drop_owned(self, t, cls):
        parts = self.dotted() if cls == "XML SCHEMA COLLECTION" else (None, None, self.name())
        return self.stmt("drop_owned", t, cls=cls, parts=parts)

    def _xml_schema_collection(self):
        self.expect("AS")
        self.string()

    def _message_type(self):
        if self.accept("VALIDATION"):
            self.expect("=")
            self.choice("NONE", "EMPTY", "WELL_FORMED_XML")

    def _contract(self):
        self.expect("(")
        while True:
            self.name()
            self.expect("SENT", "BY")
            self.choice("INITIATOR", "TARGET", "ANY")
            if not self.accept(","):
                break
        self.expect(")")

    def _service(self):
        self.expect("ON", "QUEUE")
        self.dotted(2)

    def _remote_service_binding(self):
        self.expect("TO", "SERVICE")
        self.string()
        self.expect("WITH", "USER", "=")
        self.name()

    def _route(self):
        self.expect("WITH", "ADDRESS", "=")
        self.string()
