"""The C of a description: row structures, descriptors (src/ovsdb/types.h) and recording accessors."""
from model import INT64_MAX, INT64_MIN, Error

KEYWORDS = set("""auto break case char const continue default do double else enum extern float for goto if inline int
long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
asm typeof bool true false row_""".split())
PRESENT_BIT = 63               # OVSDB_PRESENT
C_TYPE = {"integer": "int64_t", "real": "double", "boolean": "bool"}
ATOM = {"integer": "i", "real": "d", "boolean": "b", "string": "s", "uuid": "row"}
SHAPE_TYPE = {"ONE": "union ovsdb_atom", "OPT": "struct ovsdb_opt", "SET": "struct ovsdb_set",
              "MAP": "struct ovsdb_map"}


class Names:
    """The C names of a database's parts, and that no two are the same."""

    def __init__(self, prefix):
        self.prefix = prefix
        self.taken = {}

    def claim(self, name, what):
        if name in self.taken:
            raise Error(f"{what} and {self.taken[name]} both become '{name}'")
        self.taken[name] = what
        return name

    def table(self, table):
        return f"{self.prefix}_{table.lower()}"

    def struct(self, table):
        return f"struct {self.table(table)}"

    def index(self, table, column):
        return f"{self.table(table)}_{column}".upper()

    def accessor(self, table, column, suffix=""):
        return self.claim(f"{self.table(table)}_{column.lower()}{suffix}", f"{table}.{column}{suffix}")


def member(column):
    name = column.name.lower()
    return name + "_" if name in KEYWORDS else name


def referrer_bits(db):
    """(table, column) -> the bit, in masks of the referenced table, of that column's references (types.h)."""
    bits = {}
    used = {t.name: len(t.columns) for t in db.tables.values()}
    for t in db.tables.values():
        for c in t.columns.values():
            if c.ref:
                bits[t.name, c.name] = used[c.ref.ref]
                used[c.ref.ref] += 1
    for name, n in used.items():
        if n > PRESENT_BIT:
            raise Error(f"{name}: {n} columns and references, more than a mask of {PRESENT_BIT} bits")
    return bits


def _accessors(n, table, c):
    """The functions that read column C."""
    def head(result, suffix="", extra=""):
        return [f"static inline {result}",
                f"{n.accessor(table, c.name, suffix)}(const {n.struct(table)} *r, struct dep_reader *by{extra})",
                "{", f"    ovsdb_row_read(&r->row_, by, OVSDB_COLUMN({n.index(table, c.name)}));"]
    cell = f"r->{member(c)}"
    if c.shape in ("SET", "MAP"):
        return head(f"const {SHAPE_TYPE[c.shape]} *") + [f"    return &{cell};", "}"]
    opt = c.shape == "OPT"
    atom = f"{cell}.v" if opt else cell
    base = c.key
    if base.ref:
        target = n.struct(base.ref)
        row = f"{cell}.has ? {atom}.row : NULL" if opt else f"{atom}.row"
        lines = head(f"{target} *") + [f"    return ({target} *) ovsdb_row_follow({row}, by);", "}"]
        if opt:
            lines += head("bool", "_uuid", ", struct uuid *value") + [
                f"    if ({cell}.has) {{", f"        *value = ovsdb_ref_uuid(&{atom});", "    }",
                f"    return {cell}.has;", "}"]
        else:
            lines += head("struct uuid", "_uuid") + [f"    return ovsdb_ref_uuid(&{atom});", "}"]
        return lines
    if base.type == "string":
        value = f"{cell}.has ? {atom}.s : NULL" if opt else f"{atom}.s ? {atom}.s : \"\""
        return head("const char *") + [f"    return {value};", "}"]
    value = f"ovsdb_plain_uuid(&{atom})" if base.type == "uuid" else f"{atom}.{ATOM[base.type]}"
    c_type = C_TYPE.get(base.type, "struct uuid")
    if opt:
        return head("bool", "", f", {c_type} *value") + [
            f"    if ({cell}.has) {{", f"        *value = {value};", "    }", f"    return {cell}.has;", "}"]
    return head(c_type) + [f"    return {value};", "}"]


def header(db, prefix, source_name):
    """The text of the header."""
    n = Names(prefix)
    guard = f"SCHEMA_{prefix.upper()}_H"
    out = [f"/* {prefix}.h - typed rows of {db.name} {db.version}: generated from schema/{source_name} by schema/generate.",
           " * An accessor: (row, who reads) -> value; for the rules see schema/rows.h. */",
           f"#ifndef {guard}", f"#define {guard} 1", "", '#include "schema/rows.h"', "",
           f"extern const struct ovsdb_db_desc {prefix}_db;",
           f"extern const struct ovsdb_table_desc {prefix}_tables[];"]
    out += [f"#define {n.prefix}_table_{t.lower()} ({prefix}_tables[{i}])" for i, t in enumerate(db.tables)]
    out += [""] + [f"{n.struct(t)};" for t in db.tables]
    for t in db.tables.values():
        out += ["", f"/* {t.name} */", "enum {"]
        out += [f"    {n.claim(n.index(t.name, c), f'index of {t.name}.{c}')}," for c in t.columns]
        out += [f"    {n.claim(n.table(t.name).upper() + '_N_COLUMNS_', f'columns of {t.name}')},", "};",
                f"{n.struct(t.name)} {{", "    struct ovsdb_row row_;"]
        out += [f"    {SHAPE_TYPE[c.shape]} {member(c)};" for c in t.columns.values()]
        of = n.claim(n.table(t.name) + "_of", f"cast to {t.name}")
        out += ["};", f"static inline {n.struct(t.name)} *", f"{of}(struct ovsdb_row *row)", "{",
                f"    return ({n.struct(t.name)} *) row;", "}"]
        for c in t.columns.values():
            out += _accessors(n, t.name, c)
    return "\n".join(out + ["", "#endif"]) + "\n"


class _Enums:
    """Arrays of the values of strings, one for each different list."""

    def __init__(self):
        self.lists = {}

    def name(self, base):
        if base.enum is None:
            return None
        return f"enum_{self.lists.setdefault(tuple(base.enum), len(self.lists))}"

    def text(self):
        return [f"static const char *const enum_{i}[] = {{ {', '.join(chr(34) + v + chr(34) for v in values)}, NULL }};"
                for values, i in self.lists.items()]


def _int64(value, default):
    value = default if value is None else value
    return {INT64_MIN: "INT64_MIN", INT64_MAX: "INT64_MAX"}.get(value, f"INT64_C({value})")


def _base(db, prefix, enums, base):
    parts = [f".type = OVSDB_{base.type.upper()}", f".min_integer = {_int64(base.min, INT64_MIN)}",
             f".max_integer = {_int64(base.max, INT64_MAX)}"]
    if base.ref:
        parts.append(f".ref = &{prefix}_tables[{list(db.tables).index(base.ref)}]")
    if base.weak:
        parts.append(".weak = true")
    if base.enum is not None:
        parts.append(f".enum_strings = {enums.name(base)}")
    return "{ " + ", ".join(parts) + " }"


def _column_desc(db, n, enums, bits, table, i, c):
    lines = [f"    {{ .name = \"{c.name}\", .shape = OVSDB_{c.shape}, .min = {c.min}, "
             f".max = {'UINT32_MAX' if c.max is None else c.max}, .ephemeral = {str(c.ephemeral).lower()}, "
             f".mutable_ = {str(c.mutable).lower()},",
             f"      .offset = offsetof({n.struct(table.name)}, {member(c)}), .index = {i}, "
             f".referrer_bit = {bits.get((table.name, c.name), 0)},",
             f"      .key = {_base(db, n.prefix, enums, c.key)},"]
    if c.value:
        lines.append(f"      .value = {_base(db, n.prefix, enums, c.value)},")
    return lines + ["    },"]


def source(db, prefix, source_name):
    """The text of the C file."""
    n, enums, bits = Names(prefix), _Enums(), referrer_bits(db)
    columns, indexes, tables = [], [], []
    for i, t in enumerate(db.tables.values()):
        low = t.name.lower()
        columns += [f"static const struct ovsdb_column_desc {low}_columns[] = {{"]
        for j, c in enumerate(t.columns.values()):
            columns += _column_desc(db, n, enums, bits, t, j, c)
        columns += ["};"]
        names = []
        for k, index in enumerate(t.indexes):
            names.append(f"{low}_index_{k}")
            numbers = ", ".join(n.index(t.name, c) for c in index)
            indexes.append(f"static const uint16_t {names[-1]}[] = {{ {numbers}, UINT16_MAX }};")
        indexes.append(f"static const uint16_t *const {low}_indexes[] = {{ {', '.join(names + ['NULL'])} }};")
        tables += [f"    {{ .name = \"{t.name}\", .db = &{prefix}_db, .columns = {low}_columns, "
                   f".n_columns = {len(t.columns)}, .index = {i},",
                   f"      .row_size = sizeof({n.struct(t.name)}), .is_root = {str(t.root).lower()}, "
                   f".max_rows = {'UINT32_MAX' if t.max_rows is None else t.max_rows}, .indexes = {low}_indexes }},"]
    out = [f"/* {prefix}.c - descriptors of {db.name} {db.version}: generated from schema/{source_name} by schema/generate. */",
           f'#include "schema/{prefix}.h"', ""]
    out += enums.text() + [""] + columns + [""] + indexes
    out += ["", f"const struct ovsdb_table_desc {prefix}_tables[] = {{"] + tables + ["};"]
    out += ["", f"const struct ovsdb_db_desc {prefix}_db = {{",
            f"    .name = \"{db.name}\", .version = \"{db.version}\", .tables = {prefix}_tables, "
            f".n_tables = {len(db.tables)},", "};"]
    return "\n".join(out) + "\n"
