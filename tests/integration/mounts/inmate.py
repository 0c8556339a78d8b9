"""inmate.py FOLDER [users]: a process in a mount namespace of its own (and with users of its own, 0 of which is
100000 here), and with a root of its own that has paths in it which lead astray. Says its pid, and
then for each "UID PATH" that it is told what that user of its sees there: owner and value; "umount PATH" and
"mounts PATH" (how many) too. Below /hang is a file system that never answers."""
import ctypes
import os
import struct
import sys
import threading

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWUSER, MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH, SYS_PIVOT_ROOT = 0x20000, 0x10000000, 4096, 16384, 1 << 18, 2, 155


def checked(result, what):
    if result < 0:
        raise OSError(ctypes.get_errno(), what)


def swallow(device):
    """Answers INIT, and nothing after it: who asks this file system waits."""
    while True:
        request = os.read(device, 1 << 18)
        opcode, unique = struct.unpack_from("=4xIQ", request)
        if opcode == 26:
            reply = struct.pack("=IIIIHHIIHHI28x", 7, 38, 65536, 0, 16, 12, 4096, 1, 16, 0, 0)
            os.write(device, struct.pack("=IiQ", 16 + len(reply), 0, unique) + reply)


def settle(folder, can_hang):
    checked(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "cannot be alone")
    checked(libc.mount(b"inmate", folder.encode(), b"tmpfs", 0, None), "cannot mount a root")
    os.chdir(folder)
    for name in ("env", "old", "taken", "hang", "again", "proc"):
        os.mkdir(name)
    checked(libc.mount(b"taken", b"taken", b"tmpfs", 0, None), "cannot mount there")
    checked(libc.mount(b"/proc", b"proc", None, MS_BIND | MS_REC, None), "cannot have /proc")
    if can_hang:
        device = os.open("/dev/fuse", os.O_RDWR)
        options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % device
        checked(libc.mount(b"hang", b"hang", b"fuse", 0, options), "cannot mount a FUSE file system")
        threading.Thread(target=swallow, args=(device,), daemon=True).start()
    os.symlink("/proc/self/root", "magic")
    os.symlink("../../../../../../env", "up")
    os.symlink("/nowhere", "dangling")
    os.symlink("loop", "loop")
    checked(libc.syscall(SYS_PIVOT_ROOT, b".", b"old"), "cannot move into it")
    os.chdir("/")
    checked(libc.umount2(b"/old", MNT_DETACH), "cannot leave the old one")


def told(what, path):
    if what == "umount":
        print(libc.umount2(path.encode(), MNT_DETACH), flush=True)
    elif what == "mounts":
        with open("/proc/self/mountinfo", "rb") as table:
            print(sum(line.split()[4] == path.encode() for line in table), flush=True)
    else:
        look(int(what), path)


def look(uid, path):
    if os.fork() != 0:
        os.wait()
        return
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    try:
        file = os.open(path, os.O_RDONLY)  # what opens texts would look for files that are not there any more
        status = os.fstat(file)
        print(f"{status.st_uid}:{status.st_gid} {os.read(file, 100).decode()}", flush=True)
    except OSError as error:
        print(error.strerror, flush=True)
    os._exit(0)


has_users = sys.argv[2:] == ["users"]
apart, mapped = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    checked(libc.unshare(CLONE_NEWNS | (CLONE_NEWUSER if has_users else 0)), "cannot be apart")
    os.write(apart[1], b".")
    os.read(mapped[0], 1)
    if has_users:
        os.setgroups([])
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
    settle(sys.argv[1], not has_users)
    print(os.getpid(), flush=True)
    for line in sys.stdin:
        told(*line.split())
    os._exit(0)
os.read(apart[0], 1)
for name in ("uid_map", "gid_map") if has_users else ():
    with open(f"/proc/{child}/{name}", "w", encoding="ascii") as file:
        file.write("0 100000 65536")
os.write(mapped[1], b".")
os.waitpid(child, 0)
