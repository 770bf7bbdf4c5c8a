"""One scope of execution (a batch, a dynamic string, or a module) with its variables and permissions."""
from .errors import error
from .events import SqlError
from .permissions import Context
from .sqltypes import convert, type_of


class BatchEnd(Exception):
    """The batch is over; what there was to say has been said."""


class Return(Exception):
    def __init__(self, value=None):
        super().__init__()
        self.value = value


class Env:
    def __init__(self, session, parent=None):
        self.session, self.engine, self.parent = session, session.engine, parent
        self.depth = parent.depth + 1 if parent else 0
        self.variables = {}             # name -> [type, value]
        self.parameters = {}            # of an inline function that is being bound
        self.table_variables = {}
        self.special = {}               # inserted and deleted
        self.chain = None               # (database, owner) whose objects need no further rights
        self.schema_id = None
        self.procedure = ""
        self.object_id = 0
        self.scope_identity = None
        self.error = None
        self.event = None
        self.is_module = False
        # Collation of literals and variables: that of the database in which the batch started.
        self.batch_collation = session.database_object.fields.collation

    @property
    def db(self):
        return self.session.database_object

    @property
    def ctx(self):
        return self.session.contexts[-1]

    def special_tables(self):
        return self.special

    def variable(self, name):
        found = self.variables.get(name)
        if found is None:
            raise SqlError(137, f'Must declare the scalar variable "{name}".', 15, 2, compile=True)
        return found[0], found[1]

    def assign(self, name, value, t=None):
        slot = self.variables[name]
        slot[1] = convert(value, t or type_of(value), slot[0])

    def login_name(self):
        ctx = self.ctx
        if ctx.user is not None and ctx.database is not None:
            user = ctx.database.principals.get(ctx.user)
            login = user and user.sid is not None and self.engine.catalogue.login_of_sid(user.sid)
            return login.name if login else (user.name if user else "")
        return ctx.login.name if ctx.login else (ctx.login_name or "")

    def user_id(self, db):
        return self.engine.security.user_in(self.ctx, db) or 2

    def caught(self):
        env = self
        while env is not None:
            if env.error is not None:
                return env.error
            env = env.parent
        return None

    def event_data(self):
        env = self
        while env is not None and env.event is None:
            env = env.parent
        return env.event if env else None

    def chain_of_callers(self):
        env = self
        while env is not None:
            yield env
            env = env.parent

    def trigger_depth(self):
        env, depth = self, 0
        while env is not None:
            depth += env.event is not None or bool(env.special)
            env = env.parent
        return depth

    # ---- rights --------------------------------------------------------------------------------

    def chained(self, db, obj, chain):
        """Whether ownership lets this object be used without asking for rights."""
        if chain is None or getattr(obj, "type", "") == "":
            return False
        home, owner = chain
        if home is db:
            return db.owner_of(obj) == owner
        everywhere = self.engine.catalogue.configurations[400].in_use
        if not everywhere and not (home.fields.chaining and db.fields.chaining):
            return False
        a, b = home.principals.get(owner), db.principals.get(db.owner_of(obj))
        return bool(a and b and a.sid and a.sid == b.sid)

    def has_db(self, permission, db=None):
        return self.engine.security.has_db(self.ctx, db or self.db, permission)

    def has_server(self, permission):
        return self.engine.security.has_server(self.ctx, permission)

    def has(self, db, cls, id_, permission):
        return self.engine.security.has(self.ctx, db, cls, id_, permission)

    def require(self, db, cls, id_, permission, obj):
        """229 unless `permission` on the object is in effect."""
        self.engine.locks.judging(self, db, cls, id_)
        if not self.has(db, cls, id_, permission):
            raise self.denied(db, obj, permission)

    def denied(self, db, obj, permission, state=5):
        schema = db.schemas.get(obj.schema_id)
        return error(229, permission=permission, name=obj.name, state=state,
                     database=self.engine.catalogue.shown(db.name), schema=schema.name if schema else "dbo")

    def require_columns(self, db, obj, permission, column_ids):
        self.engine.locks.judging(self, db, "OBJECT", obj.id)
        refused = self.engine.security.columns(self.ctx, db, obj, permission, column_ids)
        if refused is None:
            return
        if refused == 0:
            raise self.denied(db, obj, permission)
        raise error(230, permission=permission, column=obj.columns[refused].name, name=obj.name,
                    database=self.engine.catalogue.shown(db.name),
                    schema=db.schemas.get(obj.schema_id).name)

    def require_db(self, permission, shown=None):
        """262 unless the database grants it."""
        if not self.has_db(permission):
            raise error(262, permission=shown or permission,
                        database=self.engine.catalogue.shown(self.db.name))

    def module_context(self, principal_id, db):
        base = self.ctx
        return Context(base.login, user=principal_id, database=db)
