"""A PostgreSQL of the system's packages on a free TCP port: it speaks TLS, which the embedded one does not."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from emag_pipeline_tests.local.ups import free_ports

_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
PASSWORD = "database-s3cret"

needs_server = pytest.mark.skipif(not _PROGRAMS, reason="PostgreSQL's server (Debian: postgresql) speaks TLS")
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")


def service_user() -> dict[str, int]:
    """For subprocess: as whom a server is run that refuses root; empty for a plain user."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("postgres")
    return {"user": entry.pw_uid, "group": entry.pw_gid}


def give(path: Path) -> None:
    """Make a directory and all in it the service user's."""
    for one in (path, *path.rglob("*")):
        os.chown(one, *(service_user().values() or (-1, -1)))


def certificate(home: Path, name: str) -> Path:
    """A self-signed certificate for 127.0.0.1 and its key (`NAME.key`)."""
    made = home / f"{name}.crt"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {home / name}.key -out {made}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    return made


@contextmanager
def tls_server(home: Path) -> Iterator[int]:
    """A server that takes TLS connections with a password only; yields its port. `server.crt` stands in `home`."""
    (port,) = free_ports(1)
    certificate(home, "server")
    password = home / "password"
    password.write_text(PASSWORD)
    give(home)
    data = home / "data"
    _run("initdb", "-D", data, "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8")
    (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
    settings = {
        "port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": home, "fsync": "off", "ssl": "on",
        "ssl_cert_file": home / "server.crt", "ssl_key_file": home / "server.key",
    }  # fmt: skip
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    _run("pg_ctl", "start", "-D", data, "-w", "-l", home / "server.log", "-o", options)
    try:
        yield port
    finally:
        _run("pg_ctl", "stop", "-D", data, "-m", "fast", "-w")


def _run(program: str, *arguments: object) -> None:
    command = [str(_PROGRAMS[-1] / program), *map(str, arguments)]
    # not pipes: the server inherits them and would keep them open
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **service_user())
