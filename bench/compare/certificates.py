"""A certificate authority that lives as long as a run, and the upstream's certificate that it signed."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from failures import Unavailable

_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


@dataclass(frozen=True)
class Certificates:
    authority: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path) -> Certificates:
    """Makes them with the `openssl` command, for `localhost` and 127.0.0.1."""
    made = Certificates(folder / "authority.pem", folder / "upstream.pem", folder / "upstream-key.pem")
    authority_key = folder / "authority-key.pem"
    _openssl(
        *("req", "-x509", *_KEY, "-days", "2", "-subj", "/CN=Authority of one comparison"),
        *("-addext", "keyUsage=critical,keyCertSign", "-keyout", str(authority_key), "-out", str(made.authority)),
    )
    request = folder / "upstream.csr"
    _openssl("req", *_KEY, "-subj", "/CN=localhost", "-keyout", str(made.key), "-out", str(request))
    extensions = folder / "upstream.ext"
    extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=critical,CA:FALSE\n")
    _openssl(
        *("x509", "-req", "-in", str(request), "-CA", str(made.authority), "-CAkey", str(authority_key)),
        *("-CAcreateserial", "-days", "2", "-extfile", str(extensions), "-out", str(made.certificate)),
    )
    return made


def _openssl(*arguments: str) -> None:
    try:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)
    except FileNotFoundError as error:
        raise Unavailable("there is no openssl command to make certificates with") from error
    except subprocess.SubprocessError as error:
        raise Unavailable(f"openssl {arguments[0]} failed") from error
