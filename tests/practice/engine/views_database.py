"""Views of one database: principals, permissions, schemas, objects and their parts."""
from .catalogue import older, sid_in
from .exec_triggers import resolved
from .sqltypes import TYPE_IDS
from .views import REGISTRY, Views, max_length, view
from .views_server import permission_rows

USER_DESC = {"S": "SQL_USER", "R": "DATABASE_ROLE", "A": "APPLICATION_ROLE",
             "C": "CERTIFICATE_MAPPED_USER", "K": "ASYMMETRIC_KEY_MAPPED_USER"}
OBJECT_DESC = {"U": "USER_TABLE", "V": "VIEW", "P": "SQL_STORED_PROCEDURE", "FN": "SQL_SCALAR_FUNCTION",
               "IF": "SQL_INLINE_TABLE_VALUED_FUNCTION", "TR": "SQL_TRIGGER", "SN": "SYNONYM",
               "SO": "SEQUENCE_OBJECT", "SQ": "SERVICE_QUEUE", "SP": "SECURITY_POLICY",
               "PK": "PRIMARY_KEY_CONSTRAINT", "UQ": "UNIQUE_CONSTRAINT", "C": "CHECK_CONSTRAINT",
               "D": "DEFAULT_CONSTRAINT", "F": "FOREIGN_KEY_CONSTRAINT", "X": "EXTENDED_STORED_PROCEDURE"}
AUTHENTICATION = {0: "NONE", 1: "INSTANCE", 2: "DATABASE"}


def seen_principals(env, db):
    return [p for p in db.principals if env.engine.security.sees_principal(env.ctx, db, p)]


@view("database_principals", "name:n principal_id:i type:c1 type_desc:d60 default_schema_name:n "
      "create_date:d modify_date:d owning_principal_id:i sid:v is_fixed_role:b authentication_type:i "
      "authentication_type_desc:d60 default_language_name:n default_language_lcid:i "
      "allow_encrypted_value_modifications:b")
def _database_principals(env, db):
    for p in seen_principals(env, db):
        yield (p.name, p.id, p.type, USER_DESC[p.type], p.default_schema, p.created, p.modified,
               p.owner, sid_in(env.engine.catalogue.features, db, p), p.fixed, p.auth, AUTHENTICATION[p.auth], None, None, 0)


@view("database_role_members", "role_principal_id:i member_principal_id:i")
def _database_role_members(env, db):
    seen = {p.id for p in seen_principals(env, db)}
    for role, member in db.members:
        if role in seen and member in seen:
            yield role, member


@view("database_permissions", "class:t class_desc:d60 major_id:i minor_id:i grantee_principal_id:i "
      "grantor_principal_id:i type:c4 permission_name:n state:c1 state_desc:d60")
def _database_permissions(env, db):
    if not env.engine.catalogue.features.empty_permissions:
        yield from permission_rows(db, {p.id for p in seen_principals(env, db)}, db.principals)


@view("schemas", "name:n schema_id:i principal_id:i")
def _schemas(env, db):
    for s in db.schemas:
        if s.id in (1, 3, 4) or s.id >= 16384 or env.engine.security.sees_scoped(
                env.ctx, db, "SCHEMA", s):
            yield s.name, s.id, s.owner


def seen_objects(env, db, *types):
    for o in db.objects:
        if o.id > 0 and (not types or o.type in types) and env.engine.security.sees_object(env.ctx, db, o):
            yield o


_OBJECT = ("name:n object_id:i principal_id:i schema_id:i parent_object_id:i type:c2 type_desc:d60 "
           "create_date:d modify_date:d is_ms_shipped:b is_published:b is_schema_published:b")


def _row(o):
    return (o.name, o.id, o.owner, o.schema_id, getattr(o, "parent", 0) or 0, o.type,
            OBJECT_DESC[o.type], o.created, o.modified, getattr(o, "shipped", 0), 0, 0)


def aged(env, o):
    """The dates of an object, as the switch aged-days has them."""
    return older(env.engine.catalogue, o.created), older(env.engine.catalogue, o.modified)


@view("objects", _OBJECT)
def _objects(env, db):
    for o in seen_objects(env, db):
        row = _row(o)
        yield row[:7] + aged(env, o) + row[9:]


@view("all_objects", _OBJECT)
def _all_objects(env, db):
    for v in REGISTRY.values():
        if v.schema == "sys":
            yield (v.name, v.id, None, 4, 0, "V", "VIEW", env.engine.catalogue.started,
                   env.engine.catalogue.started, 1, 0, 0)
    for o in db.objects:
        if o.type == "X":
            yield _row(o)
    yield from _objects(env, db)


@view("tables", _OBJECT + " lob_data_space_id:i is_replicated:b temporal_type:t is_external:b "
      "durability:t is_memory_optimized:b")
def _tables(env, db):
    for o in seen_objects(env, db, "U"):
        yield _row(o) + (0, 0, 0, 0, 0, 0)


@view("views", _OBJECT + " is_replicated:b has_replication_filter:b with_check_option:b")
def _views(env, db):
    for o in seen_objects(env, db, "V"):
        yield _row(o) + (0, 0, 0)


@view("procedures", _OBJECT + " is_auto_executed:b is_execution_replicated:b")
def _procedures(env, db):
    for o in seen_objects(env, db, "P"):
        yield _row(o) + (int(getattr(o, "startup", False)), 0)


@view("synonyms", _OBJECT + " base_object_name:k")
def _synonyms(env, db):
    for o in seen_objects(env, db, "SN"):
        yield _row(o) + (o.shown,)


@view("sequences", _OBJECT + " start_value:x increment:x minimum_value:x maximum_value:x "
      "is_cycling:b current_value:x system_type_id:t user_type_id:i")
def _sequences(env, db):
    for o in seen_objects(env, db, "SO"):
        yield _row(o) + (o.start, o.increment, None, None, 0, o.current, 127, 127)


@view("columns", "object_id:i name:n column_id:i system_type_id:t user_type_id:i max_length:s "
      "precision:t scale:t collation_name:n is_nullable:b is_ansi_padded:b is_rowguidcol:b "
      "is_identity:b is_computed:b default_object_id:i is_masked:b")
def _columns(env, db):
    for o in seen_objects(env, db, "U", "V"):
        made = [db.objects.get(i) for i in getattr(o, "constraints", ())]
        defaults = {x.column: x.id for x in made if x.type == "D"}
        for c in sorted(o.columns.values(), key=lambda c: c.id):
            n = c.type.name
            yield (o.id, c.name, c.id, TYPE_IDS.get(n, 231), TYPE_IDS.get(n, 231), max_length(c.type),
                   c.type.precision, c.type.scale, c.collation, c.nullable, 0, 0, c.identity is not None, 0,
                   defaults.get(c.id, 0), 0)


@view("identity_columns", "object_id:i name:n column_id:i seed_value:x increment_value:x last_value:x")
def _identity_columns(env, db):
    for o in seen_objects(env, db, "U"):
        for c in o.columns.values():
            if c.identity:
                yield o.id, c.name, c.id, c.identity[0], c.identity[1], o.identity_last


_MODULE = ("object_id:i definition:m uses_ansi_nulls:b uses_quoted_identifier:b is_schema_bound:b "
           "uses_database_collation:b is_recompiled:b null_on_null_input:b execute_as_principal_id:i "
           "uses_native_compilation:b is_inlineable:b")


def _modules(env, db):
    for o in list(seen_objects(env, db, "V", "P", "FN", "IF", "TR")) + list(db.triggers):
        if getattr(o, "schema_id", None) is None:
            if not env.engine.security.has_db(env.ctx, db, "VIEW DEFINITION"):
                continue
            shown = "ENCRYPTION" not in o.stmt.marks
        else:
            shown = env.engine.security.sees_definition(env.ctx, db, o)
        yield (o.id, o.definition if shown else None, "ANSI_NULLS" in o.made_with,
               "QUOTED_IDENTIFIER" in o.made_with, "SCHEMABINDING" in o.stmt.marks, 0, 0, 0, o.execute_as, 0, 0)


view("sql_modules", _MODULE)(_modules)
view("all_sql_modules", _MODULE)(_modules)


@view("triggers", "name:n object_id:i parent_class:t parent_class_desc:d60 parent_id:i type:c2 "
      "type_desc:d60 create_date:d modify_date:d is_ms_shipped:b is_disabled:b "
      "is_not_for_replication:b is_instead_of_trigger:b")
def _triggers(env, db):
    for o in seen_objects(env, db, "TR"):
        yield (o.name, o.id, 1, "OBJECT_OR_COLUMN", o.parent, "TR", "SQL_TRIGGER", o.created,
               o.modified, 0, o.disabled, 0, o.timing == "INSTEAD OF")
    s = env.engine.security
    if s.has_db(env.ctx, db, "VIEW DEFINITION") or s.has_db(env.ctx, db,
                                                            "ALTER ANY DATABASE DDL TRIGGER"):
        for t in db.triggers:
            yield (t.name, t.id, 0, "DATABASE", 0, "TR", "SQL_TRIGGER", t.created, t.modified, 0,
                   t.disabled, 0, 0)


@view("trigger_events", "object_id:i type:i type_desc:d60 is_first:b is_last:b event_group_type:i "
      "event_group_type_desc:d60 is_trigger_event:b")
def _trigger_events(env, db):
    numbers = {"INSERT": 1, "UPDATE": 2, "DELETE": 3, "CREATE_TABLE": 21, "ALTER_TABLE": 22,
               "DROP_TABLE": 23}
    for o in list(seen_objects(env, db, "TR")) + list(db.triggers):
        for e, group in resolved(o.events):
            yield o.id, numbers.get(e, 0), e, 0, 0, 0 if group else None, group, 1


@view("types", "name:n system_type_id:t user_type_id:i schema_id:i principal_id:i max_length:s "
      "precision:t scale:t collation_name:n is_nullable:b is_user_defined:b is_assembly_type:b "
      "is_table_type:b")
def _types(env, db):
    for name, user_id, system_id, length, precision, scale in Views.type_rows():
        yield name, system_id, user_id, 4, None, length, precision, scale, None, 1, 0, 0, 0
    for t in db.types:
        if env.engine.security.sees_scoped(env.ctx, db, "TYPE", t):
            yield (t.name, TYPE_IDS.get(t.base.name, 0), t.id, t.schema_id, t.owner,
                   max_length(t.base), t.base.precision, t.base.scale,
                   db.fields.collation if "char" in t.base.name else None, t.nullable, 1, 0, 0)


@view("indexes", "object_id:i name:n index_id:i type:t type_desc:d60 is_unique:b is_primary_key:b "
      "is_unique_constraint:b is_disabled:b has_filter:b")
def _indexes(env, db):
    for o in seen_objects(env, db, "U"):
        if not any(x.clustered for x in o.indexes.values()):
            yield o.id, None, 0, 0, "HEAP", 0, 0, 0, 0, 0
        for i, x in enumerate(o.indexes.values(), 2):
            yield (o.id, x.name, 1 if x.clustered else i, 1 if x.clustered else 2,
                   "CLUSTERED" if x.clustered else "NONCLUSTERED", x.unique, x.kind == "PK", x.kind == "UQ",
                   x.disabled, x.condition is not None)


@view("extended_properties", "class:t class_desc:d60 major_id:i minor_id:i name:n value:x")
def _extended_properties(env, db):
    desc = {0: "DATABASE", 1: "OBJECT_OR_COLUMN", 3: "SCHEMA", 4: "DATABASE_PRINCIPAL"}
    for (cls, major, minor, name), value in db.properties.items():
        yield cls, desc[cls], major, minor, name, value


@view("certificates", "name:n certificate_id:i principal_id:i pvt_key_encryption_type:c2 "
      "pvt_key_encryption_type_desc:d60 issuer_name:n subject:k sid:v thumbprint:v32 start_date:d")
def _certificates(env, db):
    for c in db.certificates:
        if env.engine.security.sees_scoped(env.ctx, db, "CERTIFICATE", c):
            yield (c.name, c.id, c.owner, "PW", "ENCRYPTED_BY_PASSWORD", c.subject, c.subject, c.sid,
                   c.thumbprint, c.created)


@view("asymmetric_keys", "name:n principal_id:i asymmetric_key_id:i pvt_key_encryption_type:c2 "
      "thumbprint:v32 algorithm:c2 algorithm_desc:d60 sid:v")
def _asymmetric_keys(env, db):
    for k in db.asymmetric_keys:
        yield k.name, k.owner, k.id, "PW", k.thumbprint, "2R", k.algorithm, k.sid


@view("symmetric_keys", "name:n principal_id:i symmetric_key_id:i key_length:i key_algorithm:c2 "
      "algorithm_desc:d60 create_date:d modify_date:d")
def _symmetric_keys(env, db):
    for k in db.symmetric_keys:
        yield k.name, k.owner, k.id, 256, "A3", k.algorithm, k.created, k.created


@view("crypt_properties", "class:t class_desc:d60 major_id:i thumbprint:v32 crypt_type:c4 "
      "crypt_type_desc:d60 crypt_property:M")
def _crypt_properties(env, db):
    for (obj, thumbprint), kind in db.signatures.items():
        yield (1, "OBJECT_OR_COLUMN", obj, thumbprint, "SPVC" if kind == "CERTIFICATE" else "SPVA",
               "SIGNATURE BY " + kind, b"\0")


@view("assemblies", "name:n principal_id:i assembly_id:i clr_name:k permission_set:t "
      "permission_set_desc:d60 is_visible:b create_date:d modify_date:d is_user_defined:b")
def _assemblies(env, db):
    levels = {"SAFE": (1, "SAFE_ACCESS"), "EXTERNAL_ACCESS": (2, "EXTERNAL_ACCESS"),
              "UNSAFE": (3, "UNSAFE_ACCESS")}
    for a in db.assemblies:
        yield (a.name, a.owner, a.id, a.name) + levels[a.level] + (1, a.created, a.created, 1)


def nothing(env, db):
    return ()


view("assembly_modules", "object_id:i assembly_id:i assembly_class:n assembly_method:n "
     "null_on_null_input:b execute_as_principal_id:i")(nothing)
view("database_scoped_credentials", "name:n principal_id:i credential_id:i credential_identity:k "
     "create_date:d modify_date:d")(nothing)


def _information(kind):
    def rows(env, db):
        for o in seen_objects(env, db, "U", "V"):
            schema = db.schemas.get(o.schema_id).name
            if kind == "TABLES":
                yield db.name, schema, o.name, "BASE TABLE" if o.type == "U" else "VIEW"
                continue
            for c in sorted(o.columns.values(), key=lambda c: c.id):
                size = c.type.size if "char" in c.type.name or "binary" in c.type.name else None
                yield (db.name, schema, o.name, c.name, c.id, None, "YES" if c.nullable else "NO",
                       c.type.name, size)
    return rows


view("TABLES", "TABLE_CATALOG:n TABLE_SCHEMA:n TABLE_NAME:n TABLE_TYPE:n",
     "INFORMATION_SCHEMA")(_information("TABLES"))
view("COLUMNS", "TABLE_CATALOG:n TABLE_SCHEMA:n TABLE_NAME:n COLUMN_NAME:n ORDINAL_POSITION:i "
     "COLUMN_DEFAULT:k IS_NULLABLE:n DATA_TYPE:n CHARACTER_MAXIMUM_LENGTH:i",
     "INFORMATION_SCHEMA")(_information("COLUMNS"))
