"""Lesser things of a database that have an owner and permissions: their classes, where they are kept, how they are made.

Of XML schema collections, Service Broker and full text only that they exist, who owns them, and what is granted on them.
"""
from typing import NamedTuple

# class -> the database's register
REGISTER = {"ASSEMBLY": "assemblies", "CERTIFICATE": "certificates", "ASYMMETRIC KEY": "asymmetric_keys",
            "SYMMETRIC KEY": "symmetric_keys", "MESSAGE TYPE": "message_types", "CONTRACT": "contracts",
            "SERVICE": "services", "REMOTE SERVICE BINDING": "remote_service_bindings", "ROUTE": "routes",
            "FULLTEXT CATALOG": "fulltext_catalogs", "FULLTEXT STOPLIST": "fulltext_stoplists",
            "SEARCH PROPERTY LIST": "search_property_lists"}
# register -> view, where their names differ
OWNED_VIEWS = {"message_types": "service_message_types", "contracts": "service_contracts",
               "search_property_lists": "registered_search_property_lists", "xml_collections": "xml_schema_collections"}
# What a schema contains, and what therefore may belong to the schema's owner.
IN_SCHEMA = {"OBJECT": "objects", "TYPE": "types", "XML SCHEMA COLLECTION": "xml_collections"}


class Kind(NamedTuple):
    number: int         # sys.database_permissions.class
    described: str
    create: str         # permission to make one
    alter_any: str
    code: str           # of ALTER ANY ..., in sys.database_permissions.type


KINDS = {
    "XML SCHEMA COLLECTION": Kind(10, "XML_SCHEMA_COLLECTION", "CREATE XML SCHEMA COLLECTION", "", "CRXS"),
    "MESSAGE TYPE": Kind(15, "MESSAGE_TYPE", "CREATE MESSAGE TYPE", "ALTER ANY MESSAGE TYPE", "MT"),
    "CONTRACT": Kind(16, "SERVICE_CONTRACT", "CREATE CONTRACT", "ALTER ANY CONTRACT", "SC"),
    "SERVICE": Kind(17, "SERVICE", "CREATE SERVICE", "ALTER ANY SERVICE", "SV"),
    "REMOTE SERVICE BINDING": Kind(18, "REMOTE_SERVICE_BINDING", "CREATE REMOTE SERVICE BINDING",
                                   "ALTER ANY REMOTE SERVICE BINDING", "SB"),
    "ROUTE": Kind(19, "ROUTE", "CREATE ROUTE", "ALTER ANY ROUTE", "RT"),
    "FULLTEXT CATALOG": Kind(23, "FULLTEXT_CATALOG", "CREATE FULLTEXT CATALOG", "ALTER ANY FULLTEXT CATALOG", "FT"),
    "FULLTEXT STOPLIST": Kind(29, "FULLTEXT_STOPLIST", "CREATE FULLTEXT CATALOG", "ALTER ANY FULLTEXT CATALOG", "FT"),
    "SEARCH PROPERTY LIST": Kind(31, "SEARCH_PROPERTY_LIST", "CREATE FULLTEXT CATALOG", "ALTER ANY FULLTEXT CATALOG",
                                 "FT"),
}


def permission_lines():
    """Lines for the table of permissions, in its form."""
    for create, any_, code in sorted({(k.create, k.alter_any, k.code) for k in KINDS.values()}):
        if any_:
            yield f"DATABASE|{any_}|AL{code}|ALTER|CONTROL SERVER"
            yield f"DATABASE|{create}|CR{code}|{any_}|CONTROL SERVER"
        else:
            yield f"DATABASE|{create}|{code}|ALTER|CONTROL SERVER"
    for cls, k in KINDS.items():
        up = k.alter_any or "ALTER"
        yield f"{cls}|CONTROL|CL|-|CONTROL"
        yield f"{cls}|ALTER|AL|CONTROL|{up}"
        yield f"{cls}|REFERENCES|RF|CONTROL|REFERENCES"
        yield f"{cls}|TAKE OWNERSHIP|TO|CONTROL|CONTROL"
        yield f"{cls}|VIEW DEFINITION|VW|CONTROL|VIEW DEFINITION"
        if cls == "SERVICE":
            yield f"{cls}|SEND|SN|CONTROL|CONTROL"
        if cls == "XML SCHEMA COLLECTION":
            yield f"{cls}|EXECUTE|EX|CONTROL|EXECUTE"
