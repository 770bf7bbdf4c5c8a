"""Queues and their activation, security policies, disabled indexes."""
from .parse_owned import OwnedParser


class ServiceParser(OwnedParser):
    def create_queue(self, t):
        parts = self.dotted()
        return self.stmt("create_queue", t, parts=parts, options=self._queue_options())

    def alter_queue(self, t):
        parts = self.dotted()
        return self.stmt("alter_queue", t, parts=parts, options=self._queue_options())

    def _queue_options(self):
        """STATUS, RETENTION and ACTIVATION as {name: value}; those of ACTIVATION stand beside them."""
        out = {}
        if not self.accept("WITH"):
            return out
        while True:
            word = self.choice("STATUS", "RETENTION", "ACTIVATION")
            if word == "ACTIVATION":
                out.update(self._activation())
            else:
                self.expect("=")
                out[word.lower()] = self.on_off()
            if not self.accept(","):
                return out

    def _activation(self):
        self.expect("(")
        if self.accept("DROP"):
            self.expect(")")
            return {"procedure": None, "activated": False, "execute_as": None, "readers": 0}
        out = {}
        while True:
            if self.accept("EXECUTE", "AS") or self.accept("EXEC", "AS"):
                out["execute_as"] = ("USER", self.string()) if self.tok.kind in ("str", "nstr") else \
                    (self.choice("SELF", "OWNER"), None)
            else:
                word = self.choice("STATUS", "PROCEDURE_NAME", "MAX_QUEUE_READERS")
                self.expect("=")
                if word == "STATUS":
                    out["activated"] = self.on_off()
                elif word == "PROCEDURE_NAME":
                    out["procedure"] = self.dotted()
                else:
                    out["readers"] = self.integer()
            if not self.accept(","):
                break
        self.expect(")")
        return out

    def create_policy(self, t):
        parts = self.dotted()
        predicates = []
        while True:
            self.expect("ADD")
            kind = self.choice("FILTER", "BLOCK")
            self.expect("PREDICATE")
            function = self.dotted(2)
            self.expect("(")
            args = [self.expr()]
            while self.accept(","):
                args.append(self.expr())
            self.expect(")", "ON")
            predicates.append((kind, function, args, self.dotted()))
            if not self.accept(","):
                break
        state, bound = True, True
        if self.accept("WITH"):
            self.expect("(")
            while True:
                word = self.choice("STATE", "SCHEMABINDING")
                self.expect("=")
                if word == "STATE":
                    state = self.on_off()
                else:
                    bound = self.on_off()
                if not self.accept(","):
                    break
            self.expect(")")
        return self.stmt("create_policy", t, parts=parts, predicates=predicates, state=state, bound=bound)

    def alter_policy(self, t):
        parts = self.dotted()
        self.expect("WITH", "(", "STATE", "=")
        state = self.on_off()
        self.expect(")")
        return self.stmt("alter_policy", t, parts=parts, state=state)

    def alter_index(self, t):
        name = None if self.accept("ALL") else self.name()
        self.expect("ON")
        parts = self.dotted()
        return self.stmt("alter_index", t, name=name, parts=parts,
                         disable=self.choice("DISABLE", "REBUILD") == "DISABLE")
