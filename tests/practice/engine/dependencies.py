"""The objects that a module names, as the catalog lists them."""
from types import SimpleNamespace

from . import nodes as n

DYNAMIC = ("exec_string",)


def _children(x):
    if isinstance(x, (list, tuple)):
        return x
    if isinstance(x, SimpleNamespace) or hasattr(x, "__dataclass_fields__"):
        return vars(x).values()
    return ()


def named(statement):
    """{(database, schema, name)} of everything that stands in a module's text as a name."""
    found, pending = set(), [v for k, v in vars(statement).items() if k not in ("parts", "text")]
    while pending:
        x = pending.pop()
        if isinstance(x, (n.TableRef, n.FuncRef)):
            _add(found, x.parts)
        elif isinstance(x, n.Func) and len(x.parts) > 1:
            _add(found, (None,) * (3 - len(x.parts)) + tuple(x.parts))
        elif getattr(x, "kind", None) in ("exec", "truncate") and isinstance(x.parts[2], str):
            _add(found, x.parts)
        pending.extend(_children(x))
    return found


def _add(found, parts):
    system = (parts[1] or "").casefold() in ("sys", "information_schema")
    if isinstance(parts[2], str) and not system and not parts[2].startswith(("#", "@")):
        found.add(tuple(parts))


def rows(env, db):
    """(module, class, target or None, parts) for every module that who asks may see."""
    modules = [(o, 1) for o in db.objects if getattr(o, "stmt", None) is not None
               and env.engine.security.sees_object(env.ctx, db, o)]
    modules += [(t, 12) for t in db.triggers] if env.engine.security.has_db(env.ctx, db, "VIEW DEFINITION") else []
    if db.name.casefold() == "master" and env.engine.security.has_server(env.ctx, "VIEW ANY DEFINITION"):
        modules += [(t, 13) for t in env.engine.catalogue.triggers]
    for obj, cls in modules:
        for parts in sorted(named(obj.stmt), key=str):
            if parts[0] is None and parts[1] is None and parts[2].casefold() in ("inserted", "deleted"):
                continue
            home = db if parts[0] is None else None
            schema = home and (home.schemas.find(parts[1]) if parts[1] else home.schemas.get(1))
            target = schema and home.objects.find_in(schema.id, parts[2])
            yield obj, cls, target, parts


def written(db, obj):
    """Ids of the tables that a module's own statements write to, as far as they are in its database."""
    found, pending = set(), [obj.stmt]
    while pending:
        x = pending.pop()
        if getattr(x, "kind", None) in ("insert", "update", "delete") and isinstance(x.target, n.TableRef) and \
                x.target.parts[0] is None:
            schema = db.schemas.find(x.target.parts[1]) if x.target.parts[1] else db.schemas.get(1)
            target = schema and db.objects.find_in(schema.id, x.target.parts[2])
            found.update([target.id] if target else ())
        pending.extend(_children(x))
    return found
