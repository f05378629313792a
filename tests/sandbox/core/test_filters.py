"""$filter, $orderby, $select, $expand: what is accepted, what it means over real rows, what is refused."""

from typing import Any

import pytest
from odata_query import ast

from crosstie.sandbox.database import Database, fold
from crosstie.sandbox.filters import (
    Collection,
    Column,
    Expand,
    FilterError,
    Fragment,
    OrderBy,
    SqlFilter,
    parse_expand,
    parse_filter,
    parse_orderby,
    parse_select,
    path_of,
    walk,
)

COLUMNS = {
    ("name",): Column("t.name"),
    ("code",): Column("t.code", "code"),
    ("size",): Column("t.size", "int"),
    ("price",): Column("t.price", "decimal"),
    ("open",): Column("t.open", "bool"),
    ("changed",): Column("t.changed", "datetime"),
    ("day",): Column("t.day", "date"),
    ("id",): Column("t.id", "guid"),
    ("anything",): Column("t.anything"),
    ("owner", "name"): Column("(SELECT o.name FROM owner o WHERE o.id = t.owner)"),
}
_ID = "aaaaaaaa-0000-0000-0000-00000000000"
ROWS = [
    # name, code, size, price, open, changed, day, id, anything, owner
    ("Café Nord", "A1", 5, 2.5, 1, "2026-01-01T10:00:00.123Z", "2026-01-01", _ID + "1", None, 1),
    ("100% Wool", "B2", 7, 0.1, 0, "2026-02-01T00:00:00.000Z", "2026-02-01", _ID + "2", "x", 2),
    ("it's [odd]_1", "", 0, -1.0, 0, "0001-01-01T00:00:00.000Z", "0001-01-01", _ID + "3", "X ", None),
]  # fmt: skip


@pytest.fixture(scope="module")
def database() -> Database:
    db = Database()
    db.execute(
        "CREATE TABLE t (name TEXT, code TEXT, size INT, price REAL, open INT, changed TEXT, day TEXT, id TEXT,"
        " anything TEXT, owner INT)"
    )
    db.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", ROWS)
    db.execute("CREATE TABLE owner (id INT, name TEXT)")
    db.executemany("INSERT INTO owner VALUES (?, ?)", [(1, "Ann"), (2, "Bo")])
    db.execute("CREATE TABLE line (parent TEXT, amount INT)")
    db.executemany("INSERT INTO line VALUES (?, ?)", [("A1", 1), ("A1", 9), ("B2", 9)])
    return db


def resolve(path: tuple[str, ...]) -> Column:
    if path not in COLUMNS:
        raise FilterError(f"unknown field {'/'.join(path)}")
    return COLUMNS[path]


def lines(path: tuple[str, ...]) -> Collection:
    return Collection("line l", "l.parent = t.code", lambda inner: Column(f"l.{inner[0]}", "int"))


def found(db: Database, text: str, **options: Any) -> list[int]:
    """The positions (from 1) of the rows that meet the condition."""
    aliases = options.pop("aliases", None)
    sql, params = SqlFilter(resolve, collection=lines, **options).translate(parse_filter(text, aliases))
    return [row[0] for row in db.execute(f"SELECT rowid FROM t WHERE {sql} ORDER BY rowid", params)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("name eq 'Café Nord'", [1]),
        ("name eq 'café nord'", []),
        ("'100% Wool' eq name", [2]),
        ("name eq 'it''s [odd]_1'", [3]),
        ("  size gt 4  and size lt 7", [1]),
        ("7 gt size", [1, 3]),
        ("size ge 5 or price eq -1.0", [1, 2, 3]),
        ("(size eq 5)and(price eq 2.5)", [1]),
        ("not(size eq 5)", [2, 3]),
        ("not (contains(name,'Wool') or size eq 0)", [1]),
        ("size in (5,7)", [1, 2]),
        ("size in (5)", [1]),
        ("name in ('100% Wool', 'it''s [odd]_1')", [2, 3]),
        ("anything in ('x', null)", [1, 2]),
        ("open eq true", [1]),
        ("open", [1]),
        ("code eq 'a1'", [1]),
        ("code eq ''", [3]),
        ("changed gt 2026-01-01T10:00:00.1234567Z", [2]),
        ("changed ge 2026-01-01T12:00:00.123+02:00", [1, 2]),
        ("changed eq 0001-01-01T00:00:00Z", [3]),
        ("day gt 0001-01-01", [1, 2]),
        ("id eq AAAAAAAA-0000-0000-0000-000000000002", [2]),
        ("anything eq null", [1]),
        ("null eq anything", [1]),
        ("anything ne null", [2, 3]),
        ("size lt null", []),
        ("contains(name,'%')", [2]),
        ("startswith(name,'it')", [3]),
        ("endswith(name,'Nord')", [1]),
        ("contains(name,'')", [1, 2, 3]),
        ("contains(code,'b')", [2]),
        ("tolower(name) eq 'CAFÉ NORD'", [1]),
        ("length(name) eq 9", [1, 2]),
        ("substring(name, 4) eq ' Nord'", [1]),
        ("indexof(name,'Wool') eq 5", [2]),
        ("concat(code,'x') eq 'A1x'", [1]),
        ("year(changed) eq 2026 and month(changed) eq 2", [2]),
        ("size add 1 eq 6", [1]),
        ("-size lt -5", [2]),
        ("owner/name eq 'Bo'", [2]),
        ("lines/any(l:l/amount gt 5)", [1, 2]),
        ("lines/all(l:l/amount gt 5)", [2, 3]),
        ("lines/any()", [1, 2]),
        ("size eq @n and name eq @who", [1]),
        ("name eq @nobody", []),
        ("anything eq @nobody", [1]),
        ("name eq Some.Name.Space'Café Nord'", [1]),
        ("true", [1, 2, 3]),
    ],
)
def test_conditions_find_their_rows(database: Database, text: str, rows: list[int]) -> None:
    assert found(database, text, aliases={"@n": "5", "who": "'Café Nord'"}) == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("name eq 'CAFE NORD'", [1]),
        ("anything eq 'x'", [2, 3]),
        ("anything ne 'y'", [2, 3]),
        ("name gt 'b'", [1, 3]),
        ("name in ('CAFÉ nord ', 'q')", [1]),
        ("contains(name,'W%L')", [2]),
        ("startswith(name,'_a')", [1]),
        ("contains(name,'[c-d]')", [1, 3]),
        ("endswith(name,'D]_1')", [3]),
        ("contains(name,'wool ')", []),
    ],
)
def test_without_case_and_with_live_wildcards(database: Database, text: str, rows: list[int]) -> None:
    assert found(database, text, case_sensitive=False, wildcards=True) == rows


def with_index(path: tuple[str, ...]) -> Column:
    return Column("t.name", indexed=True) if path == ("name",) else resolve(path)


@pytest.mark.parametrize("name", ["contains", "startswith", "endswith"])
@pytest.mark.parametrize("text", ["CAF", "café n", "100%", "100% ", "_a", "[c-d]", "it''s", "nord ", "%", "x", ""])
@pytest.mark.parametrize("more", ["", " and size ge 5", " or size eq 0"])
def test_an_index_changes_nothing_in_what_is_found(database: Database, name: str, text: str, more: str) -> None:
    tree = parse_filter(f"{name}(name,'{text}'){more}")
    options: dict[str, Any] = {"case_sensitive": False, "wildcards": True}
    answers = []
    for names in (resolve, with_index):
        sql, params = SqlFilter(names, **options).translate(tree)
        answers.append([row[0] for row in database.execute(f"SELECT rowid FROM t WHERE {sql} ORDER BY rowid", params)])
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    ("text", "options", "index"),
    [
        ("startswith(name,'Caf')", {"case_sensitive": False, "wildcards": True}, "(<expr>>? AND <expr><?)"),
        ("startswith(code,'a')", {}, "(code>? AND code<?)"),
    ],
)
def test_the_beginning_of_a_text_is_found_by_its_index(text: str, options: dict[str, Any], index: str) -> None:
    db = Database()
    db.execute("CREATE TABLE t (name TEXT, code TEXT)")
    db.execute("CREATE INDEX t_name ON t (fold(name))")
    db.execute("CREATE INDEX t_code ON t (code)")
    sql, params = SqlFilter(with_index, **options).translate(parse_filter(text))
    plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN SELECT * FROM t WHERE {sql}", params)]
    assert any(index in step for step in plan), plan


@pytest.mark.parametrize(
    ("nulls", "text", "rows"),
    [
        ("sql", "anything ne 'x'", [3]),
        ("odata", "anything ne 'x'", [1, 3]),
        ("sql", "not (anything eq 'x')", [3]),
        ("odata", "not (anything eq 'x')", [1, 3]),
    ],
)
def test_rows_without_a_value(database: Database, nulls: Any, text: str, rows: list[int]) -> None:
    assert found(database, text, null_semantics=nulls) == rows


def test_live_wildcards_with_case(database: Database) -> None:
    assert found(database, "startswith(name,'[A-C]af')", wildcards=True) == [1]
    assert found(database, "startswith(name,'[^A-C]')", wildcards=True) == [2, 3]


def test_a_system_brings_its_own_functions(database: Database) -> None:
    def inside(visitor: SqlFilter, call: Any) -> Fragment:
        named = {param.name.name: param.param for param in call.args}
        column = ast.Identifier(named["PropertyName"].val)
        return visitor.is_in(column, named["PropertyValues"])

    functions = {"Microsoft.Dynamics.CRM.In": inside}
    for values in ("['5','7']", '["5","7"]', "['5', '7', '7']"):
        text = f"Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues={values})"
        assert found(database, text, functions=functions) == []
    text = "Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=['Café Nord'])"
    assert found(database, text, functions=functions) == [1]


def test_three_named_parameters_keep_their_names() -> None:
    call: Any = parse_filter("My.Own.Func(A='x',B=2,C=[3,4])")
    assert [(param.name.name, type(param.param).__name__) for param in call.args] == [
        ("A", "String"), ("B", "Integer"), ("C", "List")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", ["anyone", "allowance", "nullable", "trueish", "falsehood", "notes", "indigo", "android"]
)
def test_names_that_begin_like_a_word_of_the_language(name: str) -> None:
    tree: Any = parse_filter(f"{name} eq 1")
    assert path_of(tree.left) == (name,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name eq 'x", "unterminated literal at position 8"),
        ("name eq", "Syntax error"),
        ("eq 5", "Syntax error"),
        ("", "empty"),
        ("frob(name) eq 1", "Unknown function: 'frob'"),
        ("name eq 5", "does not fit a field of type text"),
        ("size eq 'x'", "does not fit a field of type int: a number is needed"),
        ("open eq 1", "true or false is needed"),
        ("changed gt 'soon'", "a date is needed"),
        ("contains(name, 5)", "contains takes a text"),
        ("name", "must be a condition"),
        ("nix eq 1", "unknown field nix"),
    ],
)
def test_what_cannot_be_read_is_said(database: Database, text: str, words: str) -> None:
    with pytest.raises(FilterError) as caught:
        found(database, text)
    assert words in str(caught.value)


def test_functions_that_a_system_does_not_know_are_refused(database: Database) -> None:
    allowed = frozenset({"contains"})
    assert found(database, "contains(name,'oo')", allowed=allowed) == [2]
    for text, name in (("tolower(name) eq 'x'", "tolower"), ("size add 1 eq 2", "arithmetic")):
        with pytest.raises(FilterError, match=f"'{name}' is not supported"):
            found(database, text, allowed=allowed)


def test_lambdas_are_refused_where_there_are_no_collections() -> None:
    with pytest.raises(FilterError, match="any and all"):
        SqlFilter(resolve).translate(parse_filter("lines/any(l:l/amount gt 5)"))


def test_walking_shows_every_field_of_a_condition() -> None:
    tree = parse_filter("a eq 1 or (b/c eq 2 and contains(d,'x'))")
    names = {path for node in walk(tree) if (path := path_of(node))}
    assert {("a",), ("b", "c"), ("d",)} <= names


def test_folding_is_what_dataverse_compares() -> None:
    assert [fold(text) for text in ("ABC ", "Straße", "Åse Ærø", " x")] == ["abc", "strasse", "ase ærø", " x"]


def test_orderby() -> None:
    assert parse_orderby("a desc, b/c ,d asc") == (OrderBy(("a",), True), OrderBy(("b", "c")), OrderBy(("d",)))
    for wrong in ("a DESC", "a down", "", "a,,b", "a b c"):
        with pytest.raises(FilterError):
            parse_orderby(wrong)


def test_select_keeps_order_and_drops_repeats() -> None:
    assert parse_select(" b, a ,b") == ("b", "a")
    with pytest.raises(FilterError, match="empty name"):
        parse_select("a,,b")


def test_expand_with_nested_options() -> None:
    text = "a($select=x,y;$filter=contains(n,'a;b(,');$orderby=x desc;$top=3;$count=true;$expand=c($top=1)),d/$ref,e"
    assert parse_expand(text) == (
        Expand(
            ("a",),
            select=("x", "y"),
            filter="contains(n,'a;b(,')",
            orderby=(OrderBy(("x",), True),),
            top=3,
            expand=(Expand(("c",), top=1),),
            other={"$count": "true"},
        ),
        Expand(("d",), ref=True),
        Expand(("e",)),
    )


@pytest.mark.parametrize("wrong", ["a(", "a($top=x)", "a(top)", "a)(", ",", "a($filter='x)"])
def test_a_malformed_expand_is_refused(wrong: str) -> None:
    with pytest.raises(FilterError):
        parse_expand(wrong)


def test_functions_may_be_looked_up_lazily(database: Database) -> None:
    class Lazy(dict[str, Any]):
        """Empty to look at, and yet it has every function."""

        def get(self, name: str, default: Any = None) -> Any:
            return lambda visitor, call: Fragment("t.size = 7")

    assert found(database, "Any.Name(A='x')", functions=Lazy()) == [2]
