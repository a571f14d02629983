# SPDX-License-Identifier: Apache-2.0
"""questions: the commands that gdb-multiarch is asked on either side."""

# Registers, code, stacks, memory, symbols, source: of any program here.
LOOK = (
    "info threads", "thread", "p $_thread", "thread apply all bt",
    "thread apply all bt full", "thread apply all -s frame", "bt 3", "bt -2",
    "bt -past-main", "bt -full -frame-arguments all 4", "frame", "info frame",
    "up", "info frame", "info locals", "info args", "info registers",
    "frame 2", "info registers", "info frame", "frame 0", "info registers",
    "info registers all", "info all-registers", "info registers x0 x29 sp pc",
    "info vector", "info float", "p/x $x0", "p/x $x19", "p $cpsr", "p/x $cpsr",
    "p $fpsr", "p $fpcr", "p $v0", "p $v31", "p $q1", "p $s2", "p $sp - $x29",
    "p $x30", "p $d1.f", "p $w2", "p $pc", "p $sp", "p/x $lr", "x/8i $pc",
    "x/8i $pc - 16", "x/i $pc", "x/16xg $sp", "x/32xb $sp", "x/8xw $sp - 32",
    "x/2a $sp", "x/xg 0", "x/s 0x10", "x/xb 0xffffffffffffffff",
    "find $sp, +512, (char)0", "find /g $sp, +256, 0x1122334455667788",
    "p/x *(long *)$sp@6", "info auxv", "info symbol $pc", "info symbol main",
    "info symbol 0", "info address main", "info line main", "info line *$pc",
    "info scope main", "list main", "disassemble main",
    "disassemble /s main,+16", "disassemble /r main,+8", "info source",
    "info sharedlibrary", "info functions ^main$", "p main", "p &main",
    "p *main", "p sizeof(long)", "ptype main", "whatis main", "p errno",
    "p $_siginfo", "p $_exitcode", "info signals SIGSEGV",
)
# Threads that stand still where the emulator shows them, too.
THREADS = (
    "thread 2", "bt", "info registers", "x/4i $pc", "up 2", "info locals",
    "info frame", "x/4xg $sp", "thread 1",
)
# Of victim.c.
VALUES = (
    "p head->id", "p *head->next->next", "p head", "p *head", "p/x head->id",
    "p ratio", "p ratio * 2", "p/x &ratio", "x/2f &ratio", "output ratio",
    "p own", "p &own", "thread apply all -c p own", "thread apply all -c p "
    "&own", "ptype head", "ptype /o struct node", "whatis head",
    "info symbol &ratio", "frame function main", "info locals",
    "frame function waiter", "thread 2", "frame function waiter", "p mine",
    "p own", "p *mine.next", "thread 1",
)


def of_core(is_victim):
    return [*LOOK, "inq-memory", *(THREADS if is_victim else ()),
            *(VALUES if is_victim else ())]


# The emulator's cores hold no vectors, and its stub shows hundreds of system
# registers that no process sees.
ONLY_LIVE = ("info registers all", "info all-registers", "info vector",
             "info float", "p $fpsr", "p $fpcr", "p $v0", "p $v31", "p $q1",
             "p $s2", "p $d1.f")
GENERAL = "info registers %s sp pc cpsr" % " ".join("x%d" % n
                                                    for n in range(31))


def of_live():
    return [GENERAL if command == "info registers" else command
            for command in (*LOOK, *THREADS, *VALUES)
            if command not in ONLY_LIVE]
