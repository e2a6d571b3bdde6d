//! Names of a database as SQL writes them, for advice that people paste. Quoted by the library of the protocol; a character that a reader
//! would not see as it is stands as its number (`U&"…"`), so that what is read is what is run.

use domain::performance::vitals::Name;
use domain::text::plain;
use postgres_protocol::escape::{escape_identifier, escape_literal};

/// A name without a schema: of a database, of a column.
pub fn of_database(name: &str) -> Name {
    Name { plain: name.to_owned(), sql: identifier(name) }
}

/// A name with its schema.
pub fn of_schema(schema: &str, name: &str) -> Name {
    Name { plain: format!("{schema}.{name}"), sql: format!("{}.{}", identifier(schema), identifier(name)) }
}

/// A name that SQL takes as a string.
pub fn literal(name: &str) -> Name {
    // The library writes `E'…'` where there is a backslash, with a space before it.
    let quoted = escape_literal(name).trim_start().to_owned();
    let sql = match is_plain(name) {
        true => quoted,
        false => numbered(&format!("E{}", quoted.trim_start_matches('E')), |c| match u32::from(c) {
            code if code <= 0xffff => format!("\\u{code:04X}"),
            code => format!("\\U{code:08X}"),
        }),
    };
    Name { plain: name.to_owned(), sql }
}

fn identifier(name: &str) -> String {
    let quoted = escape_identifier(name);
    if is_plain(name) {
        return quoted;
    }
    // There a backslash begins a number, so it is one itself.
    let text = quoted.replace('\\', "\\\\");
    let numbers = numbered(&text, |c| match u32::from(c) {
        code if code <= 0xffff => format!("\\{code:04X}"),
        code => format!("\\+{code:06X}"),
    });
    format!("U&{numbers}")
}

fn is_plain(name: &str) -> bool {
    name.chars().all(|c| plain(c) == c)
}

/// The text, where every character that a reader does not see as it is stands as its number.
fn numbered(text: &str, number: fn(char) -> String) -> String {
    text.chars().map(|c| if plain(c) == c { c.to_string() } else { number(c) }).collect()
}

#[cfg(test)]
mod tests;
