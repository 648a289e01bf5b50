"""A real, small SMTP server that keeps the messages it is given; without encryption, for 127.0.0.1 only."""

import email
import email.policy
import socketserver
import threading
from collections.abc import Callable
from email.message import EmailMessage
from typing import Self


class MailSink:
    """Listens while it is entered; `address` is its HOST:PORT."""

    def __init__(self) -> None:
        self._messages: list[EmailMessage] = []
        self._arrival = threading.Condition()
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def messages(self) -> list[EmailMessage]:
        """What has arrived so far, oldest first."""
        with self._arrival:
            return list(self._messages)

    def wait_for(self, predicate: Callable[[EmailMessage], bool], *, timeout_s: float = 20.0) -> EmailMessage:
        """Return the first message, of those that came or come in time, that satisfies the predicate."""

        def match() -> EmailMessage | None:
            return next((message for message in self._messages if predicate(message)), None)

        with self._arrival:
            found = self._arrival.wait_for(match, timeout_s)
            if found is None:
                raise TimeoutError(f"no such mail within {timeout_s} s, but {[m['Subject'] for m in self._messages]}")
            return found

    def _keep(self, content: bytes, sender: str, recipients: list[str]) -> None:
        message = email.message_from_bytes(content, policy=email.policy.default)
        message["X-Envelope"] = f"{sender} {' '.join(recipients)}"
        with self._arrival:
            self._messages.append(message)
            self._arrival.notify_all()

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
                            sink._keep(content, sender, recipients)
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
