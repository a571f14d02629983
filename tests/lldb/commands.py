# SPDX-License-Identifier: Apache-2.0
"""commands: what lldb is asked of a process, live and as a snapshot."""

# Thread 3, where there is one: expressions let all threads run for a moment,
# and one that sleeps for some time would go on by another system call.
ANYWHERE = (
    "inq-stopped", "process status", "process status -v", "thread list",
    "thread info",
    "thread info -s", "thread backtrace", "thread backtrace all",
    "thread backtrace unique", "thread backtrace -c 2", "bt 3",
    "thread siginfo", "frame info", "frame variable",
    "image list", "image list -o -f", "image list -a",
    "image dump sections libc.so.6", "image lookup -a $pc",
    "image lookup -v -a $pc", "image lookup -a $sp", "image lookup -n main",
    "image lookup -n malloc", "image lookup -r -n '^pthread_create$'",
    "image lookup -s abort", "image lookup -n clock_gettime",
    "target list", "target modules lookup -n free",
    "register read", "register read --all", "register read rip rsp rbp",
    "register read -f u rax", "register read eax al xmm0 mxcsr",
    "memory read $sp", "memory read -f x -s 8 -c 8 $sp",
    "memory read -f i -c 6 $pc", "memory read -f s -c 1 $sp",
    "memory read -c 64 --binary -o /dev/null $sp", "memory read 0",
    "memory read --force -c 2048 $sp", "x/4gx $sp", "x/3i $pc",
    "memory region $pc", "memory region $sp", "memory region 0",
    "memory region --all", "memory find -s zzyzx -- $sp `$sp+64`",
    "disassemble", "disassemble -p", "disassemble -f -c 4",
    "disassemble -n abort -c 4", "disassemble -b -s $pc -c 3",
    "expression 1+1", "expression $pc", "expression (long)$rsp",
    "expression -f x -- (int)$rip", "expression &abort",
    "expression *(long*)$sp", "expression (char)0x41",
    "inq-thread 3", "thread info", "frame info", "bt 2",
    "register read", "memory region $sp", "frame select 1", "frame info",
    "up", "down", "disassemble -p", "register read rip",
    "inq-thread 0", "thread backtrace", "frame select 0",
    "breakpoint set -n main", "breakpoint list", "breakpoint delete 1",
    "process handle SIGSEGV", "platform list", "source info",
    "target modules dump line-table victim.c",
    "image lookup -F victim_add", "version",
)
# Where there is debugging information of the victims.
WITH_SOURCE = (
    "target variable victim_numbers", "target variable victim_text",
    "target variable victim_real", "p victim_numbers",
    "p victim_numbers[3]", "p *victim_numbers@2", "p &victim_numbers[1]",
    "p victim_text", "p (long)&victim_text", "p sizeof(victim_numbers)",
    "p victim_numbers[2] * 3", "p victim_real / 2",
    "frame variable -L", "frame variable -T", "frame variable -g",
    "image lookup -v -n main", "source list -n main", "source list -f victim.c -l 1",
    "memory read -f d -s 4 -c 4 victim_numbers",
    "memory read victim_text", "expression &victim_add",
    "disassemble -n victim_add", "type lookup int",
)


def commands(tags):
    return [*ANYWHERE, *(WITH_SOURCE if "source" in tags else ())]
