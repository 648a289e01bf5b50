"""A real, small SMTP server that keeps the messages it is given; for loopback addresses only."""

import email
import email.policy
import socket
import socketserver
import ssl
from email.message import EmailMessage

from tests.serving import Sink


class MailSink(Sink[EmailMessage]):
    """Listens at `address`, its HOST:PORT; with `tls` from the first byte on, and then it never offers STARTTLS."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        server = _Server((host, port), self._handler(), tls)
        super().__init__(server)
        self.address = f"{host}:{server.server_address[1]}"

    def told(self, item: EmailMessage) -> object:
        """Its subject."""
        return item["Subject"]

    def _read(self, content: bytes, sender: str, recipients: list[str]) -> None:
        message = email.message_from_bytes(content, policy=email.policy.default)
        message["X-Envelope"] = f"{sender} {' '.join(recipients)}"
        self.keep(message)

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 sink")
                sender, recipients = "", list[str]()
                while line := self.rfile.readline():
                    verb, _, rest = line.decode().strip().partition(" ")
                    match verb.upper():
                        case "MAIL":
                            sender, recipients = _mailbox(rest), []
                        case "RCPT":
                            recipients.append(_mailbox(rest))
                        case "EHLO":
                            self._say("250-sink")
                            self._say("250 AUTH PLAIN")
                            continue
                        case "AUTH":
                            self._say("235 known")
                            continue
                        case "DATA":
                            self._say("354 go on")
                            content = self._content()
                            self._say("250 kept")
                            sink._read(content, sender, recipients)
                            continue
                        case "QUIT":
                            self._say("221 bye")
                            return
                    self._say("250 sink")

            def _say(self, line: str) -> None:
                self.wfile.write(f"{line}\r\n".encode())

            def _content(self) -> bytes:
                lines = []
                while (line := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line[1:] if line.startswith(b"..") else line)
                return b"".join(lines)

        return Handler


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self, place: tuple[str, int], handler: type[socketserver.StreamRequestHandler], tls: ssl.SSLContext | None
    ) -> None:
        self._tls = tls
        super().__init__(place, handler)

    def get_request(self) -> tuple[socket.socket, object]:
        connection, sender = super().get_request()
        return connection if self._tls is None else self._tls.wrap_socket(connection, server_side=True), sender


def _mailbox(argument: str) -> str:
    return argument[argument.index("<") + 1 : argument.index(">")]
