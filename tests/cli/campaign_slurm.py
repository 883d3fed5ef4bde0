#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A campaign under a real slurmctld with two slurmd of this machine, one of which dies.

Everything runs as the user of the test, on ports of the loopback interface and in a folder of its
own. A node dies as a machine does: slurmd, its step daemons and the job, all at once by SIGKILL.
No result may be lost and none counted twice; and --resume brings back a shard whose file is gone.
"""
import getpass
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml

PCILAB = os.environ["PCILAB"]
SEEDS = 8
PATIENCE_S = 240
# Long enough to be killed in the middle of; ends by count and not by the clock.
SCENARIO = """-- keeps a processor busy for some seconds
-- no clause
machine "minimal"
local sum = 0
for i = 1, 15000000 do sum = sum + i % 7 end
expect(sum > 0, "counted")
"""
CONF = """ClusterName=pcilab
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/none
CredType=cred/none
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1,requeue_setup_env_fail
SwitchType=switch/none
StateSaveLocation={dir}/state
SlurmdSpoolDir={dir}/spool-%n
SlurmctldPidFile={dir}/slurmctld.pid
SlurmdPidFile={dir}/slurmd-%n.pid
SlurmctldLogFile={dir}/slurmctld.log
SlurmdLogFile={dir}/slurmd-%n.log
SlurmctldTimeout=30
SlurmdTimeout=10
KillWait=1
MinJobAge=300
ReturnToService=2
JobRequeue=1
NodeName=n1 NodeAddr=127.0.0.1 NodeHostname=localhost Port={ports[1]} CPUs=1 State=UNKNOWN
NodeName=n2 NodeAddr=127.0.0.1 NodeHostname=localhost Port={ports[2]} CPUs=1 State=UNKNOWN
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
"""


class Cluster:
    def __init__(self, folder):
        self.dir = folder
        self.children = []
        sockets = [socket.socket() for _ in range(3)]
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        ports = [s.getsockname()[1] for s in sockets]
        for s in sockets:
            s.close()
        self.conf = folder / "slurm.conf"
        self.conf.write_text(CONF.format(ports=ports, dir=folder, user=getpass.getuser()))
        (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n")
        for name in ("state", "spool-n1", "spool-n2"):
            (folder / name).mkdir()
        self.env = dict(os.environ, SLURM_CONF=str(self.conf))

    def start(self, *argv):
        log = open(self.dir / "daemons.log", "ab")
        child = subprocess.Popen(argv, env=self.env, stdin=subprocess.DEVNULL, stdout=log,
                                 stderr=log, start_new_session=True)
        self.children.append(child)
        return child

    def up(self):
        self.start("slurmctld", "-D", "-i", "-f", str(self.conf))
        for node in ("n1", "n2"):
            self.node(node)
        wait("nodes are idle", lambda: self.ask("sinfo", "-h", "-N", "-o", "%T").split()
             == ["idle", "idle"], self)

    def node(self, name):
        return self.start("slurmd", "-D", "-N", name, "-f", str(self.conf))

    def ask(self, *argv):
        done = subprocess.run(argv, env=self.env, capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else ""

    def of_node(self, name):
        """(pid, arguments) of a node: slurmd, its step daemons, and then what these started."""
        daemons, steps, jobs = [], [], []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                env = (entry / "environ").read_bytes().split(b"\0")
                args = (entry / "cmdline").read_bytes().split(b"\0")
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                above = pathlib.Path(f"/proc/{parent}/comm").read_text() if parent else ""
            except OSError:
                continue
            if b"SLURM_CONF=" + str(self.conf).encode() not in env:
                continue
            if args[0].endswith(b"slurmd") and name.encode() in args:
                daemons.append((int(entry.name), args))
            elif b"SLURMD_NODENAME=" + name.encode() in env:
                jobs.append((int(entry.name), args))
                if above.startswith("slurmstepd"):
                    steps.append((parent, [above.encode()]))
        return daemons + steps + jobs

    def kill_node(self, name):
        for pid, _ in self.of_node(name):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def down(self):
        self.ask("scancel", "--user", getpass.getuser())
        for name in ("n1", "n2"):
            self.kill_node(name)
        for child in self.children:
            child.kill()
            child.wait()

    def logs(self):
        text = ""
        for name in ("daemons.log", "slurmctld.log", "slurmd-n1.log", "slurmd-n2.log"):
            path = self.dir / name
            if path.exists():
                text += f"--- {name}\n" + "\n".join(path.read_text().splitlines()[-25:]) + "\n"
        return text


def wait(what, condition, cluster):
    end = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            print("not ok - " + what)
            print("".join("# " + line + "\n" for line in cluster.logs().splitlines()))
            print("1..0" if not points else f"1..{len(points)}")
            raise SystemExit(1)
        time.sleep(0.1)


points = []


def point(good, name, detail=""):
    points.append(bool(good))
    print(f"{'ok' if good else 'not ok'} {len(points)} - {name}", flush=True)
    if not good:
        print("".join("# " + line + "\n" for line in str(detail).splitlines()), flush=True)


def pcilab(*argv):
    return subprocess.run([PCILAB, "campaign", *argv], capture_output=True, text=True)


def cases_of(out):
    """(name, seed) of every case in the merged report, and how many failed."""
    suite = xml.parse(out / "report.xml").getroot()
    return [case.get("name") for case in suite.iter("testcase")], int(suite.get("failures"))


def results_of(out):
    """What the shards say, without the time that it took."""
    seen = {}
    for path in sorted((out / "results").glob("*.json")):
        for case in json.loads(path.read_text())["cases"]:
            case.pop("wall-us")
            seen[case["case"]] = case
    return seen


def shard_on(cluster, node):
    """A shard that is being run there, without a result yet."""
    for _, args in cluster.of_node(node):
        if b"--shard" in args:
            return int(args[args.index(b"--shard") + 1])
    return 0


def kill_in_the_middle(cluster, out):
    wait("n1 runs a shard", lambda: shard_on(cluster, "n1"), cluster)
    shard = shard_on(cluster, "n1")
    cluster.kill_node("n1")
    wait("n1 is gone", lambda: not cluster.of_node("n1"), cluster)
    there = (out / "results" / f"{shard:04}.json").exists()
    point(shard and not there, f"the node died in the middle of shard {shard}, without its result")


def wait_for_queue(cluster):
    """Slurm holds back what it requeues; who is in a hurry releases it."""
    def empty():
        lines = cluster.ask("squeue", "-h", "-r", "-o", "%A %T %r").splitlines()
        for line in lines:
            job, state, why = line.split(None, 2)
            if state == "PENDING" and why == "BeginTime":
                cluster.ask("scontrol", "update", f"JobId={job}", "StartTime=now")
        return not lines
    wait("the queue is empty", empty, cluster)


def check(cluster, folder):
    (folder / "busy.lua").write_text(SCENARIO)
    campaign = folder / "c.ini"
    campaign.write_text(f"[campaign]\nshard-size=1\n[matrix m]\nscenarios=busy.lua\n"
                        f"seeds=1-{SEEDS}\n")
    out = folder / "an out"
    done = pcilab(str(campaign), "--out", str(out))
    point(done.returncode == 0, "a campaign is planned", done.stdout + done.stderr)
    text = cluster.ask("sbatch", str(out / "job.slurm"))
    point("Submitted batch job" in text, "sbatch takes it", cluster.logs())
    kill_in_the_middle(cluster, out)
    wait_for_queue(cluster)
    done = pcilab("--report", str(out))
    logs = "".join(p.read_text() for p in (out / "logs").glob("*.log"))
    point(done.returncode == 0 and f"{SEEDS} of {SEEDS} cases: {SEEDS} passed" in done.stdout,
          "no result is lost", done.stdout + done.stderr + logs + cluster.logs())
    names, failures = cases_of(out)
    point(sorted(names) == [f"busy.lua, seed {n}" for n in range(1, SEEDS + 1)] and not failures,
          "every case is in the report once", names)

    before = results_of(out)
    (out / "results" / "0003.json").unlink()
    done = pcilab("--resume", str(out))
    point(done.returncode == 3 and "1 of 8 shards have no result: 3" in done.stdout,
          "a result that is gone is named", done.stdout + done.stderr)
    cluster.node("n1")
    point("Submitted" in cluster.ask("sbatch", str(out / "job.slurm")), "sbatch takes the rest")
    wait_for_queue(cluster)
    done = pcilab("--report", str(out))
    point(done.returncode == 0 and results_of(out) == before, "and it is there again, the same",
          done.stdout + done.stderr + cluster.logs())


def main():
    missing = [p for p in ("slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "sinfo")
               if not shutil.which(p)]
    if missing:
        print(f"1..0 # SKIP no {' '.join(missing)}: apt-get install slurm-wlm")
        return 0
    with tempfile.TemporaryDirectory(prefix="pcilab-slurm-") as folder:
        cluster = Cluster(pathlib.Path(folder))
        try:
            cluster.up()
            check(cluster, pathlib.Path(folder))
        finally:
            cluster.down()
    print(f"1..{len(points)}")
    return 0 if all(points) else 1


sys.exit(main())
