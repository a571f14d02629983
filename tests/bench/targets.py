# SPDX-License-Identifier: Apache-2.0
"""
targets: what the tools are tried on, started and ended here.

A target is ready when its context is entered. A program that is not installed
is reported by real.Missing, with what to install.
"""

import contextlib
import glob
import mmap
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import uuid

HERE = os.path.dirname(os.path.realpath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(TESTS, name) for name in ("victims", "capture")]

import build     # noqa: E402
import programs  # noqa: E402
import real      # noqa: E402
import tools     # noqa: E402

QUICK = bool(int(os.environ.get("BENCH_QUICK", "0") or 0))
HEAP = int(os.environ.get("BENCH_HEAP", "128" if QUICK else "1024"))
THREADS = int(os.environ.get("BENCH_THREADS", "200" if QUICK else "1000"))

CFLAGS = ["-O1", "-g", "-fno-inline", "-fno-optimize-sibling-calls",
          "-D_GNU_SOURCE", "-pthread"]
SETTLED = 6     # seconds that chromium has been up when it is looked at

LIVE = (tools.OURS, tools.STACKS, tools.FULL, tools.BT, tools.BT_FULL,
        tools.LLDB, tools.EU, tools.EU_ALL)
DUMPED = (*LIVE, tools.GCORE)
OF_CORE = (tools.IMPORT, tools.BT, tools.BT_FULL, tools.LLDB, tools.EU,
           tools.EU_ALL, tools.ZSTD)


class Target:
    def __init__(self, label, pid=0, shared=None, program=None, core=None):
        self.label, self.pid, self.shared = label, pid, shared
        self.program, self.core = program, core
        # Its threads stand where they are but for moving().
        self.still = bool(shared or core)
        self.entry = entry_of(pid) if pid else 0
        self.about = describe(pid) if pid else "%s of %.0f MiB, %.0f on disk" \
            % (os.path.basename(core), os.stat(core).st_size / 2**20,
               os.stat(core).st_blocks * 512 / 2**20)

    def moving(self):
        return {shared_word(self.shared, 3)} if self.shared else set()


def describe(pid):
    status = dict(line.split(":", 1) for line in
                  programs.read(pid, "status").splitlines() if ":" in line)

    def mib(name):
        return int(status[name].split()[0]) / 1024
    return "%s: %s threads, %.0f MiB of address space, %.0f resident (%.0f " \
        "anonymous), %d mappings" % (
            status["Name"].strip(), status["Threads"].strip(), mib("VmSize"),
            mib("VmRSS"), mib("RssAnon"), programs.read(pid, "maps").count(
                "\n"))


def entry_of(pid):
    """Where the program's _start is; 0 if that cannot be told."""
    with contextlib.suppress(OSError, struct.error, ValueError):
        exe = os.readlink("/proc/%d/exe" % pid)
        with open("/proc/%d/exe" % pid, "rb") as f:
            head = f.read(64)
        kind, = struct.unpack_from("<H", head, 16)
        entry, = struct.unpack_from("<Q", head, 24)
        if kind == 2:
            return entry
        for line in programs.read(pid, "maps").splitlines():
            if line.endswith(exe):
                return int(line.split("-")[0], 16) + entry
    return 0


# ---- the program of our own ----

def compiled(name, directory, *more):
    path = os.path.join(directory, name + "".join(more))
    if not os.path.exists(path):
        subprocess.run(["gcc", *CFLAGS, "-o", path,
                        os.path.join(HERE, name + ".c"), *more], check=True)
    return path


def shared_word(path, number):
    with open(path, "rb") as f, \
            mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ) as page:
        return struct.unpack_from("<Q", page, 8 * number)[0]


def workload(label, threads, heap, *link):
    @contextlib.contextmanager
    def run(directory):
        if link and not os.path.exists("/usr/include/jemalloc/jemalloc.h"):
            raise real.Missing("libjemalloc-dev is not installed")
        program = compiled("workload", directory, *link)
        shared = os.path.join(directory, "shared")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(shared)
        with programs.started([program, str(threads), str(heap),
                               shared]) as process:
            real.wait_for(label + " is set up", lambda: os.path.exists(
                shared) and os.path.getsize(shared) and
                shared_word(shared, 0))
            yield Target(label, process.pid, shared, program)
    return run


@contextlib.contextmanager
def crashed(directory):
    pattern = build.core_pattern()
    if pattern.startswith("|") or "/" in pattern:
        raise real.Missing("cores go elsewhere: kernel.core_pattern is " +
                           pattern)
    program = compiled("workload", directory)
    place = os.path.join(directory, "x100")
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    try:
        subprocess.run([program, "100", str(HEAP), "shared", "crash"],
                       cwd=place, check=False, preexec_fn=build.unlimit,
                       timeout=120, **programs.SILENT)
        cores = glob.glob(os.path.join(place, "core*"))
        if not cores:
            raise real.Missing("no core was written; see ulimit -c")
        yield Target("X100", program=program, core=cores[0])
    finally:
        shutil.rmtree(place, ignore_errors=True)


# ---- programs of others ----

def chromium(label, which):
    @contextlib.contextmanager
    def run(directory):
        place = os.path.join(directory, "chromium")
        os.makedirs(place, exist_ok=True)
        began = time.monotonic()
        browser = programs.Chromium(place)
        try:
            with browser.run():
                time.sleep(max(0, SETTLED - (time.monotonic() - began)))
                yield Target(label, browser.pids[which])
        finally:
            shutil.rmtree(place, ignore_errors=True)
    return run


def live(label, make):
    @contextlib.contextmanager
    def run(_):
        # With a path that fits a socket's.
        with tempfile.TemporaryDirectory(prefix="inquest-") as place:
            program = make(place)
            with program.run():
                yield Target(label, program.pids[0])
    return run


CEPH_CONF = """[global]
fsid = {fsid}
mon_host = [v1:127.0.0.1:{port}]
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
run_dir = {d}
log_file = {d}/log
admin_socket = {d}/asok
pid_file = {d}/pid
mon_data = {d}/data
[mon.a]
host = localhost
mon_addr = 127.0.0.1:{port}
"""


@contextlib.contextmanager
def ceph_mon(directory):
    """One monitor, a quorum by itself."""
    programs.need("ceph-mon", "monmaptool")
    if not glob.glob("/usr/share/doc/ceph-mon-dbg"):
        raise real.Missing("ceph-mon-dbg is not installed")
    place = os.path.join(directory, "ceph")
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(os.path.join(place, "data"))
    conf, monmap = (os.path.join(place, name) for name in ("conf", "map"))
    fsid, port = str(uuid.uuid4()), programs.free_port()
    with open(conf, "w", encoding="ascii") as f:
        f.write(CEPH_CONF.format(fsid=fsid, port=port, d=place))
    for argv in (["monmaptool", "--create", "--fsid", fsid, "--addv", "a",
                  "[v1:127.0.0.1:%d]" % port, monmap],
                 ["ceph-mon", "-c", conf, "-i", "a", "--mkfs", "--monmap",
                  monmap]):
        subprocess.run(argv, check=True, timeout=60, **programs.SILENT)
    try:
        with programs.started(["ceph-mon", "-f", "-c", conf, "-i",
                               "a"]) as process:
            real.wait_for("ceph-mon listens", lambda: listens(port))
            time.sleep(3)
            yield Target("CM", process.pid)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


# label: what it is, how it is started, which tools take turns at it. Nobody
# dumps chromium: gcore would write its whole address space, tens of GiB.
WORKLOADS = {
    "CB": ("chromium's browser process", chromium("CB", 0), LIVE),
    "CR": ("its renderer", chromium("CR", 1), LIVE),
    "S8": ("8 workers, 64 MiB", workload("S8", 8, 64), DUMPED),
    "S100": ("100 workers, %d MiB" % HEAP, workload("S100", 100, HEAP),
             DUMPED),
    "S1000": ("%d workers, 64 MiB" % THREADS,
              workload("S1000", THREADS, 64), DUMPED),
    "J100": ("S100 with jemalloc", workload("J100", 100, HEAP,
                                            "-ljemalloc"), DUMPED),
    "X100": ("the core of S100", crashed, OF_CORE),
    "CM": ("ceph-mon with its debug file", ceph_mon, DUMPED),
    "python3": ("5 threads at work", live("python3", programs.Python), LIVE),
    "redis": ("redis-server under load", live("redis", programs.Redis),
              LIVE),
}
