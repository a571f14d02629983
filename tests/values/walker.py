# SPDX-License-Identifier: Apache-2.0
"""
walker: sourced by gdb itself. Tells what its machine interface leaves out:
which frames are inlined, and of each variable the line of its declaration,
its type, and what it is made of - from gdb's values, not from their text.
"""

import json

import gdb

FIELDS = 24     # of one struct or array that are told
DEPTH = 3


def outline(value, depth):
    """[] of fields and elements, None of a scalar, "?" where it ends."""
    kind = value.type.strip_typedefs()
    if kind.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
        if depth == 0:
            return "?"
        return [["<" if field.is_base_class else field.name or "", outline(value[field], depth - 1)]
                for field in kind.fields()[:FIELDS]
                if hasattr(field, "bitpos")]
    if kind.code == gdb.TYPE_CODE_ARRAY:
        low, high = kind.range()
        element = kind.target().strip_typedefs()
        return ["elements", high - low + 1, element.code ==
                gdb.TYPE_CODE_INT and element.sizeof < 8]
    return None


def known(what):
    try:
        return what()
    except (gdb.error, RuntimeError, ValueError, OverflowError, TypeError,
            AttributeError):
        return None


# What -stack-list-variables leaves out and `info locals` shows.
UNLISTED = (gdb.SYMBOL_LOC_CONST, gdb.SYMBOL_LOC_CONST_BYTES,
            gdb.SYMBOL_LOC_OPTIMIZED_OUT)


def symbol_of(symbol, frame):
    value = known(lambda: symbol.value(frame))
    unlisted = symbol.addr_class in UNLISTED
    return {"name": symbol.name, "line": symbol.line, "unlisted": unlisted,
            "argument": symbol.is_argument,
            "text": known(value.format_string) if unlisted and value is not None
            else None,
            "type": known(lambda: str(symbol.type)),
            "address": known(lambda: int(value.address)),
            "lost": known(lambda: value.is_optimized_out),
            "outline": known(lambda: outline(value, DEPTH))
            if known(frame.language) in ("c", "c++") else None}


def is_enumerator(symbol):
    kind = symbol.type and symbol.type.strip_typedefs()
    return symbol.addr_class == gdb.SYMBOL_LOC_CONST and \
        kind is not None and kind.code == gdb.TYPE_CODE_ENUM and \
        any(f.name == symbol.name for f in kind.fields())


def symbols_of(frame):
    found = []
    block = known(frame.block)
    while block:
        found += [symbol_of(s, frame) for s in block
                  if (s.is_argument or s.is_variable or s.is_constant) and
                  not is_enumerator(s)]
        if block.function:
            break
        block = block.superblock
    return found


def frames():
    found, frame = [], gdb.newest_frame()
    while frame and len(found) < 120:
        frame.select()      # its language is how values are shown
        found.append({"inlined": frame.type() == gdb.INLINE_FRAME,
                      "symbols": symbols_of(frame)})
        frame = frame.older()
    return found


def tell():
    print(json.dumps(frames()))
