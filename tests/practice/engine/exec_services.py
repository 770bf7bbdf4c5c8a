"""Queues and their activation, security policies, plan guides, numbered procedures, disabled indexes."""
import threading

from .catalogue import now_text
from .errors import error
from .events import SqlError
from .state import Rec


class ServiceExecutor:
    # ---- queues --------------------------------------------------------------------------------

    def do_create_queue(self, env, s):
        schema = self.place_for(env, s.parts, "CREATE QUEUE")
        q = self.new_object(env.db, schema, s.parts[2], "SQ", procedure=None, activated=False, readers=0,
                            status=True, retention=False)
        self._set_queue(env, q, s.options)
        self.ddl_event(env, s, "CREATE_QUEUE", q.name)

    def do_alter_queue(self, env, s):
        found = self.engine.resolver.object(env, env.db, s.parts, ("SQ",))
        if found is None or not env.has(env.db, "OBJECT", found[0].id, "ALTER"):
            raise error(15151, verb="alter", what="service queue", name=s.parts[2])
        q = found[0]
        self._set_queue(env, q, s.options)
        q.modified = now_text()
        self.ddl_event(env, s, "ALTER_QUEUE", q.name)

    def _set_queue(self, env, q, options):
        for name in ("status", "retention", "activated", "readers"):
            if name in options:
                setattr(q, name, options[name])
        if options.get("procedure"):
            found = self.engine.resolver.object(env, env.db, options["procedure"], ("P",))
            if found is None:
                raise error(208, name=".".join(p for p in options["procedure"] if p))
            q.procedure = found[0].id
        elif "procedure" in options:
            q.procedure = None
        if "execute_as" in options:
            as_ = options["execute_as"]
            q.execute_as = None if as_ is None else self.execution_context(env, as_, env.db.owner_of(q))

    def _sp_practice_activate(self, env, g):
        """Only here: a message has come, the queue's procedure runs as its user, without a client."""
        db, found = env.db, self.engine.resolver.any_object(env, env.db, g.get("queue") or "")
        if found is None or found[0].type != "SQ":
            raise error(208, name=g.get("queue"))
        q = found[0]
        if not (q.activated and q.status and q.procedure in db.objects.by_id):
            return
        who = db.owner_of(q) if q.execute_as == -2 else q.execute_as
        procedure = db.objects.get(q.procedure)
        task = self.session.server.task_session(db, db.principals.get(who),
                                                (q, f"[dbo].[{procedure.name}]", who))
        schema = db.schemas.get(procedure.schema_id).name
        text = f"EXEC [{schema}].[{procedure.name}]"
        threading.Thread(target=task.run_to_end, args=(text,), daemon=True).start()

    # ---- security policies ---------------------------------------------------------------------

    def do_create_policy(self, env, s):
        db = env.db
        if not env.has_db("ALTER ANY SECURITY POLICY"):
            raise error(15247)
        schema = self.engine.resolver.schema(env, db, s.parts[1])
        if schema is None or not env.has(db, "SCHEMA", schema.id, "ALTER"):
            raise error(2760, name=s.parts[1] or "dbo")
        predicates = []
        for kind, function, _, table in s.predicates:
            f = self.engine.resolver.object(env, db, (None,) + function, ("IF",))
            t = self.engine.resolver.object(env, db, table, ("U",))
            if f is None or t is None:
                raise error(208, name=".".join(p for p in (function if f is None else table) if p))
            predicates.append((kind, f[0].id, t[0].id))
        self.new_object(db, schema, s.parts[2], "SP", enabled=s.state, bound=s.bound, predicates=predicates,
                        texts=[s.text])

    def do_alter_policy(self, env, s):
        p = self.engine.resolver.object(env, env.db, s.parts, ("SP",))
        if p is None or not env.has_db("ALTER ANY SECURITY POLICY"):
            raise error(15151, verb="alter", what="security policy", name=s.parts[2])
        p[0].enabled, p[0].modified = s.state, now_text()

    # ---- indexes -------------------------------------------------------------------------------

    def do_alter_index(self, env, s):
        obj, _ = self.altered(env, s.parts, ("U",), 1088)
        if s.name is not None and s.name.casefold() not in obj.indexes:
            raise error(3701, verb="alter", what="index", name=s.name)
        for key, x in obj.indexes.items():
            if s.name is None or key == s.name.casefold():
                x.disabled = s.disable
        obj.modified = now_text()
        self.ddl_event(env, s, "ALTER_INDEX", s.name or "ALL")

    # ---- plan guides ---------------------------------------------------------------------------

    def _sp_create_plan_guide(self, env, g):
        db, kind = env.db, (g.get("type") or "").upper()
        module = None
        if kind == "OBJECT":
            found = self.engine.resolver.any_object(env, db, g.get("module_or_batch") or "")
            if found is None or not env.has(db, "OBJECT", found[0].id, "ALTER"):
                raise error(15151, verb="find", what="object", name=g.get("module_or_batch"))
            module = found[0].id
        elif kind not in ("SQL", "TEMPLATE") or not env.has_db("ALTER"):
            raise error(15247)
        if db.plan_guides.find(g.get("name") or ""):
            raise SqlError(10502, f"Cannot create plan guide '{g.get('name')}' because there is already one "
                                  "of that name.", 16)
        now = now_text()
        db.plan_guides.add(Rec(db, id=max([65535] + list(db.plan_guides.by_id)) + 1, name=g.get("name"),
                               created=now, modified=now, disabled=False, query=g.get("stmt"), reach=kind,
                               module=module, hints=g.get("hints"), params=g.get("params"),
                               batch=None if kind == "OBJECT" else g.get("module_or_batch")))

    def _sp_control_plan_guide(self, env, g):
        db, action = env.db, (g.get("operation") or "").upper()
        guide = db.plan_guides.find(g.get("name") or "")
        allowed = guide is not None and (env.has(db, "OBJECT", guide.module, "ALTER") if guide.module
                                         else env.has_db("ALTER"))
        if not allowed:
            raise error(15151, verb="find", what="plan guide", name=g.get("name"))
        if action == "DROP":
            db.plan_guides.remove(guide)
        elif action in ("DISABLE", "ENABLE"):
            guide.disabled, guide.modified = action == "DISABLE", now_text()
        else:
            raise SqlError(10509, f"Cannot {action} plan guides.", 16)

    def not_guided(self, db, obj):
        """A module that a plan guide names can be neither changed nor dropped."""
        for guide in db.plan_guides:
            if guide.module == obj.id:
                raise SqlError(10515, f"Cannot alter or drop '{obj.name}' because it is referenced by plan "
                                      f"guide '{guide.name}'.", 16)
