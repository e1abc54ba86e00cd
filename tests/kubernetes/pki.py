# Copyright: Matcha contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The test cluster's certificates, and the key that signs its service accounts' tokens."""

from __future__ import annotations

import base64
import datetime
import hashlib
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = datetime.timedelta(days=365)
# The name of each user's certificate, and its group.
USERS = {
    "admin": ("matcha-test-admin", "system:masters"),
    "kube-controller-manager": ("system:kube-controller-manager", None),
    "kube-scheduler": ("system:kube-scheduler", None),
    "kube-proxy": ("system:kube-proxy", None),
    "apiserver-kubelet": ("apiserver-kubelet", "system:masters"),
}


def _private(key: Any) -> bytes:
    form = serialization.PrivateFormat.TraditionalOpenSSL
    return bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))


def _write(path: Path, data: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(data)


def _number(value: int) -> str:
    data = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@dataclass(frozen=True)
class Pki:
    """A folder of keys and certificates, which are made once and stay over every start and reset."""

    folder: Path

    @property
    def ca(self) -> Path:
        return self.folder / "ca.crt"

    def make(self, node: str, names: list[str]) -> None:
        """Make what is missing: the authority, the server's certificate for these names, and one for each user."""
        if (self.folder / "complete").exists():
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test cluster's authority")])
        usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
        builder = _builder(name, name, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        authority = builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())
        _write(self.folder / "ca.key", _private(key))
        _write(self.ca, authority.public_bytes(serialization.Encoding.PEM))
        users = {**USERS, "kubelet": (f"system:node:{node}", "system:nodes")}
        for user, (common, group) in users.items():
            self._issue((authority, key), user, (common, group))
        self._issue((authority, key), "apiserver", ("kube-apiserver", None), names)
        accounts = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        _write(self.folder / "accounts.key", _private(accounts))
        (self.folder / "complete").touch()

    def _issue(
        self, authority: tuple[x509.Certificate, Any], file: str, subject: tuple[str, str | None], names: Any = ()
    ) -> None:
        (issued_by, signer), (common, group) = authority, subject
        key = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
        if group:
            attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
        builder = _builder(x509.Name(attributes), issued_by.subject, key.public_key())
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if names else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
        builder = builder.add_extension(issuer, critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), False)
        certificate = builder.sign(signer, hashes.SHA256())
        _write(self.folder / f"{file}.key", _private(key))
        _write(self.folder / f"{file}.crt", certificate.public_bytes(serialization.Encoding.PEM))

    def kubeconfig(self, user: str, server: str, path: Path, context: str = "test") -> Path:
        """Write a kubeconfig of a user, readable by its owner alone and whole in itself."""

        def data(name: str) -> str:
            return base64.b64encode((self.folder / name).read_bytes()).decode()

        credentials = {"client-certificate-data": data(f"{user}.crt"), "client-key-data": data(f"{user}.key")}
        cluster = {"server": server, "certificate-authority-data": data("ca.crt")}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": context, "cluster": cluster}],
            "users": [{"name": user, "user": credentials}],
            "contexts": [{"name": context, "context": {"cluster": context, "user": user}}],
            "current-context": context,
        }
        _write(path, yaml.safe_dump(content).encode())
        return path

    def oidc_keys(self) -> dict[str, Any]:
        """Return the public key of service accounts' tokens as the API server publishes it."""
        key: Any = serialization.load_pem_private_key((self.folder / "accounts.key").read_bytes(), None)
        public = key.public_key()
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        digest = hashlib.sha256(public.public_bytes(serialization.Encoding.DER, form)).digest()
        name = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        numbers = public.public_numbers()
        both = {"n": _number(numbers.n), "e": _number(numbers.e)}
        return {"keys": [{"use": "sig", "kty": "RSA", "kid": name, "alg": "RS256", **both}]}


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(subject: x509.Name, issuer: x509.Name, key: Any) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    return builder.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + LIFETIME)
