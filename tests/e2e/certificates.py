"""Certificates for tests, made by openssl."""
import subprocess


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True, timeout=60)


class Authority:
    """A certificate authority of its own, and server certificates that it signs, for 127.0.0.1 unless said otherwise."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = folder / "ca.pem"
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 1, "-subj",
                "/CN=weft test CA", "-keyout", folder / "ca.key", "-out", self.ca)

    def issue(self, name, days=90, passphrase=None, names="DNS:localhost,IP:127.0.0.1", subject=None):
        certificate, key, request = (self.folder / f"{name}.{end}" for end in ("pem", "key", "csr"))
        protection = ["-passout", f"pass:{passphrase}"] if passphrase else ["-nodes"]
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", *protection, "-subj", subject or f"/CN={name}",
                "-keyout", key, "-out", request)
        extensions = self.folder / "extensions"
        extensions.write_text(f"subjectAltName={names}\n")
        openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", self.folder / "ca.key", "-CAcreateserial",
                "-days", days, "-extfile", extensions, "-out", certificate)
        return certificate, key
