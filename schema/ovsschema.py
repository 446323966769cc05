"""The .ovsschema (RFC 7047 section 3.2) of a description."""
import json

from model import Error


def _base(base):
    out = {"type": base.type}
    for name, value in (("minInteger", base.min), ("maxInteger", base.max),
                        ("maxLength", base.max_length), ("refTable", base.ref)):
        if value is not None:
            out[name] = value
    if base.enum is not None:
        out["enum"] = ["set", base.enum]
    if base.weak:
        out["refType"] = "weak"
    return base.type if len(out) == 1 else out


def _column(column):
    out = {"type": {"key": _base(column.key)}}
    if column.value:
        out["type"]["value"] = _base(column.value)
    if (column.min, column.max) != (1, 1):
        out["type"]["min"] = column.min
        out["type"]["max"] = "unlimited" if column.max is None else column.max
    if out["type"] == {"key": column.key.type}:
        out["type"] = column.key.type
    if column.ephemeral:
        out["ephemeral"] = True
    if not column.mutable:
        out["mutable"] = False
    return out


def _table(table):
    out = {"columns": {c.name: _column(c) for c in table.columns.values()}}
    if table.indexes:
        out["indexes"] = table.indexes
    if table.max_rows is not None:
        out["maxRows"] = table.max_rows
    out["isRoot"] = table.root
    return out


def document(db):
    """The schema of DB as a JSON value."""
    if db.partial:
        raise Error(f"{db.name}: the description is partial; a schema must be whole")
    out = {"name": db.name, "version": db.version}
    if db.cksum is not None:
        out["cksum"] = db.cksum
    out["tables"] = {t.name: _table(t) for t in db.tables.values()}
    return out


def text(db):
    """The schema of DB as text, a line a column."""
    doc = document(db)
    tables = doc.pop("tables")
    lines = ["{"] + [f" {json.dumps(k)}: {json.dumps(v)}," for k, v in doc.items()] + [' "tables": {']
    for i, (name, table) in enumerate(tables.items()):
        columns = table.pop("columns")
        lines += [f"  {json.dumps(name)}: {{", '   "columns": {']
        lines += [f"    {json.dumps(c)}: {json.dumps(s)}{',' if n < len(columns) - 1 else '},'}"
                  for n, (c, s) in enumerate(columns.items())]
        rest = ", ".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in table.items())
        lines.append(f"   {rest}}}{',' if i < len(tables) - 1 else '}'}")
    return "\n".join(lines + ["}"]) + "\n"
