//! Merging of layers: defaults < preset < file < flags, on TOML tables.

use toml::{Table, Value};

/// Puts `layer` over `base`. Keys that `base` does not have are refused: they are misspelt.
pub(super) fn lay_over(base: &mut Table, layer: Table, path: &str) -> Result<(), String> {
    for (key, value) in layer {
        let name = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        let Some(below) = base.get_mut(&key) else {
            return Err(unknown(&name, &key, base));
        };
        match (below, value) {
            (Value::Table(below), Value::Table(value)) => lay_over(below, value, &name)?,
            (Value::Table(_), _) => return Err(format!("`{name}` is a table, not a value")),
            (below, value) => *below = value,
        }
    }
    Ok(())
}

fn unknown(name: &str, key: &str, siblings: &Table) -> String {
    let near = siblings
        .keys()
        .map(|sibling| (edit_distance(key, sibling), sibling))
        .min()
        .filter(|(distance, _)| *distance <= 3);
    match near {
        Some((_, sibling)) => format!("`{name}` is not a setting (is `{sibling}` meant?)"),
        None => format!("`{name}` is not a setting"),
    }
}

/// Levenshtein distance in bytes.
fn edit_distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.bytes().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// `a.b.c = value` for every leaf, in order.
pub(super) fn leaves(table: &Table) -> Vec<(String, Value)> {
    let mut out = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(inner) => out.extend(
                leaves(inner)
                    .into_iter()
                    .map(|(rest, value)| (format!("{key}.{rest}"), value)),
            ),
            value => out.push((key.clone(), value.clone())),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_layers_win_and_misspelt_keys_are_named() {
        let mut base: Table = toml::from_str("[a]\nb = 1\nc = 2").unwrap();
        lay_over(&mut base, toml::from_str("[a]\nc = 3").unwrap(), "").unwrap();
        assert_eq!(base["a"]["b"].as_integer(), Some(1));
        assert_eq!(base["a"]["c"].as_integer(), Some(3));
        let mut base: Table = toml::from_str("[a]\nvideo_length = 1").unwrap();
        let wrong = lay_over(
            &mut base,
            toml::from_str("[a]\nvideo_lenght = 3").unwrap(),
            "",
        );
        assert_eq!(
            wrong,
            Err("`a.video_lenght` is not a setting (is `video_length` meant?)".into())
        );
    }
}
