"""The text of a query: parsed by sqlglot, and the places in it that errors point to.

Owns parsing, and the making of errors with line, column and caret. Refuses to know what anything means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from sqlglot import Token, TokenType, exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.errors import ParseError

from sspcore.errors import SqlError, UnsupportedSql
from sspcore.plan.sql.strictness import faults_of_tokens, faults_of_tree

T = TypeVar("T")


class AsWritten(Postgres):
    """Postgres, with subscripts left as they are written: sqlglot counts them from 0, and some of them wrongly."""

    INDEX_OFFSET = 0


POSTGRES: Final = AsWritten()

QUERY_WORDS: Final = ("SELECT", "WITH", "VALUES", "TABLE", "(")
STATEMENT_WORDS: Final = frozenset({
    "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "TRUNCATE", "COPY", "CREATE", "DROP", "ALTER", "EXPLAIN", "SET",
    "SHOW", "BEGIN", "COMMIT", "ROLLBACK", "GRANT", "REVOKE", "CALL", "DO", "DECLARE", "LISTEN", "NOTIFY", "LOCK",
    "PREPARE", "EXECUTE", "ANALYZE", "VACUUM", "PRAGMA", "DESCRIBE",
})  # fmt: skip


INTERVAL_FIELDS: Final = frozenset({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"})


def with_typed_intervals(tokens: list[Token]) -> list[Token]:
    """The tokens with `INTERVAL '…'` as `CAST('…' AS INTERVAL)`, but for `INTERVAL '…' DAY` and the like.

    sqlglot splits the text of a short interval and changes units; of a cast it keeps the text.
    """
    out: list[Token] = []
    rest = iter(range(len(tokens)))
    for i in rest:
        token, *following = tokens[i : i + 3]
        kinds = [t.token_type for t in following]
        if token.token_type is not TokenType.INTERVAL or kinds[:1] != [TokenType.STRING]:
            out.append(token)
        elif following[1:] and following[1].text.upper() in INTERVAL_FIELDS:
            out.append(token)
        else:
            opening = [(TokenType.VAR, "CAST"), (TokenType.L_PAREN, "(")]
            out += [_made(kind, word, token) for kind, word in opening]
            out += [following[0], _made(TokenType.ALIAS, "AS", token), token, _made(TokenType.R_PAREN, ")", token)]
            next(rest)
    return out


def _made(kind: TokenType, word: str, place: Token) -> Token:
    return Token(kind, word, place.line, place.col, place.start, place.end)


class Text:
    """SQL text, with its tokens and tree."""

    def __init__(self, sql: str) -> None:
        self.sql = sql
        self.tokens: list[Token] = []

    def parse(self) -> exp.Expression:
        """The one statement of the text. Raises SqlError where it is not SQL, UnsupportedSql where it is no query."""
        # The line's end is for sqlglot, which misreads $name in a text whose last letters are ''
        text = f"{self.sql}\n"
        self.tokens = self._read(lambda: POSTGRES.tokenize(text))
        words = [t.text.upper() for t in self.tokens if t.text != ";"]
        if not words:
            raise self.error("there is no query", hint="write SELECT … FROM …")
        if words[0] in STATEMENT_WORDS:
            raise self.unsupported(
                f"{words[0]} is no query", hint="a view is a SELECT; rows change by changes (create, update, delete …)"
            )
        if words[0] not in QUERY_WORDS:
            raise self.error(f"a query does not begin with {self.tokens[0].text!r}", hint="begin with SELECT or WITH")
        tokens = with_typed_intervals(self.tokens)
        statements = [s for s in self._read(lambda: POSTGRES.parser().parse(tokens, text)) if s is not None]
        if len(statements) != 1 or not isinstance(statements[0], exp.Expression):
            raise self.error("there is more than one statement", hint="register each query as a view of its own")
        for start, message in faults_of_tokens(self.tokens):
            raise SqlError(message, self.sql, *self._line_and_column(start), hint="leave it out")
        return statements[0]

    def _read(self, reader: Callable[[], list[T]]) -> list[T]:
        """What one of sqlglot's readers makes of the text. Raises SqlError."""
        try:
            return reader()
        except ParseError as error:
            raise self._refused(error) from None
        except RecursionError:
            raise
        except Exception as error:  # noqa: BLE001  it is no code of ours, and promises no kind of exception
            raise self._broken(error) from None

    def check_names(self, tree: exp.Expression) -> None:
        """Refuse what the parser forgave. Raises SqlError."""
        for node, message, hint in faults_of_tree(tree, self.tokens):
            raise self.error(message, node, hint=hint)

    def _refused(self, error: ParseError) -> SqlError:
        """sqlglot's own error, with our caret."""
        detail = error.errors[0] if error.errors else {}
        line, column = detail.get("line") or 1, detail.get("col") or 1
        highlight = str(detail.get("highlight") or "")
        message = str(detail.get("description") or "this is not SQL").partition(" for <class")[0].rstrip(".")
        near = f" near {highlight[:40]!r}" if highlight else ""
        return SqlError(f"syntax error{near}: {message}", self.sql, line, max(1, column - len(highlight) + 1))

    def _broken(self, error: Exception) -> SqlError:
        return self.error(f"this is not SQL: {str(error).splitlines()[0][:120] if str(error) else 'unreadable'}")

    def error(self, message: str, node: exp.Expression | None = None, *, hint: str = "") -> SqlError:
        """A SqlError that points to the node."""
        return SqlError(message, self.sql, *self._line_and_column(self.start(node)), hint=hint)

    def unsupported(
        self, message: str, node: exp.Expression | None = None, *, hint: str = "", word: str = ""
    ) -> UnsupportedSql:
        """An UnsupportedSql that points to the node, or to the keyword `word` after it."""
        hint = hint or "docs/reference/sql.md lists what is supported"
        start = self.start(node)
        if word:
            after = [t for t in self.tokens if t.text.upper() == word and t.start >= start]
            anywhere = [t for t in self.tokens if t.text.upper() == word]
            if after or anywhere:
                start = (after or anywhere)[0].start
        return UnsupportedSql(message, self.sql, *self._line_and_column(start), hint=hint)

    def start(self, node: exp.Expression | None) -> int:
        """The offset at which the node begins: that of the first of its parts whose place is known."""
        while node is not None:
            places = [part.meta["start"] for part in node.walk() if "start" in part.meta]
            if places:
                return int(min(places))
            node = node.parent if isinstance(node.parent, exp.Expression) else None
        return 0

    def word_at(self, node: exp.Expression) -> str:
        """The token at the node's own place, such as the name of a function as it was written; or nothing."""
        start, end = node.meta.get("start"), node.meta.get("end")
        return "" if start is None or end is None else self.sql[start : end + 1]

    def _line_and_column(self, offset: int) -> tuple[int, int]:
        before = self.sql[:offset].splitlines(keepends=True) or [""]
        if before[-1] != before[-1].rstrip("\r\n"):
            before.append("")
        return len(before), len(before[-1]) + 1
