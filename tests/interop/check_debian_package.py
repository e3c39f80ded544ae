"""The Debian package in a bare Debian 12 (debootstrap): installed with what it depends on, run as its user, upgraded, removed,
purged. There is no systemd in it; what the unit says is checked by tests/e2e/package_test.py."""
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from parts import FOLDER, NotRun, fetch, once
from weft_process import ROOT, call, wait_until

# Serves until SIGTERM, as the unit does but without the unit.
SERVE = "cd /var/lib/weft && exec runuser -u weft -- /usr/bin/weft serve --config /etc/weft/weft.yaml --ports auto"


def mirror():
    """Where this machine takes Debian's packages from."""
    said = fetch(["apt-get", "indextargets", "--format", "$(SITE) $(CODENAME)", "Created-By: Packages"], "apt-get indextargets")
    for line in said.splitlines():
        if line.endswith(" bookworm"):
            return line.split()[0]
    raise NotRun("this machine has no package source of Debian 12")


@once
def base():
    """A bare Debian 12 as an archive; made once."""
    archive = FOLDER / "debian-12.tar"
    if not archive.exists():
        if os.geteuid() != 0:
            raise NotRun("debootstrap and chroot need root")
        FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            fetch(["debootstrap", "--variant=minbase", "bookworm", folder, mirror()], "debootstrap")
            fetch(["tar", "-C", folder, "-cf", str(archive), "."], "tar")
    return archive


class Root:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(exist_ok=True)
        fetch(["tar", "-C", str(folder), "-xf", str(base())], "tar")
        (self.folder / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
        (self.folder / "usr/sbin/policy-rc.d").chmod(0o755)
        shutil.copy("/etc/resolv.conf", self.folder / "etc/resolv.conf")
        for name in ("apt.conf", "apt.conf.d"):
            if (source := Path("/etc/apt", name)).exists():
                subprocess.run(["cp", "-a", source, self.folder / "etc/apt/"], check=True)

    def words(self, *command):
        # A process and mount space of its own: nothing that is started in it outlives it.
        inside = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", inside, str(self.folder), *command]

    def run(self, *command):
        done = subprocess.run(self.words(*command), text=True, capture_output=True, timeout=300,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LANG": "C.UTF-8"})
        assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout

    def install(self, package):
        shutil.copy(package, self.folder / "tmp/weft.deb")
        self.run("apt-get", "install", "-y", "-q", "--no-install-recommends", "/tmp/weft.deb")

    def path(self, name):
        return self.folder / name.lstrip("/")


def answers_while_it_runs(root):
    """Runs the installed node; returns what /readyz and the hub answered."""
    told = root.path("/var/lib/weft/node.json")
    node = subprocess.Popen(root.words("sh", "-c", SERVE), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: told.exists() or node.poll() is not None, 30, "the start")
        assert node.poll() is None, node.stdout.read().decode()[-2000:]
        at = json.loads(told.read_text())
        return call("GET", at["ops"] + "/readyz").status, call("GET", at["admin"] + "/").status
    finally:
        node.kill()
        node.communicate()
        told.unlink(missing_ok=True)


def owner_and_mode(root, name):
    return root.run("stat", "-c", "%U:%G %a", name).strip()


def run():
    with tempfile.TemporaryDirectory() as folder:
        root = Root(folder)
        package = fetch([str(ROOT / "deploy/debian/build_package"), f"{folder}/tmp"], "build_package").strip()
        root.run("apt-get", "update", "-q")
        root.install(package)
        assert "-".join(root.run("weft", "version").split()[1:]) in Path(package).name
        assert owner_and_mode(root, "/var/lib/weft") == "weft:weft 700"
        assert owner_and_mode(root, "/var/log/weft") == "weft:weft 750"
        assert owner_and_mode(root, "/etc/weft") == "root:weft 750"
        assert answers_while_it_runs(root) == (200, 200)
        assert root.path("/var/lib/weft/FORMAT").exists()

        config = root.path("/etc/weft/weft.yaml")
        config.write_text(config.read_text() + "log:\n  level: warn\n")
        root.install(package)  # again, as an upgrade does
        assert "level: warn" in config.read_text()
        assert answers_while_it_runs(root) == (200, 200)

        root.run("apt-get", "remove", "-y", "-q", "weft")
        assert not root.path("/usr/bin/weft").exists()
        assert root.path("/var/lib/weft/FORMAT").exists() and config.exists()
        root.run("apt-get", "purge", "-y", "-q", "weft")
        left = [name for name in ("/var/lib/weft", "/var/log/weft", "/etc/weft", "/etc/logrotate.d/weft", "/lib/systemd/system/weft.service")
                if root.path(name).exists()]
        assert left == [], left
        return "installed, run as its user, upgraded with changed settings, removed and purged in a bare Debian 12"
