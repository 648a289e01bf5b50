"""A real, small SMTP server that keeps the messages it is given; without encryption, for 127.0.0.1 only."""

import email
import email.policy
import socketserver
from email.message import EmailMessage

from tests.serving import Sink


class MailSink(Sink[EmailMessage]):
    """Listens at `address`, its HOST:PORT."""

    def __init__(self) -> None:
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        server.daemon_threads = True
        super().__init__(server)
        self.address = f"127.0.0.1:{server.server_address[1]}"

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


def _mailbox(argument: str) -> str:
    return argument[argument.index("<") + 1 : argument.index(">")]
