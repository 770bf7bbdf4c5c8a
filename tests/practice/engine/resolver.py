"""Resolves names of one to three parts to databases, tables, modules, and types. Checks access to the database."""
from dataclasses import dataclass

from .databases import refusal
from .errors import error
from .sqltypes import T


@dataclass
class Found:
    kind: str                # catalogue or object
    parts: tuple
    shown: str
    db: object = None
    obj: object = None
    view: object = None
    temporary: bool = False


def shown(parts):
    while parts and parts[0] is None:
        parts = parts[1:]
    return ".".join(p or "" for p in parts)


class Resolver:
    def __init__(self, engine):
        self.engine = engine

    def database(self, env, name):
        """A database that `env` may enter; None when there is none of that name; raises 916, 942."""
        db = self.engine.catalogue.databases.find(name)
        if db is None:
            return None
        self.enter(env, db)
        return db

    def enter(self, env, db):
        refused = refusal(self.engine, env.ctx, db, env.session, env.login_name())
        if refused is not None:
            raise refused

    def default_schema(self, env, db):
        user = db.principals.get(self.engine.security.user_in(env.ctx, db) or 0)
        schema = db.schemas.find(user.default_schema) if user and user.default_schema else None
        return schema or db.schemas.get(1)

    def schema(self, env, db, name):
        return self.default_schema(env, db) if name is None else db.schemas.find(name)

    def _object(self, env, db, parts, depth=0):
        """(object, database) of a name in the user's schema, else in dbo; synonyms are followed."""
        home = db if parts[0] is None else self.database(env, parts[0])
        if home is None:
            return None
        if parts[2].startswith("#"):
            obj = env.session.temp_tables.get(parts[2].casefold())
            return (obj, self.engine.tempdb) if obj else None
        if parts[1] is None:
            schemas = [self.default_schema(env, home)]
            module_schema = getattr(env, "schema_id", None)
            if module_schema and home is env.db:
                schemas.insert(0, home.schemas.get(module_schema))
            schemas.append(home.schemas.get(1))
        else:
            schemas = [home.schemas.find(parts[1])]
        for s in schemas:
            obj = s and home.objects.find_in(s.id, parts[2])
            if s:
                self.engine.locks.naming(env, home, s.id, parts[2], obj)
                obj = home.objects.find_in(s.id, parts[2])      # after a wait it may be another or none
            if obj:
                if obj.type == "SN" and depth < 8:
                    base = tuple([None] * (3 - len(obj.base)) + list(obj.base)[-3:])
                    return self._object(env, home, base, depth + 1)
                return obj, home
        return None

    def table(self, env, db, parts, line=0):
        name, schema = parts[2], parts[1]
        if parts[0] is None and schema is None and name.casefold() in env.special_tables():
            return Found("object", parts, name, self.engine.tempdb,
                         env.special_tables()[name.casefold()], temporary=True)
        home = db
        if parts[0] is not None:
            home = self.engine.catalogue.databases.find(parts[0])
            if home is None:
                raise error(208, name=shown(parts), line=line)
            self.enter(env, home)
        view = self.engine.views.find(home, schema, name)
        if view is not None:
            return Found("catalogue", (home.name, view.schema, view.name), shown(parts), home,
                         view=view)
        found = self._object(env, db, parts)
        if found is None:
            raise error(208, name=shown(parts), line=line)
        obj, home = found
        s = home.schemas.get(obj.schema_id) if not name.startswith("#") else None
        return Found("object", (home.name, s.name if s else "dbo", obj.name), shown(parts), home, obj,
                     temporary=name.startswith("#"))

    def object(self, env, db, parts, types=None):
        """(object, database) or None."""
        found = self._object(env, db, parts)
        return found if found and (types is None or found[0].type in types) else None

    def any_object(self, env, db, text):
        """The object that a string like N'db.schema.name' means, for OBJECT_ID and its kin."""
        parts = split_name(text)
        if not parts or len(parts) > 3 or not parts[-1]:
            return None
        parts = tuple([None] * (3 - len(parts)) + [p or None for p in parts])
        if parts[0] is not None:
            home = self.engine.catalogue.databases.find(parts[0])
            if home is None or self.engine.security.user_in(env.ctx, home) is None:
                return None
        return self._object(env, db, parts)

    def data_type(self, env, db, t):
        """A built-in type for what the parser left of a type's name."""
        if isinstance(t, T):
            return t
        schema, name = t[1][-2:] if len(t[1]) > 1 else (None, t[1][-1])
        s = self.schema(env, db, schema)
        found = (s and db.types.find_in(s.id, name)) or \
            (schema is None and db.types.find_in(1, name)) or None
        if not found:
            raise error(2715, name=".".join(p for p in t[1] if p))
        return found.base


def split_name(text):
    """The parts of a dotted, perhaps bracketed name in a string; None when it is malformed."""
    parts, i = [], 0
    while True:
        if i < len(text) and text[i] in "[\"":
            close = "]" if text[i] == "[" else '"'
            out, i = "", i + 1
            while True:
                if i >= len(text):
                    return None
                if text[i] == close:
                    if text[i + 1:i + 2] == close:
                        i += 1
                    else:
                        break
                out += text[i]
                i += 1
            i += 1
            parts.append(out)
        else:
            j = i
            while j < len(text) and text[j] != ".":
                j += 1
            parts.append(text[i:j].strip())
            i = j
        if i >= len(text):
            return parts
        if text[i] != ".":
            return None
        i += 1
