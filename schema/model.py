"""The description of a database: what schema/*.toml says, read and checked.

A description is a TOML file:

    name = "OVN_Northbound"            # of the database
    version = "7.19.0"
    cksum = "..."                      # optional
    partial = true                     # optional: not all of the database, so no .ovsschema is made of it
    doc = "..."

    [table.Logical_Switch]
    doc = "..."
    root = true                        # isRoot; without it rows live while something refers to them
    max_rows = 1                       # optional
    indexes = [["name"]]               # optional

    [table.Logical_Switch.column.ports]
    type = "set strong Logical_Switch_Port"
    doc = "..."
    ephemeral = true                   # optional
    mutable = false                    # optional

    key.subnet = "..."                 # optional: a documented key of a map, with its text

Tables, columns and keys stand in the order in which the manual page presents them (manual.py). A doc is a plain text: paragraphs, and
examples indented by four spaces (docs/man/scdoc.py); names such as Table.column in it must exist. The types:

    TYPE := BASE                       exactly one
          | "optional" BASE            none or one
          | "set" [MIN ".." [MAX]] BASE
          | "map" [MIN ".." [MAX]] BASE "to" BASE
    BASE := "integer" [[MIN] ".." [MAX]] | "string" [".." MAXLENGTH] | "string" VALUE "|" VALUE ...
          | "boolean" | "real" | "uuid" | "strong" TABLE | "weak" TABLE

(one value alone is written with the bar too: "string drop|"). References to a table are UUIDs; a strong one
keeps its row alive, a weak one goes when its row goes (RFC 7047 section 3.2).
"""
import re
import tomllib
from dataclasses import dataclass, field

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1
NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*\Z")
RANGE = re.compile(r"(-?\d+)?\.\.(-?\d+)?\Z")

# Of columns that mean the same in every table, when a description says nothing else.
COMMON_DOCS = {
    "external_ids": "For whoever wrote the row: names and values of their own, which are kept and not acted on, "
                    "save where a key is documented here.",
}


class Error(Exception):
    """A description that is wrong; the text says where and why."""


@dataclass
class Base:
    """The type of an element: of a key, or of a map's value."""
    type: str                          # integer real boolean string uuid
    min: int | None = None             # Of an integer.
    max: int | None = None
    max_length: int | None = None      # Of a string.
    enum: list[str] | None = None
    ref: str | None = None             # The table that a uuid refers to.
    weak: bool = False


@dataclass
class Column:
    name: str
    doc: str
    key: Base
    value: Base | None
    min: int
    max: int | None                    # None: unlimited.
    ephemeral: bool
    mutable: bool
    keys: dict[str, str] = field(default_factory=dict)     # Documented keys of a map, with their texts.

    @property
    def shape(self):
        """ONE, OPT, SET or MAP, as src/ovsdb/types.h means them."""
        if self.value:
            return "MAP"
        if self.max == 1:
            return "ONE" if self.min == 1 else "OPT"
        return "SET"

    @property
    def ref(self):
        """The element (key or value) that is a reference, or None."""
        return next((b for b in (self.key, self.value) if b and b.ref), None)


@dataclass
class Table:
    name: str
    doc: str
    root: bool
    max_rows: int | None
    indexes: list[list[str]]
    columns: dict[str, Column]


@dataclass
class Database:
    name: str
    version: str
    cksum: str | None
    partial: bool
    doc: str
    tables: dict[str, Table]


def _take(where, source, wanted):
    """The values of SOURCE as WANTED (name -> (type, default)) says; anything else in it is an error."""
    for name in source:
        if name not in wanted:
            raise Error(f"{where}: unknown word '{name}'")
    out = []
    for name, (type_, default) in wanted.items():
        value = source.get(name, default)
        if value is ...:
            raise Error(f"{where}: '{name}' is missing")
        if value is not None and not isinstance(value, type_):
            raise Error(f"{where}: '{name}' is no {type_.__name__}")
        out.append(value)
    return out


def _range(word):
    """(MIN, MAX) of a word such as 1..4095, either None when open; None for any other word."""
    m = RANGE.match(word)
    if not m or m.group(0) == "..":
        return None
    return tuple(int(g) if g is not None else None for g in m.groups())


def _parse_base(words):
    """The BASE at the front of WORDS, which it removes."""
    kind = words.pop(0) if words else ""
    if kind in ("strong", "weak"):
        if not words:
            raise Error(f"'{kind}' names no table")
        return Base("uuid", ref=words.pop(0), weak=kind == "weak")
    if kind not in ("integer", "real", "boolean", "string", "uuid"):
        raise Error(f"no type '{kind}'")
    base = Base(kind)
    if words and kind == "integer" and (r := _range(words[0])):
        base.min, base.max = r
        words.pop(0)
        if None not in r and base.min > base.max:
            raise Error("empty range")
    elif words and kind == "string" and "|" in words[0]:
        base.enum = [w for w in words.pop(0).split("|") if w]
        if len(set(base.enum)) != len(base.enum):
            raise Error("a value stands twice")
    elif words and kind == "string" and (r := _range(words[0])):
        if r[0] is not None or r[1] < 0:
            raise Error("a string is limited as ..LENGTH")
        base.max_length = r[1]
        words.pop(0)
    return base


def parse_type(text):
    """(key, value or None, min, max or None) of a TYPE."""
    words = text.split()
    kind = words.pop(0) if words and words[0] in ("optional", "set", "map") else None
    low, high = {None: (1, 1), "optional": (0, 1)}.get(kind, (0, None))
    if kind in ("set", "map") and words and (r := _range(words[0])):
        low, high = r[0] or 0, r[1]
        words.pop(0)
        if low not in (0, 1) or (high is not None and high < max(low, 1)):
            raise Error("a column has at least 0 or 1 elements, and at most one or more")
    key = _parse_base(words)
    value = None
    if kind == "map":
        if not words or words.pop(0) != "to":
            raise Error("a map is 'map KEY to VALUE'")
        value = _parse_base(words)
    if words:
        raise Error(f"'{words[0]}' is not understood")
    return key, value, low, high


def _column(where, name, source):
    if not NAME.match(name) or name.startswith("_"):
        raise Error(f"{where}: bad name of a column")
    type_, doc, ephemeral, mutable, keys = _take(where, source, {
        "type": (str, ...), "doc": (str, ""), "ephemeral": (bool, False), "mutable": (bool, True),
        "key": (dict, {})})
    try:
        key, value, low, high = parse_type(type_)
    except Error as e:
        raise Error(f"{where}: type \"{type_}\": {e}") from None
    if keys and not (value and key.type == "string"):
        raise Error(f"{where}: keys are documented of maps of strings only")
    if not all(isinstance(text, str) for text in keys.values()):
        raise Error(f"{where}: a key is documented by a text")
    return Column(name, doc or COMMON_DOCS.get(name, ""), key, value, low, high, ephemeral, mutable, keys)


def _table(name, source):
    if not NAME.match(name) or name.startswith("_"):
        raise Error(f"{name}: bad name of a table")
    doc, root, max_rows, indexes, columns = _take(name, source, {
        "doc": (str, ""), "root": (bool, False), "max_rows": (int, None), "indexes": (list, []),
        "column": (dict, ...)})
    table = Table(name, doc, root, max_rows, indexes,
                  {c: _column(f"{name}.{c}", c, s) for c, s in columns.items()})
    for index in indexes:
        for c in index:
            if c not in table.columns or table.columns[c].ephemeral:
                raise Error(f"{name}: an index of column '{c}', which is not there or is ephemeral")
    return table


def parse(source):
    """The Database of a parsed TOML document, checked; raises Error."""
    name, version, cksum, partial, doc, tables = _take("database", source, {
        "name": (str, ...), "version": (str, ...), "cksum": (str, None), "partial": (bool, False),
        "doc": (str, ""), "table": (dict, ...)})
    db = Database(name, version, cksum, partial, doc, {t: _table(t, s) for t, s in tables.items()})
    for t in db.tables.values():
        for c in t.columns.values():
            if c.value and c.key.ref and c.value.ref:
                raise Error(f"{t.name}.{c.name}: key and value both refer to rows")
            if c.ref and c.ref.ref not in db.tables:
                raise Error(f"{t.name}.{c.name}: no table '{c.ref.ref}'")
    return db


def load(path):
    """The Database described by the file PATH; raises Error."""
    try:
        with open(path, "rb") as f:
            return parse(tomllib.load(f))
    except (Error, tomllib.TOMLDecodeError) as e:
        raise Error(f"{path}: {e}") from None
