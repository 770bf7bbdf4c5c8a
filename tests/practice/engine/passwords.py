"""Passwords of logins: age, expiration, lockout, and LOGINPROPERTY."""
import datetime

from .functions import function, strict
from .sqltypes import VARIANT, date_parts

# Returned for every login. Some servers return the others only if both policies are on.
ALWAYS = {"passwordhash", "passwordhashalgorithm", "passwordlastsettime", "defaultdatabase", "defaultlanguage"}


def age_days(features, p):
    given = features.password_age.get(p.name)
    if given is not None:
        return int(given)
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    return (now - date_parts(p.password_set)[0]).days


def is_expired(features, p):
    return bool(p.policy and p.expiration) and age_days(features, p) > features.password_days


@function("LOGINPROPERTY", 2, 2, VARIANT)
@strict
def _loginproperty(env, name, prop):
    engine, features, prop = env.engine, env.engine.catalogue.features, prop.casefold()
    p = engine.catalogue.principals.find(name)
    if p is None or p.type != "S" or not engine.security.sees_server_principal(env.ctx, p):
        return None
    if features.bare_login_properties and prop not in ALWAYS and not (p.policy and p.expiration):
        return None
    return {"ismustchange": int(p.must_change), "islocked": int(p.locked),
            "isexpired": int(is_expired(features, p)),
            "daysuntilexpiration": max(features.password_days - age_days(features, p), 0)
            if p.policy and p.expiration else None,
            "passwordlastsettime": p.password_set, "badpasswordcount": p.bad_count,
            "badpasswordtime": p.bad_time, "lockouttime": p.bad_time if p.locked else None,
            "historylength": 0, "passwordhashalgorithm": 2,
            "passwordhash": p.hash if engine.security.has_server(env.ctx, "CONTROL SERVER") else None,
            "defaultdatabase": p.default_database, "defaultlanguage": p.language}.get(prop)
