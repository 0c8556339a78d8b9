"""The figures as one text for people."""
import os
import subprocess
from pathlib import Path

from readers import ANYWHERE, COUNTS, OPS

PEERS = ("gocryptfs", "encfs", "securefs")


def machine(work):
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    kind = subprocess.run(["stat", "-f", "-c", "%T", work], capture_output=True, text=True).stdout.strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {"kernel": os.uname().release, "cores": os.cpu_count(), "processor": model,
            "memory_gib": round(memory), "system": release.get("PRETTY_NAME", "").strip('"'), "disk": kind}


def us(nanoseconds):
    return f"{nanoseconds / 1000:.2f}" if nanoseconds < 10000 else f"{nanoseconds / 1000:.0f}"


def table(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rows = [rows[0], ["-" * width for width in widths], *rows[1:]]
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows)


def ratios(figures):
    """(what, ratio, target) wherever both sides were measured."""
    reads = figures["reads"]

    def ratio(a, b, op):
        return reads[a][op]["p50"] / reads[b][op]["p50"] if a in reads and b in reads else None

    def best_peer(name, op="orc"):
        found = [ratio(name, peer, op) for peer in PEERS if peer in reads]
        return max(found) if found and None not in found else None
    small, large = figures["scale"]
    rows = [("plain, orc against null direct_io", ratio("emsa plain", "null direct_io", "orc"), 1.15),
            ("secret, orc against null direct_io", ratio("emsa secret", "null direct_io", "orc"), 1.15),
            ("--cache plain, orc against null keep_cache", ratio("emsa --cache plain", "null keep_cache", "orc"), 1.10),
            ("plain, orc against the best peer", best_peer("emsa plain"), 0.5),
            ("null direct_io against the best peer", best_peer("null direct_io"), None),
            ("--cache plain, orc against the best peer", best_peer("emsa --cache plain"), 0.25),
            ("null keep_cache against the best peer", best_peer("null keep_cache"), None),
            ("the first, reader and server anywhere", ratio("emsa plain", "null direct_io", ANYWHERE), 1.15),
            ("plain against the best peer, anywhere", best_peer("emsa plain", ANYWHERE), 0.5),
            ("--cache plain against the best peer, anywhere", best_peer("emsa --cache plain", ANYWHERE), 0.25),
            ("stat against tmpfs", ratio("emsa plain", "tmpfs", "stat"), 1.2),
            ("stat, null direct_io against tmpfs", ratio("null direct_io", "tmpfs", "stat"), None),
            ("ls of 100 against tmpfs", ratio("emsa plain", "tmpfs", "ls"), 1.2),
            ("ls of 100, null direct_io against tmpfs", ratio("null direct_io", "tmpfs", "ls"), None),
            ("--cache pread against tmpfs", ratio("emsa --cache plain", "tmpfs", "pread"), 1.2),
            ("commit of one key against the same fsyncs bare",
             figures["commit"]["commit"]["p50"] / figures["commit"]["bare"]["p50"], 1.5),
            (f"orc at {large['keys']:,} keys and {large['revisions']:,} revisions against {small['keys']:,} and 1", large["orc"] / small["orc"], 1.2),
            ("the same, over 1,000 files in turn", large["spread"] / small["spread"], 1.2)]
    return [row for row in rows if row[1] is not None]


def limits(figures):
    """(what, measured, to reach) in milliseconds, bytes and percent."""
    seen, views, large = figures["seen"], figures["views"], figures["scale"][1]

    def late(how):
        missed = f" ({seen[how]['missed']} not within a second)" if seen[how]["missed"] else ""
        return f"{seen[how]['seen']['p50'] / 1e6:.2f} / {seen[how]['seen']['p99'] / 1e6:.2f} ms{missed}"
    many = f"{views['views']:,} views in one server"
    return [("call to value read in another mount namespace, p50 / p99", late("value"), "p99 2 ms"),
            ("call to inotify event there, p50 / p99", late("event"), "p99 5 ms"),
            (f"{many}: memory a view", f"{views['bytes_read']} bytes", "4 kB"),
            (f"{many}: time to make one, p50 / p99",
             f"{views['make']['p50'] / 1e6:.2f} / {views['make']['p99'] / 1e6:.2f} ms", "1 ms"),
            (f"{many}: processor time when idle", f"{views['idle_ns'] / views['seconds'] / 1e7:.1f} %", "0.0 %"),
            (f"start on {large['keys']:,} keys to first read", f"{large['first_read_ms']:.0f} ms", "100 ms"),
            ("read after kill -9 there, median / most",
             f"{large['restart_ms']['median']:.1f} / {large['restart_ms']['most']:.1f} ms", "most 100 ms")]


def text(figures):
    host = figures["machine"]
    parts = [f"{host['system']}, Linux {host['kernel']}, {host['cores']} cores ({host['processor']}), "
             f"{host['memory_gib']} GiB, {host['disk']}; {figures['rounds']} rounds, one reader, warm, 64-byte files; "
             f"load when it began: {figures['load_before']:.1f}"]
    rows = [["p50 / p99 in µs", *OPS]]
    for name, ops in figures["reads"].items():
        rows.append([name, *[f"{us(ops[op]['p50'])} / {us(ops[op]['p99'])}" for op in OPS]])
    parts.append(table(rows))
    rows = [["ratio of medians", "measured", "to reach"]]
    rows += [[what, f"{value:.2f}", f"{target:.2f}" if target else "the kernel's part"]
             for what, value, target in ratios(figures)]
    parts.append(table(rows))
    parts.append(table([["limit", "measured", "to reach"], *limits(figures)]))
    if figures["requests"]:
        rows = [["FUSE requests each", *COUNTS]]
        for name, ops in figures["requests"].items():
            rows.append([name, *[" ".join(f"{kind} {n:g}" for kind, n in ops[op].items()) or "none" for op in COUNTS]])
        parts.append(table(rows))
    commit = figures["commit"]
    rows = [["commits", "p50 µs", "p99 µs"]]
    rows += [[name, us(commit[name]["p50"]), us(commit[name]["p99"])] for name in ("bare", "commit")]
    parts.append(table(rows))
    rows = [["keys", "load s", "store MiB", "start and mount ms", "mount ms", "orc µs", "1,000 in turn µs",
             "ls of services ms", "server anonymous MiB", "after kill -9: median / most ms"]]
    for one in figures["scale"]:
        rows.append([f"{one['keys']:,}", f"{one['load_seconds']:.1f}", f"{one['store_bytes'] / 2**20:.0f}",
                     f"{one['start_and_mount_ms']:.0f}", f"{one['mount_ms']:.1f}", us(one["orc"]), us(one["spread"]),
                     f"{one['ls_ms']:.0f}", f"{one['memory_kb'].get('RssAnon', 0) / 1024:.1f}",
                     f"{one['restart_ms']['median']:.1f} / {one['restart_ms']['most']:.1f}"])
    parts.append(table(rows))
    for name, lines in figures.get("profile", {}).items():
        parts.append(f"{name}, open, read and close, where the server is (percent of all, waiting left out):\n" +
                     "\n".join(f"{share:6.1f}  {where}" for share, where in lines))
    idle = figures["idle_ms"]
    parts.append(f"idle: {idle['processor_ms']:.0f} ms of processor time in {idle['seconds']} s")
    parts += [f"left out: {name}: {why}" for name, why in figures["left_out"].items()]
    return "\n\n".join(parts)
