//! Placeholders in a scenario, and what it means for a result to contain what is expected.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Parts of earlier results, by their names with the dollar sign.
pub(crate) type Saved = BTreeMap<String, Value>;

/// The value with saved parts, turns and repeated texts put in.
pub(crate) fn fill_in(value: &Value, saved: &Saved, turn: u64) -> Value {
    let fill = |value| fill_in(value, saved, turn);
    match value {
        Value::String(text) => match saved.get(text) {
            Some(part) => part.clone(),
            None => text.replace("$i", &turn.to_string()).into(),
        },
        Value::Array(items) => items.iter().map(fill).collect(),
        Value::Object(fields) => match fields.get("$repeat") {
            Some(repeat) => repeated(&fill(repeat)),
            None => fields.iter().map(|(name, value)| (name.clone(), fill(value))).collect::<Map<_, _>>().into(),
        },
        other => other.clone(),
    }
}

fn repeated(repeat: &Value) -> Value {
    let text = repeat[0].as_str().expect("$repeat takes a text first");
    let times = repeat[1].as_u64().expect("$repeat takes a number second");
    text.repeat(usize::try_from(times).unwrap()).into()
}

/// Says where `result` does not contain what is `expected`.
pub(crate) fn contains(result: &Value, expected: &Value, place: &str) -> Result<(), String> {
    let holds = match (expected, result) {
        (Value::String(any), _) if any == "$any" => !result.is_null(),
        (Value::Object(fields), _) if fields.keys().any(|name| name.starts_with('$')) => satisfies(result, fields),
        (Value::Object(fields), Value::Object(_)) => {
            return fields
                .iter()
                .try_for_each(|(name, value)| contains(&result[name.as_str()], value, &format!("{place}.{name}")));
        }
        (Value::Array(items), Value::Array(found)) if items.len() == found.len() => {
            let mut pairs = (0..).zip(items.iter().zip(found));
            return pairs.try_for_each(|(at, (item, found)): (u32, _)| contains(found, item, &format!("{place}.{at}")));
        }
        // 1 and 1.0 are the same number.
        (Value::Number(_), Value::Number(_)) => expected.as_f64() == result.as_f64(),
        _ => expected == result,
    };
    if holds { Ok(()) } else { Err(format!("{place} is {result}, expected {expected}")) }
}

fn satisfies(result: &Value, special: &Map<String, Value>) -> bool {
    let (name, value) = special.iter().next().expect("a special expectation has a name");
    match name.as_str() {
        "$approx" => {
            let wanted = value.as_f64().expect("$approx takes a number");
            result.as_f64().is_some_and(|found| (found - wanted).abs() <= 1e-9)
        }
        "$length" => {
            let found = result.as_array().map(Vec::len).or_else(|| result.as_str().map(|text| text.chars().count()));
            found.map(|found| found as u64) == Some(value.as_u64().expect("$length takes a number"))
        }
        unknown => panic!("{unknown} is not known"),
    }
}
