"""Makes and drops lesser things that have an owner, and shows them: XML schema collections, Service Broker, full text."""
from .catalogue import now_text
from .errors import error
from .owned import IN_SCHEMA, KINDS, OWNED_VIEWS, REGISTER
from .state import Rec
from .views import view


class OwnedExecutor:
    def _owned_register(self, db, cls):
        return getattr(db, IN_SCHEMA.get(cls) or REGISTER[cls])

    def do_create_owned(self, env, s):
        db, kind = env.db, KINDS[s.cls]
        if not env.has_db(kind.create):
            raise error(15247)
        register, name = self._owned_register(db, s.cls), s.parts[2]
        fields = {"owner": self._owner(env, s.owner)}
        if s.cls in IN_SCHEMA:
            schema = self.engine.resolver.schema(env, db, s.parts[1])
            if schema is None or not env.has(db, "SCHEMA", schema.id, "ALTER"):
                raise error(2760, name=s.parts[1])
            found, fields = register.find_in(schema.id, name), {"owner": None, "schema_id": schema.id}
        else:
            found = register.find(name)
        if found:
            raise error(15530, what=s.cls.lower(), name=name)
        register.add(Rec(db, id=max([65535] + list(register.by_id)) + 1, name=name, created=now_text(), **fields))

    def do_drop_owned(self, env, s):
        cls, id_, rec = self.find_securable(env, s.cls, s.parts)
        if not env.has(env.db, cls, id_, "CONTROL"):
            raise error(15151, verb="drop", what=cls.lower(), name=rec.name)
        env.db.forget_permissions(cls, id_)
        self._owned_register(env.db, cls).remove(rec)


def _view(cls, id_column):
    register = REGISTER[cls]

    @view(OWNED_VIEWS.get(register, register), f"name:n {id_column}:i principal_id:i")
    def rows(env, db):
        for x in getattr(db, register):
            if env.engine.security.sees_scoped(env.ctx, db, cls, x):
                yield x.name, x.id, x.owner
    return rows


for _cls, _id in (("MESSAGE TYPE", "message_type_id"), ("CONTRACT", "service_contract_id"), ("SERVICE", "service_id"),
                  ("REMOTE SERVICE BINDING", "remote_service_binding_id"), ("ROUTE", "route_id"),
                  ("FULLTEXT CATALOG", "fulltext_catalog_id"), ("FULLTEXT STOPLIST", "stoplist_id"),
                  ("SEARCH PROPERTY LIST", "property_list_id")):
    _view(_cls, _id)


@view("xml_schema_collections", "xml_collection_id:i schema_id:i principal_id:i name:n create_date:d modify_date:d")
def _xml_schema_collections(env, db):
    yield 1, 4, None, "sys", env.engine.catalogue.started, env.engine.catalogue.started
    for x in db.xml_collections:
        if env.engine.security.sees_scoped(env.ctx, db, "XML SCHEMA COLLECTION", x):
            yield x.id, x.schema_id, x.owner, x.name, x.created, x.created
