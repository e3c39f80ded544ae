"""The last stage of deploy/container/Containerfile, carried out in a bare Debian 12: its RUN, then its command as its user with a
read-only root, no network but loopback and an empty volume, its health check, and its stop signal. No container runtime is part of
this, and the build stage (./dev package) is not run here."""
import subprocess
import tempfile
from pathlib import Path

import containerfile
from check_debian_package import Root
from parts import fetch
from weft_process import ROOT

# Loopback of a new network space is down.
LOOPBACK_UP = """
import fcntl, socket, struct
request = struct.pack("16sh14x", b"lo", 1)
fcntl.ioctl(socket.socket(), 0x8914, request)
"""

# As a runtime prepares it: root read-only, /tmp in memory, the volume writable and the user's.
CONTAINER = """
set -e
python3 -c "$LOOPBACK_UP"
mount --bind "$ROOT" "$ROOT"
mount -o remount,bind,ro "$ROOT"
mount -t tmpfs -o mode=1777 tmpfs "$ROOT/tmp"
mount --bind "$VOLUME" "$ROOT/var/lib/weft"
mount -t proc proc "$ROOT/proc"
inside() { chroot --userspec="$CONTAINER_USER" "$ROOT" env -C /var/lib/weft "$@"; }
inside "${COMMAND[@]}" >"$VOLUME/../out" 2>&1 &
node=$!
for i in $(seq 300); do
  if inside "${CHECK[@]}" 2>/dev/null; then healthy=1; break; fi
  kill -0 $node
  sleep 0.1
done
echo "healthy: ${healthy:-0}"
inside id -u
inside weft stream list >/dev/null && echo "the command line reaches it"
inside sh -c 'touch /usr/touched 2>/dev/null || echo "the root is read-only"'
inside sh -c 'kill -TERM $(sed -n "s/.*\\"pid\\":\\([0-9]*\\).*/\\1/p" /var/lib/weft/node.json)'
wait $node && echo "ended: 0"
inside "${CHECK[@]}" 2>/dev/null || echo "no longer healthy"
"""


def bash_array(name, words):
    return f"{name}=({' '.join(containerfile.shlex.quote(word) for word in words)})\n"


def run():
    build, final = containerfile.read(ROOT / "deploy/container/Containerfile")
    assert build.run()[0] == "./dev package /package"
    with tempfile.TemporaryDirectory() as folder:
        root = Root(Path(folder, "root"))
        fetch([str(ROOT / "deploy/debian/build_package"), str(root.folder / "package")], "build_package")
        command, mounts = final.run()
        assert mounts == [{"type": "bind", "from": build.name, "source": "/package", "target": "/package"}]
        root.run("sh", "-c", command)
        volume = Path(folder, "volume")
        volume.mkdir()
        fetch(["chown", final.one("USER"), str(volume)], "chown")
        variables = {**final.environment(), "ROOT": str(root.folder), "VOLUME": str(volume), "CONTAINER_USER": final.one("USER"),
                     "LOOPBACK_UP": LOOPBACK_UP, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        script = bash_array("COMMAND", final.command()) + bash_array("CHECK", final.health_check()[1]) + CONTAINER
        done = subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "bash", "-c", script], text=True,
                              capture_output=True, timeout=120, env=variables)
        out = Path(folder, "out").read_text()
        assert done.returncode == 0, done.stdout + done.stderr + out[-2000:]
        assert done.stdout.splitlines() == ["healthy: 1", "10001", "the command line reaches it", "the root is read-only",
                                            "ended: 0", "no longer healthy"], done.stdout + done.stderr + out[-2000:]
    return "the last stage's RUN, command, health check and stop signal work in a bare Debian 12; no runtime, no build stage"
