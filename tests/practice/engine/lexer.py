"""Splits T-SQL text into tokens. Comments nest, quotes are doubled, and every token has its line."""
import re
from dataclasses import dataclass

from .events import SqlError


@dataclass(frozen=True)
class Token:
    kind: str        # id qid str nstr int dec float bin var op eof
    text: str        # as written (identifiers: without quotes)
    value: object
    line: int
    start: int
    end: int
    word: str = ""   # upper-case text of an unquoted identifier, "" for everything else


_PATTERN = re.compile(r"""
    (?P<space>\s+|--[^\n]*)
  | (?P<comment>/\*)
  | (?P<str>[nN]?'(?:[^']|'')*')
  | (?P<open>[nN]?')
  | (?P<bracket>\[(?:[^\]]|\]\])*\])
  | (?P<quoted>"(?:[^"]|"")*")
  | (?P<bin>0[xX][0-9A-Fa-f]*)
  | (?P<float>(?:\d+\.?\d*|\.\d+)[eE][+-]?\d+)
  | (?P<dec>\d+\.\d*|\.\d+)
  | (?P<int>\d+)
  | (?P<var>@@?[\w@$\#]+)
  | (?P<id>[^\W\d][\w@$\#]*|\#\#?[\w@$\#]+)
  | (?P<op><>|<=|>=|!=|!<|!>|\+=|-=|\*=|/=|%=|::|[-+*/%(),.;=<>~&|^:])
""", re.X)


def _comment_end(text, pos, line):
    depth, i = 0, pos
    while i < len(text):
        two = text[i:i + 2]
        if two == "/*":
            depth, i = depth + 1, i + 2
        elif two == "*/":
            depth, i = depth - 1, i + 2
            if depth == 0:
                return i
        else:
            i += 1
    raise SqlError(113, "Missing end comment mark '*/'.", 15, line=line)


def tokens_from(text, quoted=True):
    """The tokens of `text`, the last one of kind eof; raises 102, 105, 113 or 1038.

    `quoted` is QUOTED_IDENTIFIER: without it "x" is a string. A SET of it counts from where it stands,
    as it is read, whether it will run or not.
    """
    out, pos, line = [], 0, 1
    while pos < len(text):
        m = _PATTERN.match(text, pos)
        if not m:
            bad = text[pos]
            if bad in "[\"":
                raise SqlError(105, "Unclosed quotation mark after the character string "
                                    f"'{text[pos + 1:]}'.", 15, line=line)
            raise SqlError(102, f"Incorrect syntax near '{bad}'.", 15, line=line)
        kind, raw, end = m.lastgroup, m.group(), m.end()
        if kind == "comment":
            end = _comment_end(text, pos, line)
            raw = text[pos:end]
        elif kind == "open":
            rest = text[pos:].lstrip("nN")[1:]
            raise SqlError(105, f"Unclosed quotation mark after the character string '{rest}'.", 15,
                           line=line)
        elif kind != "space":
            if kind == "quoted" and not quoted:
                value = raw[1:-1].replace('""', '"')
                out.append(Token("str", raw, value, line, pos, end))
            else:
                out.append(_token(kind, raw, line, pos, end))
            if out[-1].word in ("ON", "OFF"):
                quoted = _quoting(out, quoted)
        line += raw.count("\n")
        pos = end
    out.append(Token("eof", "", None, line, pos, pos))
    return out


def _quoting(tokens, quoted):
    """QUOTED_IDENTIFIER after a SET that has just ended, which may name several options."""
    i, names = len(tokens) - 2, []
    while i >= 0 and (tokens[i].kind == "id" or tokens[i].text == ",") and tokens[i].word != "SET":
        names.append(tokens[i].word)
        i -= 1
    if i >= 0 and tokens[i].word == "SET" and {"QUOTED_IDENTIFIER", "ANSI_DEFAULTS"} & set(names):
        return tokens[-1].word == "ON"
    return quoted


def _token(kind, raw, line, start, end):
    if kind == "str":
        wide = raw[0] in "nN"
        body = raw[2:-1] if wide else raw[1:-1]
        return Token("nstr" if wide else "str", raw, body.replace("''", "'"), line, start, end)
    if kind in ("bracket", "quoted"):
        close = raw[-1]
        name = raw[1:-1].replace(close * 2, close)
        if not name:
            raise SqlError(1038, "An object or column name is missing or empty. For SELECT INTO "
                           "statements, verify each column has a name. For other statements, look "
                           "for empty alias names. Aliases defined as \"\" or [] are not allowed. "
                           "Change the alias to a valid name.", 15, line=line)
        return Token("qid", name, name, line, start, end)
    if kind == "bin":
        digits = raw[2:]
        value = bytes.fromhex("0" + digits if len(digits) % 2 else digits)
        return Token("bin", raw, value, line, start, end)
    if kind == "int":
        return Token("int" if int(raw) < 2 ** 63 else "dec", raw, int(raw), line, start, end)
    if kind in ("dec", "float"):
        return Token(kind, raw, float(raw), line, start, end)
    if kind == "id":
        return Token("id", raw, raw, line, start, end, raw.upper())
    return Token(kind, raw, raw, line, start, end)


def split_batches(text):
    """Batches of a script: lines that hold only GO (or GO n) separate them, as in sqlcmd."""
    batches, lines = [], []
    for line in text.splitlines():
        if re.fullmatch(r"\s*GO(\s+\d+)?\s*;?\s*", line, re.I):
            batches.append("\n".join(lines))
            lines = []
        else:
            lines.append(line)
    batches.append("\n".join(lines))
    return [b for b in batches if b.strip()]
