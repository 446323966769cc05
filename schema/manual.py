"""The manual page of a database, in section 5: every table, column and documented key, with their types in words.

Doc texts are plain texts (docs/man/scdoc.py). In them a name in the form Table, where it is written with an underscore, or Table.column
and Table.column:key is set in bold type, and must exist: a reference that leads nowhere is an error. The same holds for
name(section), a manual page, of which tests/docs knows all. Tables of the other databases may be named too.
"""
import pathlib
import re
import sys

from model import COMMON_DOCS, Error

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "docs/man"))
import scdoc  # noqa: E402

_REFERENCE = re.compile(r"(?<![\w.-])([A-Z][A-Za-z]*(?:_[A-Za-z]+)*)\.([a-z_]+)(?::([a-zA-Z_-]+[a-zA-Z]))?(?![\w-])|"
                        r"(?<![\w.-])([a-z][a-z0-9-]*)\((\d)\)|(?<![\w.-])([A-Z][A-Za-z]*(?:_[A-Z][A-Za-z]*)+)(?![\w.])")

# Tables of Open vSwitch that our description of its database (vswitch.toml) has not.
_ELSEWHERE = {"Flow_Sample_Collector_Set"}

_TYPES = """Each column has a type. *string*, *integer*, *real*, *boolean* and *uuid* are single values, and always there (empty, zero or false if
nobody sets them). An *optional* value may be absent. A *set* has any number of different elements, a *map* values of keys. A reference is a row of another
table: while a *strong* one stands, its row lives, and when the last strong one goes, so does the row; a *weak* one disappears by itself with its
row. Tables in which rows live by themselves are marked *root*.

Every row also has *\\_uuid*, its identity. The column *external_ids* is in most tables, for whoever wrote the row: names and values of
their own, kept and not acted on, save where a key is documented."""

ABOUT = {
    "OVN_Northbound": ("the Northbound database", "ovn-nbctl", """Try *ovn-nbctl list* _TABLE_. Who is new here begins with
*Logical_Switch* and *Logical_Switch_Port*; *ovn-architecture*(7) shows how it all fits together."""),
    "OVN_Southbound": ("the Southbound database", "ovn-sbctl", """Try *ovn-sbctl list* _TABLE_. Who is new here begins with
*Datapath_Binding*, *Port_Binding* and *Logical_Flow*; *ovn-architecture*(7) shows how it all fits together."""),
}


def _inline(tables, where):
    """A function from a paragraph to scdoc, in which references are checked and set in bold type."""
    def replace(m):
        table, column, key, page, section, alone = m.groups()
        if page:
            return f"*{page}*({section})"
        if alone:                      # Words in capitals with underscores are table names, or nothing.
            if alone not in tables and alone not in _ELSEWHERE and re.fullmatch(r"[A-Z][a-z]+(_[A-Z][a-z]+)+", alone):
                raise Error(f"{where}: refers to a table {alone}, which is not there")
            return scdoc.bold(alone) if alone in tables else scdoc.escape(alone)
        t = tables.get(table)
        if not t or column not in t.columns or (key and t.columns[column].keys and key not in t.columns[column].keys):
            raise Error(f"{where}: refers to {m.group()}, which is not there")
        return scdoc.bold(m.group())

    def inline(text):
        out, at = [], 0
        for m in _REFERENCE.finditer(text):
            if m.group(1) and m.group(1) not in tables:
                continue               # "NAME.pid" and the like.
            out += [scdoc.escape(text[at:m.start()]), replace(m)]
            at = m.end()
        return "".join(out) + scdoc.escape(text[at:])
    return inline


def base_in_words(base, plural=False):
    """"integer from 1 to 4095", "strings"..."""
    s = "s" if plural else ""
    if base.ref:
        return f"{'weak' if base.weak else 'strong'} reference{s} to {base.ref}"
    if base.enum:
        return ("only *" + base.enum[0] + "*") if len(base.enum) == 1 else "one of " + ", ".join(scdoc.bold(v) for v in base.enum)
    if base.min is not None and base.max is not None:
        return f"{base.type}{s} from {base.min} to {base.max}"
    if base.min is not None:
        return f"{base.type}{s}, at least {base.min}"
    if base.max is not None:
        return f"{base.type}{s}, at most {base.max}"
    return f"{base.type}{s}" + (f" of at most {base.max_length} characters" if base.max_length else "")


def type_in_words(column):
    number = " (at least one)" if column.min else f" (at most {column.max})" if column.max else ""
    if column.value:
        return f"map from {base_in_words(column.key)} to {base_in_words(column.value)}"
    if column.max == 1:
        return base_in_words(column.key) if column.min else "optional " + base_in_words(column.key)
    if column.key.enum:
        return f"set{number}, each {base_in_words(column.key)}"
    return f"set{number} of {base_in_words(column.key, True)}"


def _column(known, table, column):
    where = f"{table.name}.{column.name}"
    inline = _inline(known, where)
    notes = [type_in_words(column)] + ["written once"] * (not column.mutable) + ["not stored"] * column.ephemeral
    words = "; ".join(notes)
    doc = "Free for whoever wrote the row." if column.doc == COMMON_DOCS.get(column.name) and not column.keys else column.doc
    out = [f"*{column.name}*: {words if '*' in words else scdoc.escape(words)}", scdoc.paragraphs(doc, 1, inline)]
    for key, text in column.keys.items():
        out += [f"\t*{column.name}:{key}*" if column.value.type == "string" else f"\t*{column.name}:{key}*: {base_in_words(column.value)}",
                scdoc.paragraphs(text, 2, inline)]
    return out


def _table(db, known, table):
    out = [f"# TABLE {table.name.upper()}", "", scdoc.paragraphs(table.doc, 0, _inline(known, table.name))]
    facts = []
    if table.root:
        facts.append("*root*: rows live by themselves.")
    else:
        users = sorted(t.name for t in db.tables.values()
                       if any(b and b.ref == table.name and not b.weak for c in t.columns.values() for b in (c.key, c.value)))
        facts.append(f"Rows live while a row of {' or '.join(scdoc.bold(u) for u in users)} refers to them." if users else
                     "Nothing refers to rows of this table.")
    if table.max_rows:
        facts.append(f"At most {'one row' if table.max_rows == 1 else str(table.max_rows) + ' rows'}.")
    for index in table.indexes:
        facts.append(f"Unique: {' with '.join(scdoc.bold(c) for c in index)}.")
    out += [" ".join(facts), ""]
    for column in table.columns.values():
        out += _column(known, table, column)
    return out


def text(db, others):
    """The scdoc source of the page of DB; texts may refer to tables of OTHERS."""
    known = {t.name: t for d in [*others, db] for t in d.tables.values()}
    title, tool, hint = ABOUT[db.name]
    page = tool.removesuffix("ctl")
    first = lambda t: re.split(r"(?<=[.])\s", t.doc.strip(), maxsplit=1)[0].replace("\n", " ")
    out = [f'{page}(5) "OVN" "Open Virtual Network"', "", "# NAME", "", f"{page} - {db.name}, {title}", "", "# DESCRIPTION", "",
           scdoc.paragraphs(db.doc, 0, _inline(known, db.name)), hint, "", _TYPES, "",
           f"This page describes version {db.version} of the schema.", "", "# TABLES", ""]
    for t in db.tables.values():
        out += [f"*{t.name}*", "\t" + _inline(known, t.name)(first(t)), ""]
    for t in db.tables.values():
        out += _table(db, known, t)
    out += ["# SEE ALSO", "", f"*{tool}*(8), *ovn-architecture*(7), *ovn-northd*(8), *ovn-controller*(8), "
            f"*{'ovn-sb' if page == 'ovn-nb' else 'ovn-nb'}*(5), *ovsdb-server*(1)"]
    return "\n".join(out) + "\n"
