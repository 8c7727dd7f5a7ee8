"""A database over TLS, with a certificate of an authority made here.

The embedded PostgreSQL is built without TLS. So a front speaks it as PostgreSQL does, and passes
what comes on: https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL.
"""

from __future__ import annotations

import datetime
import socket
import socketserver
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.database.engine import UNENCRYPTED, UNTRUSTED, create, translated
from shared.database.server import OWNER
from shared.errors import DatabaseNotReady

# pg8000 leaves the socket of a connection that failed to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <s:ResourceWarning")


SSL_REQUEST = bytes.fromhex("00000008 04d2162f")


class Authority:
    """Signs certificates; its own is in ``file``."""

    def __init__(self, file: Path) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, file.stem)])
        self.file = file
        usage = x509.KeyUsage(**dict.fromkeys(KINDS, False) | {"key_cert_sign": True})
        own = self._certificate(self._name, self._key.public_key())
        own = own.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        own = own.add_extension(usage, critical=True)
        file.write_bytes(pem(own.sign(self._key, hashes.SHA256())))

    def issue(self, host: str, folder: Path) -> tuple[Path, Path]:
        """Files of a certificate for ``host`` and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        hosts = x509.SubjectAlternativeName([x509.DNSName(host)])
        made = self._certificate(name, key.public_key()).add_extension(hosts, critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        made = made.add_extension(issuer, critical=False)
        files = folder / "server.crt", folder / "server.key"
        files[0].write_bytes(pem(made.sign(self._key, hashes.SHA256())))
        files[1].touch(mode=0o600)
        files[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return files

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        day = datetime.timedelta(days=1)
        return (
            x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
            .not_valid_before(now - day)
            .not_valid_after(now + day)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )


KINDS = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


class Front(socketserver.ThreadingTCPServer):
    """Takes connections over TLS alone, for the server at a socket's path."""

    daemon_threads = True

    def __init__(self, certificate: tuple[Path, Path], behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Visit)
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(*certificate)
        self.behind = behind
        self.encrypted = 0
        """Connections that were taken."""

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that does not trust it hangs up."""


class _Visit(socketserver.BaseRequestHandler):
    server: Front

    def handle(self) -> None:
        assert self.request.recv(8) == SSL_REQUEST
        self.request.sendall(b"S")
        with (
            self.server.context.wrap_socket(self.request, server_side=True) as client,
            socket.socket(socket.AF_UNIX) as database,
        ):
            database.connect(self.server.behind)
            self.server.encrypted += 1
            back = Thread(target=passed_on, args=(database, client))
            back.start()
            passed_on(client, database)
            database.shutdown(socket.SHUT_RDWR)
            back.join()


def passed_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)


@dataclass(frozen=True)
class Site:
    front: Front
    authority: Path
    another: Path

    def url(self, *options: str, host: str = "localhost") -> str:
        port = self.front.server_address[1]
        return f"postgresql://{OWNER}@{host}:{port}/postgres?{'&'.join(options)}"


@pytest.fixture(scope="module")
def site(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("tls")
    authority, another = Authority(folder / "authority.pem"), Authority(folder / "another.pem")
    behind = str(sa.make_url(postgres_url).query["unix_sock"])
    with Front(authority.issue("localhost", folder), behind) as front:
        Thread(target=front.serve_forever).start()
        yield Site(front, authority.file, another.file)
        front.shutdown()


def ask(url: str) -> object:
    engine = create(url, pool=1, timeout_s=30)
    try:
        with translated(), engine.connect() as connection:
            return connection.execute(sa.text("SELECT repeat('x', 1000000)")).scalar()
    finally:
        engine.dispose()


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
class TestAURLThatAsksForTLS:
    def test_has_it_where_the_authority_is_the_right_one(self, site: Site, mode: str) -> None:
        before = site.front.encrypted

        assert ask(site.url(f"sslmode={mode}", f"sslrootcert={site.authority}")) == "x" * 1_000_000
        assert site.front.encrypted == before + 1

    def test_is_refused_a_certificate_of_another_authority(self, site: Site, mode: str) -> None:
        for authority in ([f"sslrootcert={site.another}"], []):
            with pytest.raises(DatabaseNotReady) as raised:
                ask(site.url(f"sslmode={mode}", *authority))
            assert raised.value.facts["reason"] == UNTRUSTED

    def test_is_refused_a_certificate_for_another_host(self, site: Site, mode: str) -> None:
        with pytest.raises(DatabaseNotReady) as raised:
            ask(site.url(f"sslmode={mode}", f"sslrootcert={site.authority}", host="127.0.0.1"))
        assert raised.value.facts["reason"] == UNTRUSTED


def test_a_server_without_tls_is_refused_where_it_is_asked_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as executor:
        url = f"postgresql://u@127.0.0.1:{server.getsockname()[1]}/d?sslmode=require"
        refused = executor.submit(ask, url)
        client, _ = server.accept()
        with client:
            assert client.recv(100) == SSL_REQUEST
            client.sendall(b"N")
            with pytest.raises(DatabaseNotReady) as raised:
                refused.result()

    assert raised.value.facts["reason"] == UNENCRYPTED
