"""Views of the parts of modules: numbered procedures, queues, policies, plan guides, dependencies."""
from . import dependencies
from .errors import error
from .exec_leftovers import SYS
from .views import view
from .views_database import _OBJECT, _row, seen_objects


@view("numbered_procedures", "object_id:i procedure_number:s definition:m")
def _numbered(env, db):
    for o in seen_objects(env, db, "P"):
        shown = env.engine.security.sees_definition(env.ctx, db, o)
        for number, stmt in sorted(o.numbered.items()):
            yield o.id, number, stmt.definition if shown else None


@view("service_queues", _OBJECT + " max_readers:s activation_procedure:m execute_as_principal_id:i "
      "is_activation_enabled:b is_receive_enabled:b is_enqueue_enabled:b is_retention_enabled:b")
def _queues(env, db):
    for o in seen_objects(env, db, "SQ"):
        p = db.objects.get(o.procedure) if o.procedure else None
        name = f"[{db.schemas.get(p.schema_id).name}].[{p.name}]" if p else None
        yield _row(o) + (o.readers, name, o.execute_as, o.activated, o.status, o.status, o.retention)


@view("security_policies", _OBJECT + " is_enabled:b is_not_for_replication:b uses_database_collation:b "
      "is_schema_bound:b")
def _policies(env, db):
    for o in seen_objects(env, db, "SP"):
        yield _row(o) + (o.enabled, 0, 1, o.bound)


@view("security_predicates", "object_id:i security_predicate_id:i target_object_id:i "
      "predicate_definition:m predicate_type:i predicate_type_desc:d60 operation:i operation_desc:d60")
def _predicates(env, db):
    for o in seen_objects(env, db, "SP"):
        for i, (kind, function, table) in enumerate(o.predicates, 1):
            f = db.objects.get(function)
            yield (o.id, i, table, f"([{db.schemas.get(f.schema_id).name}].[{f.name}](...))" if f else None,
                   kind == "BLOCK", kind, None, None)


@view("plan_guides", "plan_guide_id:i name:n create_date:d modify_date:d is_disabled:b query_text:m "
      "scope_type:t scope_type_desc:d60 scope_object_id:i scope_batch:m parameters:m hints:m")
def _plan_guides(env, db):
    kinds = {"OBJECT": 1, "SQL": 2, "TEMPLATE": 3}
    every = env.engine.security.has_db(env.ctx, db, "VIEW DEFINITION")
    for g in db.plan_guides:
        if every or g.module and env.engine.security.has(env.ctx, db, "OBJECT", g.module, "ALTER"):
            yield (g.id, g.name, g.created, g.modified, g.disabled, g.query, kinds[g.reach], g.reach,
                   g.module, g.batch, g.params, g.hints)


@view("check_constraints", _OBJECT + " is_disabled:b is_not_for_replication:b is_not_trusted:b "
      "parent_column_id:i definition:m uses_database_collation:b is_system_named:b")
def _check_constraints(env, db):
    for o in seen_objects(env, db, "C"):
        yield _row(o) + (o.disabled, 0, not o.trusted, 0, o.definition, 0, 0)


@view("default_constraints", _OBJECT + " parent_column_id:i definition:m is_system_named:b")
def _default_constraints(env, db):
    for o in seen_objects(env, db, "D"):
        yield _row(o) + (o.column, o.definition, 0)


@view("key_constraints", _OBJECT + " unique_index_id:i is_system_named:b is_enforced:b")
def _key_constraints(env, db):
    for o in seen_objects(env, db, "PK", "UQ"):
        yield _row(o) + (1, 0, 1)


@view("foreign_keys", _OBJECT + " referenced_object_id:i key_index_id:i is_disabled:b is_not_for_replication:b "
      "is_not_trusted:b")
def _foreign_keys(env, db):
    for o in seen_objects(env, db, "F"):
        yield _row(o) + (o.referenced, 1, o.disabled, 0, not o.trusted)


@view("foreign_key_columns", "constraint_object_id:i constraint_column_id:i parent_object_id:i parent_column_id:i "
      "referenced_object_id:i referenced_column_id:i")
def _foreign_key_columns(env, db):
    for o in seen_objects(env, db, "F"):
        table = db.objects.get(o.parent)
        for k, (own, target) in enumerate(zip(o.check, o.targets), 1):
            yield o.id, k, o.parent, db.column(table, own).id, o.referenced, target


@view("computed_columns", "object_id:i name:n column_id:i definition:m is_persisted:b")
def _computed_columns(env, db):
    return ()


@view("sql_expression_dependencies", "referencing_id:i referencing_minor_id:i referencing_class:t "
      "referencing_class_desc:d60 is_schema_bound_reference:b referenced_class:t referenced_class_desc:d60 "
      "referenced_server_name:n referenced_database_name:n referenced_schema_name:n "
      "referenced_entity_name:n referenced_id:i referenced_minor_id:i is_caller_dependent:b is_ambiguous:b")
def _dependencies(env, db):
    """VIEW DEFINITION decides which rows; to read at all takes SELECT on the view, which db_owner alone has by default."""
    own = db.objects.find_in(SYS, "sql_expression_dependencies")
    if not env.has_db("CONTROL", db) and not (own and env.has(db, "OBJECT", own.id, "SELECT")):
        raise error(229, permission="SELECT", name="sql_expression_dependencies", state=5, database="mssqlsystemresource",
                    schema="sys")
    described = {1: "OBJECT_OR_COLUMN", 12: "DATABASE_DDL_TRIGGER", 13: "SERVER_DDL_TRIGGER"}
    for obj, cls, target, parts in dependencies.rows(env, db):
        yield (obj.id, 0, cls, described[cls], 0, 1, "OBJECT_OR_COLUMN", None, parts[0], parts[1], parts[2],
               target.id if target else None, 0, parts[1] is None and getattr(obj, "type", "") == "P", 0)
