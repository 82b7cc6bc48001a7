"""The expressions of GitHub Actions that action.yml uses, evaluated as the runner does; anything else is an error."""

import re

TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w-]*)|(?P<sign>\|\||&&|==|!=|[().,*]))")


class Parser:
    def __init__(self, text, contexts):
        self.contexts = contexts
        self.tokens = []
        at = 0
        while at < len(text.rstrip()):
            found = TOKEN.match(text, at)
            if not found:
                raise ValueError(f"not understood: {text[at:]}")
            self.tokens.append((found.lastgroup, found.group(found.lastgroup)))
            at = found.end()

    def peek(self, sign):
        return bool(self.tokens) and self.tokens[0] == ("sign", sign)

    def take(self, sign):
        if not self.peek(sign):
            raise ValueError(f"{sign} expected before {self.tokens}")
        self.tokens.pop(0)

    def either(self):
        value = self.both()
        while self.peek("||"):
            self.take("||")
            other = self.both()
            value = value or other
        return value

    def both(self):
        value = self.equal()
        while self.peek("&&"):
            self.take("&&")
            other = self.equal()
            value = value and other
        return value

    def equal(self):
        value = self.operand()
        for sign in ("==", "!="):
            if self.peek(sign):
                self.take(sign)
                return (plain(value) == plain(self.operand())) == (sign == "==")
        return value

    def operand(self):
        if self.peek("("):
            self.take("(")
            value = self.either()
            self.take(")")
            return value
        kind, token = self.tokens.pop(0)
        if kind == "text":
            return token[1:-1].replace("''", "'")
        if token == "join":
            self.take("(")
            values = self.either()
            self.take(",")
            separator = self.either()
            self.take(")")
            return separator.join(plain(value) for value in values)
        value = self.contexts[token]
        while self.peek("."):
            self.take(".")
            if self.peek("*"):
                self.take("*")
                self.take(".")
                name = self.tokens.pop(0)[1]
                value = [one.get(name) for one in value or []]
            else:
                value = (value or {}).get(self.tokens.pop(0)[1])
        return value


def plain(value):
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def evaluate(text, contexts):
    parser = Parser(text, contexts)
    value = parser.either()
    if parser.tokens:
        raise ValueError(f"left over: {parser.tokens}")
    return value


def fill(text, contexts):
    """`text` with every `${{ }}` in it replaced."""
    return re.sub(r"\$\{\{(.*?)\}\}", lambda found: plain(evaluate(found[1], contexts)), str(text))
