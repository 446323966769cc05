"""The schemas that the build generates are, in structure, the documented ones (reference/), and ovsdb-tool takes them.

The structure of a schema is its tables (columns, indexes, isRoot, maxRows) and its columns (key and value with all
constraints, min, max, ephemeral, mutable), with the defaults of RFC 7047 section 3.2 filled in. The comparer knows
every word that a schema may hold and refuses others, so nothing can differ unseen; the tests change a schema in every
place to see that it tells.
"""
import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
BUILD = pathlib.Path(os.environ.get("SCHEMA_BUILD", HERE.parents[1] / "build/schema"))
SHARED = HERE.parents[2] / "shared/reference"          # Where the reference came from, when it is there.
sys.path.insert(0, str(HERE.parent))
import model  # noqa: E402
import ovsschema  # noqa: E402
import rows  # noqa: E402

VERSIONS = {"ovn-nb": "7.19.0", "ovn-sb": "21.11.0"}


def known(what, obj, words):
    """OBJ itself, if it is an object with no other members than WORDS."""
    if not isinstance(obj, dict) or set(obj) - set(words):
        raise ValueError(f"{what}: unknown words {sorted(set(obj) - set(words))}")
    return obj


def base_structure(base):
    if base is None:
        return None
    base = {"type": base} if isinstance(base, str) else known("type", base, (
        "type", "minInteger", "maxInteger", "minReal", "maxReal", "minLength", "maxLength", "enum", "refTable",
        "refType"))
    enum = base.get("enum")
    if enum is not None:
        enum = sorted(enum[1]) if isinstance(enum, list) and enum[0] == "set" else [enum]
    ref = base.get("refTable")
    return (base["type"], base.get("minInteger"), base.get("maxInteger"), base.get("minReal"), base.get("maxReal"),
            base.get("minLength", 0), base.get("maxLength"), enum, ref, base.get("refType", "strong") if ref else None)


def column_structure(column):
    known("column", column, ("type", "ephemeral", "mutable"))
    type_ = column["type"]
    type_ = {"key": type_} if isinstance(type_, str) else known("type", type_, ("key", "value", "min", "max"))
    return {"key": base_structure(type_["key"]), "value": base_structure(type_.get("value")),
            "min": type_.get("min", 1), "max": type_.get("max", 1), "ephemeral": column.get("ephemeral", False),
            "mutable": column.get("mutable", True)}


def structure(schema):
    """What SCHEMA means, so that two schemas mean the same if and only if these are equal."""
    known("schema", schema, ("name", "version", "cksum", "tables"))
    out = {}
    for name, t in schema["tables"].items():
        known(name, t, ("columns", "indexes", "isRoot", "maxRows"))
        out[name] = {"isRoot": t.get("isRoot", False), "maxRows": t.get("maxRows"),
                     "indexes": sorted(sorted(i) for i in t.get("indexes", [])),
                     "columns": {c: column_structure(s) for c, s in t["columns"].items()}}
    if not any(t["isRoot"] for t in out.values()):     # Then all are (RFC 7047).
        for t in out.values():
            t["isRoot"] = True
    return {"name": schema["name"], "version": schema["version"], "cksum": schema.get("cksum"), "tables": out}


def places(obj, path=()):
    """The paths of all members of OBJ."""
    items = obj.items() if isinstance(obj, dict) else enumerate(obj) if isinstance(obj, list) else ()
    for k, v in items:
        yield path + (k,)
        yield from places(v, path + (k,))


class Schemas(unittest.TestCase):
    maxDiff = 2000

    def schemas(self):
        return [(name, json.loads((BUILD / f"{name}.ovsschema").read_text()),
                 json.loads((HERE / f"reference/{name}.ovsschema").read_text())) for name in VERSIONS]

    def test_structure_is_the_documented_one(self):
        for _, ours, reference in self.schemas():
            self.assertEqual(structure(ours), structure(reference))

    def test_reference_is_the_given_one(self):
        if not SHARED.is_dir():
            self.skipTest(f"no {SHARED}")
        for name in VERSIONS:
            self.assertEqual((SHARED / f"{name}.ovsschema").read_text(),
                             (HERE / f"reference/{name}.ovsschema").read_text())

    def test_ovsdb_tool_takes_them(self):
        for name, _, _ in self.schemas():
            path = BUILD / f"{name}.ovsschema"
            version = subprocess.run(["ovsdb-tool", "schema-version", path], check=True, capture_output=True, text=True)
            self.assertEqual(version.stdout.strip(), VERSIONS[name])
            with tempfile.TemporaryDirectory() as d:
                done = subprocess.run(["ovsdb-tool", "create", f"{d}/db", path], capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_comparer_sees_every_difference(self):
        """Any member of a schema taken away, or any value changed, is a difference, unless it says a default."""
        defaults = (("take", "isRoot", False), ("take", "min", 1), ("take", "max", 1))
        for _, ours, _ in self.schemas():
            ours = {**ours, "tables": dict(list(ours["tables"].items())[:12])}
            want = structure(ours)
            for path in places(ours):
                for change in ("take", "set"):
                    mutant = copy.deepcopy(ours)
                    at = mutant
                    for step in path[:-1]:
                        at = at[step]
                    old = at[path[-1]]
                    if change == "take":
                        del at[path[-1]]
                    else:
                        at[path[-1]] = not old if isinstance(old, bool) else old + 1 if isinstance(old, int) else "x"
                    try:
                        same = structure(mutant) == want
                    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
                        same = False
                    if same:
                        self.assertIn((change, path[-1], old), defaults)

    def test_comparer_fills_in_defaults(self):
        plain = {"name": "x", "version": "1.0.0", "tables": {"t": {"columns": {"c": {"type": "string"}}}}}
        full = copy.deepcopy(plain)
        full["tables"]["t"] = {"isRoot": True, "columns": {"c": {
            "type": {"key": {"type": "string"}, "min": 1, "max": 1}, "ephemeral": False, "mutable": True}}}
        self.assertEqual(structure(plain), structure(full))


def description(columns, **table):
    """A description of one table T with COLUMNS (name -> type)."""
    return {"name": "X", "version": "1.0.0", "table": {
        "T": {"column": {c: {"type": t} for c, t in columns.items()}, **table}}}


class Descriptions(unittest.TestCase):
    def test_types(self):
        for text, want in {
                "string": "string",
                "integer 0..": {"key": {"type": "integer", "minInteger": 0}},
                "integer ..-1": {"key": {"type": "integer", "maxInteger": -1}},
                "optional integer -1..4095": {"key": {"type": "integer", "minInteger": -1, "maxInteger": 4095},
                                              "min": 0, "max": 1},
                "set uuid": {"key": "uuid", "min": 0, "max": "unlimited"},
                "set 1.. strong T": {"key": {"type": "uuid", "refTable": "T"}, "min": 1, "max": "unlimited"},
                "set 0..3 string ..63": {"key": {"type": "string", "maxLength": 63}, "min": 0, "max": 3},
                "map string a|b to weak T": {"key": {"type": "string", "enum": ["set", ["a", "b"]]},
                                             "value": {"type": "uuid", "refTable": "T", "refType": "weak"},
                                             "min": 0, "max": "unlimited"},
                "string drop|": {"key": {"type": "string", "enum": ["set", ["drop"]]}}}.items():
            doc = ovsschema.document(model.parse(description({"c": text})))
            self.assertEqual(doc["tables"]["T"]["columns"]["c"]["type"], want, text)

    def test_refused(self):
        for source in (
                description({"c": ""}), description({"c": "text"}), description({"c": "strong"}),
                description({"c": "strong Nowhere"}), description({"c": "integer 5..1"}),
                description({"c": "string a|a"}), description({"c": "string 1..2"}), description({"c": "string x"}),
                description({"c": "set 2.. string"}), description({"c": "set 0..0 string"}),
                description({"c": "map string"}), description({"c": "map string to"}),
                description({"c": "map strong T to strong T"}), description({"c": "optional set string"}),
                description({"_c": "string"}), description({"a b": "string"}),
                description({"c": "string"}, indexes=[["d"]]), description({"c": "string"}, isRoot=True),
                description({"c": "string"}, root="yes"), {"name": "X", "version": "1"}):
            with self.assertRaises(model.Error, msg=source):
                model.parse(source)

    def test_everything_is_documented(self):
        for path in sorted(HERE.parent.glob("*.toml")):
            db = model.load(path)
            self.assertTrue(db.doc, path)
            for t in db.tables.values():
                self.assertTrue(t.doc, f"{path.name}: {t.name}")
                for c in t.columns.values():
                    self.assertTrue(c.doc, f"{path.name}: {t.name}.{c.name}")

    def test_partial_makes_no_schema(self):
        db = model.parse({**description({"c": "string"}), "partial": True})
        self.assertRaises(model.Error, ovsschema.document, db)

    def test_names_that_collide_are_refused(self):
        source = description({"c": "optional strong T", "c_uuid": "string"})
        self.assertRaises(model.Error, rows.header, model.parse(source), "x", "x.toml")
        source = description({"c": "string", "C": "string"})
        self.assertRaises(model.Error, rows.header, model.parse(source), "x", "x.toml")

    def test_keywords_become_members(self):
        text = rows.header(model.parse(description({"default": "string"})), "x", "x.toml")
        self.assertIn("union ovsdb_atom default_;", text)
        self.assertIn("x_t_default(const struct x_t *r", text)

    def test_a_mask_holds_no_more_than_63_bits(self):
        fits = {f"c{i}": "string" for i in range(62)} | {"r": "strong U"}
        over = {f"c{i}": "string" for i in range(62)} | {"r": "strong T"}
        u = {"U": {"column": {"c": {"type": "string"}}}}
        for columns, ok in ((fits, True), (over, False)):
            source = description(columns)
            source["table"] |= u
            db = model.parse(source)
            if ok:
                self.assertEqual(rows.referrer_bits(db), {("T", "r"): 1})
            else:
                self.assertRaises(model.Error, rows.referrer_bits, db)


if __name__ == "__main__":
    unittest.main()
