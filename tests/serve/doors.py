#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
doors: who is let in - every token on every route, every form of Host and
Origin. Whoever is not is refused before anything is opened: no worker is
started, and no object copied out of the store.
"""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

import served           # noqa: E402
from served import kit  # noqa: E402

NO_TOKEN, DENIED, NOT_FOUND, OPEN = 401, 403, 404, 200


class Doors:
    def __init__(self, tap, inquest):
        self.tap = tap
        self.shop = served.Shop(inquest, "doors", ("default", "web"))
        self.gone = self.shop.create_token("web")
        self.shop.revoke_first_token()
        self.web = self.shop.create_token("web")
        self.server = served.Server(
            self.shop, "--host", "inquest.example.org", "--host",
            "other.example.org:8443", "--origin",
            "https://console.example.org")
        own = self.server.token
        self.tokens = {
            "none": None, "wrong": "0" * 64, "short": own[:-1],
            "long": own + "0", "empty": "", "revoked": self.gone,
            "another project's": self.web, "right": own,
        }

    def opened(self):
        """What was started or copied so far."""
        m = self.server.metrics()
        return (m["workers_total"], m["copies_total"],
                m["copies_used_again_total"])

    def nothing_opened(self, before, name):
        self.tap.ok(self.opened() == before, name,
                    "%s %s" % (before, self.opened()))

    # ---- tokens ----

    def get(self, path, token):
        return self.server.ask(path, token)[0]

    def upgrade(self, path, token):
        """The status of an upgrade; of a good one, as of a good answer."""
        w = served.Websocket(self.server, path, token)
        w.close()
        return OPEN if w.status == 101 else w.status

    def matrix(self):
        shop = self.shop
        nobody = {"none": NO_TOKEN, "wrong": DENIED, "short": DENIED,
                  "long": DENIED, "empty": NO_TOKEN, "revoked": DENIED}
        routes = [
            ("GET an object", self.get, served.object_path(shop, end=""),
             NOT_FOUND, OPEN),
            ("GET by number", self.get, "/p/default/n/1", NOT_FOUND, OPEN),
            ("GET in the universe", self.get, "/p/default/default/n/1",
             NOT_FOUND, OPEN),
            ("GET in another universe", self.get, "/p/other/default/n/1",
             NOT_FOUND, NOT_FOUND),
            ("GET of a fingerprint", self.get,
             "/p/default/@latest:ffffffff", NOT_FOUND, NOT_FOUND),
            ("GET what is not there", self.get, "/p/default/ffffffff",
             NOT_FOUND, NOT_FOUND),
            ("GET in no project", self.get, "/p/nowhere/ffffffff",
             NOT_FOUND, NOT_FOUND),
            ("GET one's own project", self.get,
             served.object_path(shop, "web", ""), OPEN, OPEN),
            ("a websocket", self.upgrade, served.object_path(shop),
             NOT_FOUND, OPEN),
            ("a websocket in the universe", self.upgrade,
             "/p/default" + served.object_path(shop)[2:], NOT_FOUND, OPEN),
            ("a websocket to what is not there", self.upgrade,
             "/p/default/n/ff/rsp", NOT_FOUND, NOT_FOUND),
            ("a websocket to one's own", self.upgrade,
             served.object_path(shop, "web"), OPEN, OPEN),
            ("metrics", self.get, "/metrics", DENIED, OPEN),
            ("health", self.get, "/healthz", OPEN, OPEN),
        ]
        for name, ask, path, other, right in routes:
            before = self.opened()
            wanted = dict(nobody, **{"another project's": other,
                                     "right": right})
            if name == "health":
                wanted = dict.fromkeys(wanted, OPEN)
            refused = {who: code for who, code in wanted.items()
                       if code != OPEN}
            got = {who: ask(path, self.tokens[who]) for who in refused}
            self.tap.ok(got == refused, "%s: who is refused" % name,
                        "%s\n%s" % (refused, got))
            self.nothing_opened(before, "%s: nothing was opened" % name)
            welcome = {who: code for who, code in wanted.items()
                       if code == OPEN}
            got = {who: ask(path, self.tokens[who]) for who in welcome}
            self.tap.ok(got == welcome, "%s: who comes in" % name, got)

    def no_oracle(self):
        """What another project has is answered as what is not there."""
        answers = {self.server.ask(path, self.web) for path in (
            served.object_path(self.shop, end=""), "/p/default/ffffffff",
            "/p/nowhere/ffffffff", "/p/default/n/1", "/p/default/n/999",
            "/p/default/@latest")}
        self.tap.ok(len(answers) == 1, "and in the same words", answers)

    def token_places(self):
        path = served.object_path(self.shop, end="")
        own = self.server.token
        cases = [
            (path + "?token=" + own, (), OPEN),
            (path + "?a=b&token=" + own, (), OPEN),
            (path + "?xtoken=" + own, (), NO_TOKEN),
            (path + "?token=" + own + "0", (), DENIED),
            (path, ("Cookie: inquest=" + own,), OPEN),
            (path, ("Cookie: a=b; inquest=" + own + "; c=d",), OPEN),
            (path, ("Cookie: xinquest=" + own,), NO_TOKEN),
            (path, ("Authorization: Bearer " + own,), OPEN),
            (path, ("Authorization: bearer " + own,), OPEN),
            (path, ("Authorization: Basic " + own,), NO_TOKEN),
            (path, ("Authorization: Bearer x",
                    "Cookie: inquest=" + own), DENIED),
            (path, ("Token: " + own,), NO_TOKEN),
        ]
        got = [self.server.ask(p, None, h)[0] for p, h, _ in cases]
        self.tap.ok(got == [code for _, _, code in cases],
                    "a token stands in three places", got)

    def auth(self):
        """Over TCP: nothing before the token, and few guesses."""
        before = self.server.metrics()
        r = served.Rsp(self.server.connect(self.server.rsp))
        answers = [r.ask("?"), r.ask("vAttach;1"),
                   r.ask("qXfer:osdata:read:snapshots:0,1000")]
        said = [r.monitor("open " + self.shop.ids["default"])]
        self.tap.ok(answers[0] == "W00" and "jump" not in "".join(answers)
                    and "SIGSEGV" not in "".join(answers + said)
                    and all(a.startswith("E") for a in answers[1:]),
                    "RSP before the token tells nothing", (answers, said))
        said = []
        try:
            for guess in ("0" * 64, self.gone, "1" * 64, "2" * 64):
                said.append(r.monitor("auth " + guess))
        except (EOFError, OSError):
            said.append(None)
        self.tap.ok(said[-1] is None and len(said) <= 4
                    and "welcome" not in str(said),
                    "after three wrong tokens it hangs up", said)
        after = self.server.metrics()
        self.tap.ok(after["copies_total"] == before["copies_total"]
                    and after["copies_used_again_total"]
                    == before["copies_used_again_total"],
                    "and no object was touched")

    # ---- names and pages ----

    def hosts(self):
        here = self.server.http
        port = here.rsplit(":", 1)[1]
        good = [here, "localhost:" + port, "LOCALHOST:" + port,
                "inquest.example.org", "inquest.example.org:443",
                "INQUEST.example.org", "other.example.org:8443"]
        bad = ["", "evil.example", "127.0.0.1", "127.0.0.1:1", "localhost",
               "localhost:1", here + ".evil.example", "localhost:" + port
               + ".evil.example", "localhost.evil.example:" + port,
               "127.0.0.1.evil.example:" + port, "evil.example:" + port,
               "[::1]:" + port, "0.0.0.0:" + port, "2130706433:" + port,
               "127.1:" + port, "other.example.org", "other.example.org:1",
               "inquest.example.org.evil.example", "xinquest.example.org",
               here + "\r\nHost: evil.example", "me@" + here, "null"]
        self.try_all("Host", good, bad)

    def origins(self):
        here = self.server.http
        port = here.rsplit(":", 1)[1]
        good = ["http://" + here, "https://console.example.org"]
        bad = ["null", "http://evil.example", "http://evil.example:" + port,
               "https://" + here, "http://127.0.0.1", "http://127.0.0.1:1",
               "http://localhost:" + port, "http://" + here + ".evil.example",
               "http://" + here + "/", "http://" + here + "@evil.example",
               "http://console.example.org",
               "https://console.example.org:444",
               "https://console.example.org.evil.example",
               "https://xconsole.example.org", "file://", "about:blank",
               "chrome-extension://abcdef", "http://[::1]:" + port,
               here, "javascript:alert(1)", "HTTPS://CONSOLE.EXAMPLE.ORG",
               "http://evil.example, http://" + here, "http://",
               "http://" + here + "\r\nOrigin: http://evil.example"]
        self.try_all("Origin", good, bad)

    def try_all(self, header, good, bad):
        path = served.object_path(self.shop)
        for name, ask in (("GET", lambda h: self.server.ask(
                path[:-len("/rsp")], self.server.token, h)[0]),
                          ("an upgrade", lambda h: served.Websocket(
                              self.server, path, self.server.token,
                              h).status)):
            before = self.opened()
            got = {v: ask(["%s: %s" % (header, v)]) for v in bad}
            wrong = {v: s for v, s in got.items()
                     if s not in (403, 400, 431, None)}
            self.tap.ok(not wrong, "%s: %d bad forms of %s" % (
                name, len(bad), header), wrong)
            self.nothing_opened(before, "nothing was opened for them")
            got = {v: ask(["%s: %s" % (header, v)]) for v in good}
            wrong = {v: s for v, s in got.items() if s not in (200, 101)}
            self.tap.ok(not wrong, "%s: %d good forms of %s" % (
                name, len(good), header), wrong)

    def no_host(self):
        status, _ = self.server.say(b"GET /healthz HTTP/1.0\r\n\r\n")
        self.tap.ok(status == 403, "a request without Host is refused", status)

    # ---- routes ----

    def paths(self):
        token = self.server.token
        id_ = self.shop.ids["default"]
        missing = ["/", "/p", "/p/", "/p/default", "/p/default/",
                   "/p/default/n", "/p/default/n/", "/p/default/n/x",
                   "/p/default/%s/" % id_, "/p/default/%s/x" % id_,
                   "/p/default/%s/rsp" % id_, "/p/default/" + id_[:3],
                   "/p/default/../web/" + id_, "/p/%2e%2e/" + id_,
                   "/p/default/%00" + id_, "/p/default/" + "f" * 65,
                   "/p/-x/" + id_, "/p/default/tokens", "/token", "/tokens",
                   "/../token", "/p/default/./../../token"]
        got = {p: self.server.ask(p, token)[0] for p in missing}
        wrong = {p: s for p, s in got.items() if s not in (404, 400, 403, 431,
                                                           None)}
        self.tap.ok(not wrong, "%d paths lead nowhere" % len(missing), wrong)
        got = {m: self.server.ask("/healthz", token, method=m)[0]
               for m in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "FOO")}
        self.tap.ok(all(s in (405, 400, 403, None) for s in got.values()),
                    "other methods are refused", got)
        status, body = self.server.ask("/p/default/" + id_, token,
                                       method="HEAD")
        self.tap.ok(status == 200 and body == b"", "HEAD has no body", status)

    def bytes_of_an_object(self):
        path = os.path.join(self.shop.dir, "got")
        self.shop.verb("get", "default/1", "-o", path)
        with open(path, "rb") as f:
            stored = f.read()
        _, body = self.server.ask("/p/default/@latest", self.server.token)
        self.tap.ok(body == stored, "an object comes bit for bit",
                    (len(body), len(stored)))


def main():
    inquest = kit.need_inquest()
    kit.need_tool("gcc")
    tap = kit.Tap()
    doors = Doors(tap, inquest)
    doors.matrix()
    doors.no_oracle()
    doors.token_places()
    doors.auth()
    doors.hosts()
    doors.origins()
    doors.no_host()
    doors.paths()
    doors.bytes_of_an_object()
    status, _, err = doors.server.end()
    tap.ok(status == 0, "the server ends in good order", err)
    tap.leave()


if __name__ == "__main__":
    main()
