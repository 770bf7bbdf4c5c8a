"""Text as UTF-16 units, as SQL Server stores it. A unit may be half of a surrogate pair.

SQLite and JSON cannot store half of a pair. Inside this program, half a surrogate is a character of the last private
plane: U+D800 becomes U+10D800. `inside` and `outside` convert where text enters and leaves.
"""
import re

_HALF, _KEPT = re.compile("[\ud800-\udfff]"), re.compile("[\U0010d800-\U0010dfff]")
_OFFSET = 0x100000


def inside(text):
    """Text with half surrogates, as Python has it, as this program keeps it."""
    return text if text.isascii() else _HALF.sub(lambda m: chr(ord(m[0]) + _OFFSET), text)


def outside(text):
    return text if text.isascii() else _KEPT.sub(lambda m: chr(ord(m[0]) - _OFFSET), text)


def decode(raw):
    """Raises UnicodeDecodeError for an odd number of bytes."""
    return inside(raw.decode("utf-16-le", "surrogatepass"))


def encode(text):
    return outside(text).encode("utf-16-le", "surrogatepass")


def json_text(text):
    """JSON that was dumped without escapes, with half surrogates as escapes."""
    return text if text.isascii() else _KEPT.sub(lambda m: f"\\u{ord(m[0]) - _OFFSET:04x}", text)


def units(text):
    return len(text) if text.isascii() else len(outside(text)) + sum(
        c > "\uffff" and not "\U0010d800" <= c <= "\U0010dfff" for c in text)


def cut(text, start, end=None):
    """The units from `start` on and before `end`."""
    if text.isascii() or units(text) == len(text):
        return text[start:end]
    return decode(encode(text)[2 * start:None if end is None else 2 * end])


def find(text, part, start=0):
    """Where `part` begins in `text`, from `start` on; -1 where it does not."""
    at = cut(text, start).find(part)
    return at if at < 0 else start + units(cut(text, start)[:at])
