# SPDX-License-Identifier: Apache-2.0
# What gdb is told from inside: `inquest gdb` runs this, and so does
#     python exec(gdb.execute("monitor init", to_string=True))
# in any gdb on the stub. Lines that begin with a hash are left out of what is
# sent, which is one packet: keep it below 8,000 bytes.
import atexit
import glob
import os
import shutil
import sys
import tempfile

import gdb

# Frames of a stack, and threads, whose sources are looked for at once.
FRAMES, THREADS = 40, 64
NEXT = ("next: backtrace, info threads, thread apply all backtrace, "
        "monitor info, monitor help\n")


class Inquest:
    def __init__(self):
        self.directory = None
        self.tried = set()
        self.shown = None
        self.greeted = False

    def ask(self, words):
        """A verb's answer; nothing where another target is selected."""
        connection = gdb.selected_inferior().connection
        if connection is None or "remote" not in connection.type:
            return ""
        try:
            return gdb.execute("monitor " + words, False, True)
        except gdb.error:
            return ""

    # $_inquest_NAME
    def variables(self):
        inferior = gdb.selected_inferior()
        now = (inferior.num, inferior.pid)
        if now == self.shown:
            return
        self.shown = now
        for line in self.ask("variables").splitlines():
            name, kind, value = line.split(" ", 2)
            gdb.set_convenience_variable(
                "_inquest_" + name, int(value) if kind == "n" else value)

    # Sources, of which gdb asks no remote machine.
    def place(self):
        if not self.directory:
            self.directory = tempfile.mkdtemp(prefix="inquest-source-")
            atexit.register(shutil.rmtree, self.directory, True)
        return self.directory

    def fetch(self, symtab):
        """Whether there is a source now that was none before."""
        full = symtab.fullname()
        if os.path.exists(full):
            return False
        # A rule that was made for another file of that directory.
        if self.directory and full.startswith(self.directory):
            full = full[len(self.directory):]
        if full in self.tried:
            return False
        self.tried.add(full)
        owner = symtab.objfile.owner or symtab.objfile
        if not owner.build_id or set(full) & set("\"'\\\n"):
            return False
        # Also of a build whose directory is written as ".".
        path = os.path.normpath("/" + full)
        to = self.place() + path
        os.makedirs(os.path.dirname(to), exist_ok=True)
        try:
            gdb.execute('remote get "/.inquest/%s/source%s" "%s"'
                        % (owner.build_id, path, to), False, True)
            gdb.execute('set substitute-path "%s" "%s"'
                        % (os.path.dirname(full), os.path.dirname(to)))
        except gdb.error:
            return False
        return True

    def frames(self, frame, limit=FRAMES):
        fetched = False
        while frame is not None and limit:
            symtab = frame.find_sal().symtab
            fetched |= symtab is not None and self.fetch(symtab)
            frame, limit = frame.older(), limit - 1
        return fetched

    def stack(self):
        try:
            return self.frames(gdb.newest_frame())
        except gdb.error:
            return False

    def threads(self):
        before = gdb.selected_thread()
        if before is None:
            return
        frame = gdb.selected_frame()
        for thread in gdb.selected_inferior().threads()[:THREADS]:
            thread.switch()
            self.stack()
        before.switch()
        frame.select()

    # Another snapshot of a series has other facts.
    def stopped(self, event):
        self.shown = None
        self.variables()

    # `list` of what is in no stack: a hook does not hear its argument.
    def listed(self):
        for sal in gdb.decode_line()[1]:
            if sal.symtab and self.fetch(sal.symtab):
                gdb.write("%s is here now: list it again\n"
                          % sal.symtab.filename)

    # Editors are told which thread a person chose, behind the command.
    def look(self):
        thread = gdb.selected_thread()
        if thread and gdb.convenience_variable("_inquest_shared"):
            self.ask("look p%x.%x" % thread.ptid[:2])

    # Before every prompt.
    def prompt(self):
        try:
            self.variables()
            if self.greeted:
                self.listed()
            gdb.write(self.ask("why now"), gdb.STDERR)
            self.look()
            if not self.greeted:
                gdb.write(NEXT)
        except gdb.error:
            pass
        self.greeted = True
        if globals().pop("inquest_pages", False):
            gdb.execute("set pagination on")


class Source(gdb.Command):
    """Fetch the source of FUNCTION or FILE:LINE: inquest-source LOCATION"""

    def __init__(self):
        super().__init__("inquest-source", gdb.COMMAND_FILES,
                         gdb.COMPLETE_LOCATION)

    def invoke(self, argument, from_tty):
        for sal in gdb.decode_line(argument)[1] or ():
            if sal.symtab and not inquest.fetch(sal.symtab) and \
                    not os.path.exists(sal.symtab.fullname()):
                gdb.write("%s: it was not attached to the snapshot, and no "
                          "debuginfod server has it\n" % sal.symtab.filename)


class Snapshot(gdb.Command):
    """A series: inquest-snapshot lists it, and goes to one by its number"""

    def __init__(self):
        super().__init__("inquest-snapshot", gdb.COMMAND_RUNNING)

    def invoke(self, argument, from_tty):
        answer = gdb.execute("monitor snapshot " + argument, False, True)
        if "is next:" in answer:
            gdb.execute("continue")
        else:
            gdb.write(answer)


def inquest_hook(command, method):
    """Unless the user has a hook of that command already."""
    try:
        gdb.execute("show user hook-" + command, False, True)
    except gdb.error:
        gdb.execute("define hook-%s\npython inquest.%s()\nend"
                    % (command, method))


# gdb looks for the printers of libstdc++ beside the library, and beside one
# that came over the wire there is nothing.
def inquest_printers():
    sys.path[:0] = glob.glob("/usr/share/gcc*/python")
    try:
        from libstdcxx.v6 import register_libstdcxx_printers
        register_libstdcxx_printers(None)
    except Exception:
        pass


def inquest_begin():
    Source()
    Snapshot()
    inquest_printers()
    for command in ("list", "up", "down", "frame"):
        inquest_hook(command, "stack")
    inquest_hook("thread", "threads")
    gdb.execute("set dcache line-size 4096")
    gdb.execute("set dcache size 4096")
    gdb.execute("set remotetimeout 60")
    gdb.events.before_prompt.connect(inquest.prompt)
    gdb.events.stop.connect(inquest.stopped)
    inquest.variables()
    # Others write into a session that they share, and nothing tells a gdb.
    # Registers it keeps in any case: behind a flush it reads them at once.
    if gdb.convenience_variable("_inquest_shared"):
        gdb.execute("set stack-cache off")
        gdb.execute("set code-cache off")
    if inquest.stack():
        gdb.execute("frame")


if "inquest" not in globals():
    inquest = Inquest()
    inquest_begin()
