use proptest::prelude::*;

use super::*;
use crate::history::{Input, Moment, Outcome, Output, Symbols, jsonl, timeline};

fn history(text: &str) -> History {
    let (history, torn) = read(text.as_bytes()).unwrap_or_else(|error| panic!("{error} in {text}"));
    assert_eq!(torn, None, "{text}");
    history
}

fn error(text: &str) -> String {
    read(text.as_bytes()).unwrap_err().to_string()
}

/// The value of one write, as JSON; the text is read in pieces too, so that no word is taken for whole too early.
fn value(edn: &str) -> Result<String, String> {
    let text = format!("{{:process 0 :type :invoke :f :write :value {edn}}}");
    let read = |text: &str| {
        let (history, torn) = read(text.as_bytes()).map_err(|error| error.to_string())?;
        assert_eq!(torn, None, "{text}");
        let [operation] = history.operations() else { panic!("{text}") };
        Ok(operation.input.argument().text(&history.symbols))
    };
    for length in 0..text.len() {
        let mut symbols = crate::history::Symbols::default();
        let mut values = Values { symbols: &mut symbols, stack: &mut Vec::new() };
        let mut cursor = Cursor { text: &text.as_bytes()[..length], at: 0, whole: false };
        match event::map(&mut cursor, &mut values, &mut Order::default()) {
            Err(Stop::End) => {}
            // What is wrong may be known before its end.
            Err(Stop::Wrong { .. }) => assert!(read(&text).is_err(), "{}", &text[..length]),
            Ok(_) => panic!("a part of {text} is an operation: {length}"),
        }
    }
    read(&text)
}

#[test]
fn values_are_data() {
    for (edn, json) in [
        ("nil", "null"),
        ("true", "true"),
        ("-12", "-12"),
        ("+12", "12"),
        ("012", "10"),
        ("0x1f", "31"),
        ("-2r101", "-5"),
        ("12N", "12"),
        ("9223372036854775807", "9223372036854775807"),
        ("9223372036854775808", "9223372036854775808"),
        ("123456789012345678901234567890N", "\"123456789012345678901234567890\""),
        ("1/2", "\"1/2\""),
        ("1.50", "1.5"),
        ("1e2", "100.0"),
        ("1.50M", "\"1.50M\""),
        ("##Inf", "\"##Inf\""),
        (":a/b", "\":a/b\""),
        ("foo", "\"foo\""),
        ("\\a", "\"\\\\a\""),
        ("\\(", "\"\\\\(\""),
        ("\\newline", "\"\\\\newline\""),
        ("\"a b\"", "\"a b\""),
        (r#""\"\\\n\u00e4\ud83d\ude00\101ä""#, "\"\\\"\\\\\\nä😀Aä\""),
        ("[1 2 3]", "[1,2,3]"),
        ("(1, (2) [3 []])", "[1,[2],[3,[]]]"),
        ("#{3 1 2}", "[1,2,3]"),
        ("{\"b\" 1 \"a\" [2]}", "{\"a\":[2],\"b\":1}"),
        ("{:a 1, 2 3}", "{\"2\":3,\":a\":1}"),
        ("#:n{:a 1}", "{\":a\":1}"),
        ("#a.b.Record{:a 1}", "{\":a\":1}"),
        ("#jepsen.set [1 2 3]", "[1,2,3]"),
        ("#inst \"2024\"", "\"#inst \\\"2024\\\"\""),
        ("[1 #_2 #_ #_ 3 4 ^:m 5 ^{:a 1} [6] ; seven\n 8]", "[1,5,[6],8]"),
        ("^:fresh [1 2 3]", "[1,2,3]"),
    ] {
        assert_eq!(value(edn), Ok(json.to_owned()), "{edn}");
    }
}

#[test]
fn what_is_no_value_is_refused() {
    for (edn, message) in [
        ("1x", "`1x` is not a number"),
        ("08", "`08` is not a number"),
        ("1/x", "`1/x` is not a number"),
        ("{1}", "a map has a value for each key; here one is missing"),
        ("{1 2 1 3}", "a map has each key once; here one is there twice"),
        ("#{1 1}", "a set has each element once; here one is there twice"),
        ("#[1]", "`#` is followed by `{`, `_` or a tag"),
        ("#\t:a", "`#` is followed by `{`, `_` or a tag"),
        ("#;\n:a", "`#` is followed by `{`, `_` or a tag"),
        ("#{1 2)", "`}` was expected, not `)`"),
        ("\"\\q\"", "a string knows no such escape; a backslash is written `\\\\`"),
        ("\"\\ud800\"", "this escape is no character"),
        ("\"\\u12x4\"", "`\\u` needs four hexadecimal digits"),
        (":", "this is no EDN value"),
        ("]", "a value was expected, not the end of one"),
    ] {
        let found = value(edn).unwrap_err();
        assert!(found.starts_with("line 1, column ") && found.ends_with(message), "{edn}: {found}");
    }
    let deep = "[".repeat(200) + &"]".repeat(200);
    assert!(value(&deep).unwrap_err().ends_with("this is nested deeper than 128 levels"));
    for endless in ["#_", "^", "#a ", "'", "[", "{:a "] {
        let text = format!("{{:ext {}", endless.repeat(100_000));
        let read = read(text.as_bytes());
        assert!(
            matches!(&read, Err(e) if e.message.contains("deeper")) || matches!(read, Ok((_, Some(_)))),
            "{endless}"
        );
    }
}

#[test]
fn maps_stand_bare_or_in_a_vector_in_any_layout() {
    let maps = "{:index 0, :time 5, :type :invoke, :process 3, :f :read, :value nil}\n\
                {:index 1, :time 7, :type :ok, :process 3, :f :read, :value 4}\n";
    let expected = timeline::draw(&history(maps));
    assert_eq!(expected, "p3: |-get 4-|\n");
    for text in [
        format!("[{maps}]"),
        format!("({maps})\n; the end"),
        format!("; a comment\n #jepsen.history.Dense [{maps}]"),
        maps.replace("{:", "#jepsen.history.Op{:"),
        maps.replace("{:", "#jepsen.history.Op {:"),
        maps.replace(", ", "\n\n  "),
        maps.replace('\n', " "),
        maps.replace(":time", ":error nil :exception {:via [#object[a.B 0x1f \"}\"]], :trace #{'a}} :time"),
        maps.replace("{:index 0", "{:f :read, :index 0").replacen(", :f :read", "", 1),
        maps.replace("{:", "#_{:process 8} {:"),
    ] {
        assert_eq!(timeline::draw(&history(&text)), expected, "{text}");
    }
    let read = history(maps);
    let [operation] = read.operations() else { panic!("one operation") };
    assert_eq!((operation.invoked.time, operation.completed.map(|c| c.time)), (5, Some(7)));
    assert!(history("").operations().is_empty() && history("[ ]").operations().is_empty());
}

#[test]
fn an_unfinished_end_is_passed_over_and_reported() {
    let whole = "{:process 3, :type :invoke, :f :add, :value [1 \"}\"]}";
    for length in 1..whole.len() {
        let text = format!("{whole}\n{}", &whole.replace('3', "4")[..length]);
        let (history, torn) = read(text.as_bytes()).unwrap();
        assert_eq!((history.operations().len(), torn), (1, Some(Torn { line: 2 })), "{text}");
    }
    let (history, torn) = read(format!("[{whole}\n").as_bytes()).unwrap();
    assert_eq!((history.operations().len(), torn), (1, Some(Torn { line: 2 })));
}

#[test]
fn errors_name_the_line_and_the_column() {
    let example = "an operation is a map such as {:process 0, :type :invoke, :f :read, :value nil}";
    for (text, message) in [
        ("\n\n  12", format!("line 3, column 3: {example}")),
        ("[[{}]]", format!("line 1, column 2: {example}")),
        ("[]\n[]", "line 2, column 1: the history has ended before; a file holds one".to_owned()),
        ("#{1}", "line 1, column 1: an operation is a map or a record".to_owned()),
        (
            "{:process 0 :f :read}",
            "line 1, column 1: an operation has `:process`, `:type` and `:f`; here there is no `:type`"
                .to_owned(),
        ),
        (
            "[{:process 0\n :type :invok :f :read}]",
            "line 2, column 8: `:type` is `:invoke`, `:ok`, `:fail` or `:info`".to_owned(),
        ),
        (
            "{:process -1}",
            "line 1, column 11: `:process` is a number from 0, or a name such as `:nemesis`".to_owned(),
        ),
        ("{:time 1.5}", "line 1, column 8: `:time` is a whole number of ns".to_owned()),
        ("{:f nil}", "line 1, column 5: `:f` is the name of an operation, such as `:read`".to_owned()),
        ("{:f :a :f :b}", "line 1, column 8: `:f` is said twice of one operation".to_owned()),
        ("{:value \"\u{e4}\"\n :error [}", "line 2, column 10: `]` was expected, not `}`".to_owned()),
    ] {
        assert_eq!(error(text), message);
    }
    let latin = read(&b"{:value \"\xe4\"}"[..]).unwrap_err().to_string();
    assert_eq!(latin, "line 1, column 10: this is not UTF-8; the file must be text in UTF-8");
}

#[test]
fn a_history_longer_than_a_block_is_read_in_pieces() {
    let mut text = String::from("[");
    for index in 0..40_000 {
        let (r#type, value) =
            if index % 2 == 0 { ("invoke", "nil".to_owned()) } else { ("ok", index.to_string()) };
        text +=
            &format!("{{:index {index}, :type :{type}, :process 1, :f :read, :value {value}}} ; {index}\n");
    }
    let read = history(&(text.clone() + "]"));
    assert_eq!(read.operations().len(), 20_000);
    let last = read.operations().last().unwrap();
    assert_eq!(last.outcome, Outcome::Ok(Output::Value { value: Datum::Int(39_999) }));
    assert_eq!(
        error(&(text + "{:f 1.5.5 :type}")),
        "line 40001, column 16: `:type` is `:invoke`, `:ok`, `:fail` or `:info`"
    );
}

#[test]
fn what_is_written_is_read_as_the_same() {
    let picture = "p0@n1:   |-send a=1-|                |-final-read [a]-|   |-poll [7/k/1/a]-|  |-list like a* [al bo]-|
         p1@n2:     |-send b (timeout)-?
         p2:      |-cas [1,2] {\"a\":[2.5]} @y-|   |-get \"a\\\"\\\\\"-| |-write [1,2]-|   |-get null-|
         p3:      |-txn [[\"r\",1,null],[\"append\",1,2]] = [[\"r\",1,[]],[\"append\",1,2]]-|  |-dequeue = 3-|
         p4:      |-create al-| |-delete #3-| |-delete-account al-| |-call x/y [1,2]-| |-cas 1 2 (conflict)-!
         p5:      |-acquire = 7-|   |-add 18446744073709551615-|   |-drain = [1,[2]]-| |-increment 2 = 5->
         nemesis: |-kill n1 n2-------> |-pause @strike-|";
    // A map is sorted when it is read, so that the second text is compared with the first.
    let drawn = timeline::parse(picture).unwrap();
    let text = |history: &History| {
        let mut text = Vec::new();
        write(history, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    };
    let once = text(&drawn);
    let again = history(&once);
    assert_eq!(text(&again), once);
    assert_eq!(timeline::draw(&again), timeline::draw(&drawn), "{once}");
    let lines = |history: &History| jsonl::events(history).collect::<Vec<_>>();
    assert_eq!(lines(&again), lines(&drawn));
}

#[test]
fn the_header_is_kept() {
    let header =
        "{\"format\":\"hearsay-history\",\"version\":1,\"started_unix_ns\":5,\"initially\":\"empty\"}\n";
    let (read, _) = jsonl::read(header.as_bytes()).unwrap();
    let mut text = Vec::new();
    write(&read, &mut text).unwrap();
    assert_eq!(String::from_utf8(text.clone()).unwrap(), format!("; {header}"));
    let (again, _) = super::read(&*text).unwrap();
    assert_eq!((again.started_unix_ns(), again.is_initially_empty()), (Some(5), true));
    assert_eq!(history("; {\"format\":\"hearsay-historyx\"}\n").started_unix_ns(), None);
}

#[test]
fn names_of_operations_may_be_strings_and_symbols() {
    for f in [":read", "read", "\"read\"", ":get"] {
        let read = history(&format!("{{:process 1 :type :invoke :f {f}}}"));
        assert_eq!(read.operations()[0].input, Input::Get, "{f}");
    }
    let read = history(r#"{:process 1 :type :invoke :f "a \"b\""}"#);
    assert_eq!(read.f(&read.operations()[0]), "a \"b\"");
}

/// A value that is not interned yet.
#[derive(Debug, Clone)]
enum Plain {
    Nil,
    Bool(bool),
    Int(i64),
    Name(String),
    Other(String),
    List(Vec<Plain>),
    Map(Vec<(Plain, Plain)>),
}

impl Plain {
    fn datum(&self, symbols: &mut Symbols) -> Datum {
        match self {
            Plain::Nil => Datum::Nil,
            Plain::Bool(value) => Datum::Bool(*value),
            Plain::Int(value) => Datum::Int(*value),
            Plain::Name(text) => Datum::Name(symbols.intern(text)),
            Plain::Other(text) => Datum::Other(symbols.intern(text)),
            Plain::List(items) => {
                let items: Vec<Datum> = items.iter().map(|item| item.datum(symbols)).collect();
                Datum::List(symbols.list(&items))
            }
            Plain::Map(entries) => {
                let entries = entries.iter().map(|(key, value)| [key.datum(symbols), value.datum(symbols)]);
                let mut entries: Vec<_> = entries.collect();
                entries.sort_by(|one, other| one[0].compare(other[0], symbols));
                entries.dedup_by_key(|[key, _]| *key);
                Datum::Map(symbols.list(&entries.concat()))
            }
        }
    }
}

fn plain() -> impl Strategy<Value = Plain> {
    let other = "[:a-z][a-z]{1,3}(/[a-z]+)?|-?[1-9][0-9]{20,30}|-?[1-9]/[2-9]|[1-9]\\.[0-9]{0,3}[1-9]";
    let other =
        other.prop_filter("it has a meaning of its own", |text| !matches!(text.as_str(), "nil" | "true"));
    let leaf = prop_oneof![
        Just(Plain::Nil),
        any::<bool>().prop_map(Plain::Bool),
        any::<i64>().prop_map(Plain::Int),
        any::<String>().prop_map(Plain::Name),
        other.prop_map(Plain::Other),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Plain::List),
            prop::collection::vec((inner.clone(), inner), 0..4).prop_map(Plain::Map),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn blocks_of_any_length_are_read_alike(
        block in 1..80_usize,
        place in any::<prop::sample::Index>(),
        cut in 0..6_usize,
        instead in "[ -~\\n]{0,4}|[\\[\\]{}()#_;^\"\\\\:]{1,3}",
    ) {
        let text = "; {\"format\":\"hearsay-history\",\"version\":1,\"initially\":\"empty\"}\n\
            [{:index 0, :time 7, :type :invoke, :process 0, :f :write, :value [0 3]} ; one\n \
            #_ {:a \\newline} #a.Op{:process 1, :type :invoke :f :read, :value [0 nil], :x #inst \"1\"}\n \
            {:process 0 :type :ok :f :write :value [0 3] :error [:a \"\\u00e4 \\\"b\\\"\" -12N 1.50 #{}]}\n]\n";
        let mut text = text.as_bytes().to_vec();
        let begin = place.index(text.len());
        text.splice(begin..(begin + cut).min(text.len()), instead.bytes());
        let found = |read: Result<(History, Option<Torn>), ReadError>| {
            read.map(|(history, torn)| (jsonl::events(&history).collect::<Vec<_>>(), history.is_initially_empty(), torn))
        };
        let whole = found(read(&*text));
        prop_assert_eq!(found(read_blocks(History::new(), Blocks::of(&*text, block))), whole, "{}", String::from_utf8_lossy(&text));
    }

    #[test]
    fn every_value_survives_the_file(asked in plain(), answered in plain(), keyed in any::<bool>()) {
        let mut history = History::new();
        let key = keyed.then(|| history.symbols.intern("a key"));
        let [asked, answered] = [asked, answered].map(|value| value.datum(&mut history.symbols));
        let at = |index| Moment { index, time: 7 };
        let f = history.symbols.intern("do something");
        let inputs = [Input::Write { value: asked }, Input::Other { f, value: asked }, Input::Get];
        for (number, input) in (0_u32..).zip(inputs) {
            history.invoke(at(2 * number), 1, None, key, input).unwrap();
            let output = match input {
                Input::Write { .. } => Output::Done,
                _ => Output::Value { value: answered },
            };
            let f = input.f(&history.symbols).to_owned();
            history.complete(at(2 * number + 1), 1, &f, Outcome::Ok(output)).unwrap();
        }
        let mut text = Vec::new();
        write(&history, &mut text).unwrap();
        let (mut again, torn) = read(&*text).unwrap();
        prop_assert_eq!(torn, None);
        // Both values in one table, so that they can be compared.
        for (one, other) in history.operations().iter().zip(again.clone().operations()) {
            let mut same = |one: Datum, other: Datum| one.copy(&history.symbols, &mut again.symbols) == other;
            prop_assert!(same(one.input.argument(), other.input.argument()));
            if let (Some(Output::Value { value: one }), Some(Output::Value { value: other })) = (one.output(), other.output()) {
                prop_assert!(same(*one, *other));
            }
            prop_assert_eq!(one.key.map(|key| history.text(key)), other.key.map(|key| again.text(key)));
        }
        prop_assert!(jsonl::events(&again).eq(jsonl::events(&history)));
    }
}

impl Datum {
    /// The same value in another table.
    fn copy(self, from: &Symbols, to: &mut Symbols) -> Datum {
        let mut items = |list| {
            let items: Vec<Datum> = from.items(list).iter().map(|item| item.copy(from, to)).collect();
            to.list(&items)
        };
        match self {
            Datum::List(list) => Datum::List(items(list)),
            Datum::Map(list) => Datum::Map(items(list)),
            Datum::Name(text) => Datum::Name(to.intern(from.text(text))),
            Datum::Other(text) => Datum::Other(to.intern(from.text(text))),
            other => other,
        }
    }
}

#[test]
fn a_text_is_torn_at_the_same_place_however_it_is_read() {
    let text =
        "[{:process 0, :type :invoke, :f :read, :value nil} ; one\n#_ {:a\n1}\n#_ [2 {:process 0, :type :ok";
    for block in 1..text.len() {
        let (history, torn) = read_blocks(History::new(), Blocks::of(text.as_bytes(), block)).unwrap();
        assert_eq!((history.operations().len(), torn), (1, Some(Torn { line: 4 })), "blocks of {block}");
    }
}
