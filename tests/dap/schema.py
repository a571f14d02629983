# SPDX-License-Identifier: Apache-2.0
"""
schema: is a message of the Debug Adapter Protocol as it has to be?

A small reader of JSON schemas, draft 04: as much of it as such schemas use; a
keyword that it does not know is an error, so that nothing is overlooked. Our
own schema is always asked; the protocol's where there is a file of it, named
by INQUEST_DAP_SCHEMA or beside the source tree.
"""

import json
import os
import re

import kit

HERE = os.path.dirname(os.path.realpath(__file__))
OURS = os.path.join(HERE, "schema.json")
OFFICIAL = os.path.join(kit.source_dir(), "../shared/data",
                        "debugAdapterProtocol.json")
EXACT = 1 << 53     # above it JavaScript rounds

KINDS = {
    "object": dict, "array": list, "string": str, "null": type(None),
    "boolean": bool,
}


def is_kind(value, kind):
    if kind in ("integer", "number"):
        return isinstance(value, int if kind == "integer" else (int, float)) \
            and not isinstance(value, bool)
    return isinstance(value, KINDS[kind])


def short(value):
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:77] + "..."


# ---- keywords: each makes a function of (value, path) -> faults ------------

def of_type(schema, compiler):
    kinds = schema["type"]
    kinds = [kinds] if isinstance(kinds, str) else kinds

    def check(value, path):
        if not any(is_kind(value, k) for k in kinds):
            yield "%s is no %s: %s" % (path, " or ".join(kinds), short(value))
    return check


def of_enum(schema, compiler):
    words = [(type(w), w) for w in schema["enum"]]

    def check(value, path):
        if (type(value), value) not in words:
            yield "%s is none of %s: %s" % (
                path, short([w for _, w in words]), short(value))
    return check


def of_properties(schema, compiler):
    inner = {n: compiler.make(s)
             for n, s in schema.get("properties", {}).items()}
    others = schema.get("additionalProperties", True)
    other = compiler.make(others) if isinstance(others, dict) else None

    def check(value, path):
        for name, item in value.items() if isinstance(value, dict) else ():
            known = inner.get(name, other)
            if known:
                yield from known(item, "%s.%s" % (path, name))
            elif others is False:
                yield "%s has a member %s" % (path, short(name))
    return check


def of_required(schema, compiler):
    def check(value, path):
        for name in schema["required"] if isinstance(value, dict) else ():
            if name not in value:
                yield "%s lacks %s" % (path, name)
    return check


def of_items(schema, compiler):
    inner = compiler.make(schema["items"])

    def check(value, path):
        for k, item in enumerate(value) if isinstance(value, list) else ():
            yield from inner(item, "%s[%d]" % (path, k))
    return check


def of_bounds(schema, compiler):
    low, high = schema.get("minimum"), schema.get("maximum")

    def check(value, path):
        if is_kind(value, "number") and not (
                (low is None or value >= low) and
                (high is None or value <= high)):
            yield "%s is out of bounds: %s" % (path, value)
    return check


def of_length(schema, compiler):
    low = schema.get("minItems", 0)
    high = schema.get("maxItems", float("inf"))

    def check(value, path):
        if isinstance(value, list) and not low <= len(value) <= high:
            yield "%s has %d elements" % (path, len(value))
    return check


def of_unique(schema, compiler):
    def check(value, path):
        if isinstance(value, list) and \
                len({json.dumps(v, sort_keys=True) for v in value}) \
                != len(value):
            yield "%s has something twice" % path
    return check


def of_pattern(schema, compiler):
    pattern = re.compile(schema["pattern"])

    def check(value, path):
        if isinstance(value, str) and not pattern.search(value):
            yield "%s is not as it should be: %s" % (path, short(value))
    return check


def of_all(schema, compiler):
    inner = [compiler.make(s) for s in schema["allOf"]]

    def check(value, path):
        for each in inner:
            yield from each(value, path)
    return check


def of_any(schema, compiler):
    exactly = "oneOf" in schema
    inner = [compiler.make(s) for s in schema.get("anyOf") or
             schema["oneOf"]]

    def check(value, path):
        found = [list(each(value, path)) for each in inner]
        fit = sum(not f for f in found)
        if fit == 0 or exactly and fit > 1:
            yield "%s fits %d of %d forms: %s" % (
                path, fit, len(inner), "; ".join(f[0] for f in found if f))
    return check


def of_not(schema, compiler):
    inner = compiler.make(schema["not"])

    def check(value, path):
        if not list(inner(value, path)):
            yield "%s is what it must not be" % path
    return check


KEYWORDS = {
    "type": of_type, "enum": of_enum, "properties": of_properties,
    "additionalProperties": of_properties, "required": of_required,
    "items": of_items, "minimum": of_bounds, "maximum": of_bounds,
    "minItems": of_length, "maxItems": of_length, "uniqueItems": of_unique,
    "pattern": of_pattern, "allOf": of_all, "anyOf": of_any, "oneOf": of_any,
    "not": of_not,
}
# They say nothing of whether a value is right.
SILENT = {"$schema", "title", "description", "default", "format", "_enum",
          "enumDescriptions", "definitions", "deprecated", "id"}


class Schema:
    """A file of definitions."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            self.definitions = json.load(f)["definitions"]
        self.made = {}

    def make(self, schema):
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/definitions/")
            return lambda value, path: self.named(name)(value, path)
        unknown = set(schema) - SILENT - set(KEYWORDS)
        if unknown:
            raise ValueError("%s: keywords %s" % (short(schema), unknown))
        inner = [make(schema, self) for make in
                 dict.fromkeys(KEYWORDS[w] for w in schema if w in KEYWORDS)]

        def check(value, path):
            for each in inner:
                yield from each(value, path)
        return check

    def named(self, name):
        if name not in self.made:
            self.made[name] = self.make(self.definitions[name])
        return self.made[name]

    def faults(self, name, value, path="message"):
        return list(self.named(name)(value, path))


# ---- which definition is a message's? --------------------------------------

def kind_of(message):
    """request, response, refusal, event; and the name of what is in it."""
    kind = message.get("type")
    if kind == "response" and message.get("success") is not True:
        kind = "refusal"
    return kind, message.get("event" if kind == "event" else "command")


INSIDE = {"request": ("arguments", "%s arguments"),
          "response": ("body", "%s body"), "event": ("body", "%s event")}


def message_fault(refusal):
    """A word, or what people read, to clients that show this to them."""
    word = refusal["message"]
    said = refusal["body"]["error"].get("variables", {}).get("text")
    if re.fullmatch("[A-Za-z]+", word) or word == said:
        return []
    return ["message.message is neither a word nor the sentence: " +
            short(word)]


def ours_of(schema, message):
    kind, name = kind_of(message)
    if kind not in ("request", "response", "refusal", "event"):
        return ["message is of no type: %s" % short(kind)]
    found = schema.faults(kind, message)
    if found or kind == "refusal":
        return found or message_fault(message)
    member, definition = INSIDE[kind]
    definition %= name
    if definition not in schema.definitions:
        return ["%s: nobody says that" % definition]
    return schema.faults(definition, message.get(member, {}), member)


def official_of(schema, message):
    """What is not of the protocol itself has the protocol's envelope."""
    kind, name = kind_of(message)
    name = (name or "")[:1].upper() + (name or "")[1:]
    definition = {"request": name + "Request", "event": name + "Event",
                  "response": name + "Response",
                  "refusal": "ErrorResponse"}.get(kind, "ProtocolMessage")
    if definition not in schema.definitions:
        definition = {"request": "Request", "event": "Event"}.get(
            kind, "Response")
    return schema.faults(definition, message)


class Judge:
    """Ours always; the protocol's own where it is there."""

    def __init__(self):
        self.ours = Schema(OURS)
        path = os.environ.get("INQUEST_DAP_SCHEMA", OFFICIAL)
        self.official = Schema(path) if os.path.exists(path) else None

    def faults(self, message):
        if not isinstance(message, dict):
            return ["message is no object: %s" % short(message)]
        found = ours_of(self.ours, message)
        if self.official:
            # Who counts from 0 wants that number back.
            if message.get("request_seq") == 0:
                message = {**message, "request_seq": 1}
            found += ["by the protocol's schema: " + f
                      for f in official_of(self.official, message)]
        return found


# ---- JSON, strictly ---------------------------------------------------------

def no_constant(text):
    raise ValueError("%s is no number" % text)


def once(pairs):
    if len({k for k, _ in pairs}) != len(pairs):
        raise ValueError("a name comes twice: %s" % short(dict(pairs)))
    return dict(pairs)


def exact(text):
    value = int(text)
    if abs(value) > EXACT:
        raise ValueError("JavaScript would round %s" % text)
    return value


def read(data):
    """A message's value; ValueError where a strict reader would refuse it."""
    text = data.decode("utf-8")
    value = json.loads(text, object_pairs_hook=once, parse_int=exact,
                       parse_constant=no_constant)
    json.dumps(value, ensure_ascii=False).encode()     # no lone surrogates
    return value
