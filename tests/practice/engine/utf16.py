"""Lengths and places in text as SQL Server counts them: UTF-16 units, of which an emoji has two."""


def units(text):
    return len(text) if text.isascii() else len(text) + sum(c > "\uffff" for c in text)


def cut(text, start, end=None):
    """The units from `start` on and before `end`. Half of a pair becomes U+FFFD: SQLite can keep no half."""
    if units(text) == len(text):
        return text[start:end]
    raw = text.encode("utf-16-le", "surrogatepass")
    raw = raw[2 * start:None if end is None else 2 * end]
    return raw.decode("utf-16-le", "replace")


def find(text, part, start=0):
    """Where `part` begins in `text`, from `start` on; -1 where it does not."""
    at = cut(text, start).find(part)
    return at if at < 0 else start + units(cut(text, start)[:at])
