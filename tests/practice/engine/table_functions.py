"""The product's table functions: own permissions, the list of all permissions, STRING_SPLIT."""
from dataclasses import dataclass

from .collations import is_exact
from .permtable import BUILTIN, PARENT, permissions_of
from .sqltypes import SYSNAME, T, NMAX


@dataclass
class TableFunction:
    columns: list
    rows: object


def _my_permissions(env, securable=None, cls=None):
    from .functions_rights import securable as securable_find
    security = env.engine.security
    if env.engine.catalogue.features.no_own_permissions:
        return [(None, None, None)]
    cls = (cls or "SERVER").strip()
    if cls != cls.lower() and any(is_exact(c) for c in (env.db.fields.collation, env.engine.catalogue.collation)):
        return []
    cls = cls.upper()
    if cls == "SERVER":
        return [("server", "", p) for p in permissions_of("SERVER") if security.has_server(env.ctx, p)]
    found = ("DATABASE", 0, env.db) if securable is None and cls == "DATABASE" else \
        securable is not None and securable_find(env, securable, cls)
    if not found:
        return []
    kind, id_, db = found
    name = "database" if kind == "DATABASE" else securable
    out = [(name, "", p) for p in permissions_of(kind) if security.has(env.ctx, db, kind, id_, p)]
    if kind == "OBJECT":
        obj = db.objects.get(id_)
        for c in sorted(getattr(obj, "columns", {}).values(), key=lambda c: c.id):
            for p in ("SELECT", "UPDATE", "REFERENCES"):
                if security.columns(env.ctx, db, obj, p, [c.id]) is None:
                    out.append((name, c.name, p))
    return out


def _builtin(env, cls=None):
    wanted = cls.upper().strip() if cls and cls.upper() != "DEFAULT" else None
    return [(c, p, code, same, PARENT.get(c, ""), up) for (c, p), (code, same, up) in BUILTIN.items()
            if wanted is None or c == wanted]


def _split(env, text, separator, ordinal=0):
    return [] if text is None else [(part,) for part in text.split(separator)]


TABLE_FUNCTIONS = {
    "fn_my_permissions": TableFunction([("entity_name", SYSNAME), ("subentity_name", SYSNAME),
                                        ("permission_name", T("nvarchar", 60))], _my_permissions),
    "fn_builtin_permissions": TableFunction(
        [("class_desc", T("nvarchar", 60)), ("permission_name", T("nvarchar", 60)),
         ("type", T("varchar", 4)), ("covering_permission_name", T("nvarchar", 60)),
         ("parent_class_desc", T("nvarchar", 60)), ("parent_covering_permission_name",
                                                    T("nvarchar", 60))], _builtin),
    "string_split": TableFunction([("value", NMAX)], _split),
}
