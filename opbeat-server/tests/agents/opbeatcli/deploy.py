"""Reports a deployment with opbeatcli, and prints the account of what was deployed.

opbeatcli 2.0.2 asks pip for the version control of a folder, by names that pip made private in its version 10. This
module offers pip's functions under the old names, then runs opbeatcli as its command `opbeat` does.
"""

import json
import os
import subprocess
import sys
import tempfile
import types

import pip
from pip._internal.exceptions import InstallationError
from pip._internal.vcs import vcs


class Backend:
    """A version control in the form of pip 9."""

    def __init__(self, backend):
        self.name = self.cmd = backend.name
        self.get_url = backend.get_remote_url
        self.get_revision = backend.get_revision


def get_backend_from_location(path):
    backend = vcs.get_backend_for_dir(path)
    return backend and (lambda: Backend(backend))


def get_backend_name(path):
    backend = vcs.get_backend_for_dir(path)
    return backend and backend.name


pip.InstallationError = InstallationError
old_vcs = types.SimpleNamespace(
    get_backend_from_location=get_backend_from_location, get_backend_name=get_backend_name
)
sys.modules["pip.vcs"] = types.ModuleType("pip.vcs")
sys.modules["pip.vcs"].vcs = old_vcs

from opbeatcli.core import main as opbeat


def repository(folder):
    """Makes a repository with one commit, and returns the commit's id."""

    def git(*words):
        author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
        return subprocess.check_output(["git", *author, *words], cwd=folder, text=True).strip()

    git("init", "--quiet", "--initial-branch", "main")
    git("remote", "add", "origin", "https://example.com/shop/frontend.git")
    git("commit", "--quiet", "--allow-empty", "--message", "first")
    return git("rev-parse", "HEAD")


def main():
    with tempfile.TemporaryDirectory() as folder:
        commit = repository(folder)
        list_command = "%s -m pip freeze --all" % sys.executable
        arguments = [
            "--server", os.environ["OPBEAT_SERVER_URL"],
            "deployment", "--hostname", "web-1.example.com", "--no-auto-collect-dependencies",
            "--component", "path:" + folder, "name:frontend",
            "--component", "path:/srv/shop/backend", "version:1.3.2", "vcs:git", "rev:383dba0c", "branch:next",
            "remote_url:git@example.com:shop/backend.git",
            "--component", "path:/srv/shop/worker", "version:0.2.1",
            "--dependency", "type:other", "name:nginx", "version:1.24.0",
            "--collect-dependencies", "python:" + list_command,
        ]
        status = opbeat(arguments)
        if status:
            sys.exit(status)
        lines = subprocess.check_output(list_command, shell=True, text=True).splitlines()
        packages = [line.split("==") for line in lines]
        git = {"type": "git", "revision": commit, "branch": "main", "repository": "https://example.com/shop/frontend.git"}
        backend = {"type": "git", "revision": "383dba0c", "branch": "next",
                   "repository": "git@example.com:shop/backend.git"}
        account = {
            "machine": "web-1.example.com",
            "packages": [
                {"name": "frontend", "type": "repository", "path": folder, "vcs": git},
                {"name": "backend", "type": "repository", "version": "1.3.2", "path": "/srv/shop/backend",
                 "vcs": backend},
                {"name": "worker", "type": "repository", "version": "0.2.1", "path": "/srv/shop/worker"},
                {"name": "nginx", "type": "other", "version": "1.24.0"},
                *({"name": name, "type": "python", "version": version} for name, version in packages),
            ],
        }
        print("account", json.dumps({"deployments": [account]}))


if __name__ == "__main__":
    main()
