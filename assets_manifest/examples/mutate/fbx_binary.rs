//! FBX text to binary FBX 7.4: enough of the format for the files made here.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// Arrays of these names hold numbers with fractions; others hold integers.
const FRACTIONS: [&str; 9] = [
    "Vertices",
    "Normals",
    "UV",
    "Weights",
    "Transform",
    "TransformLink",
    "KeyValueFloat",
    "KeyAttrDataFloat",
    "FullWeights",
];

/// One `Name: value, value { children }`.
#[derive(Default)]
struct Node {
    name: String,
    values: Vec<String>,
    children: Vec<Self>,
}

/// The same file in binary; arrays are compressed when `packed`.
pub(crate) fn binary(text: &str, packed: bool) -> Vec<u8> {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(';'))
        .collect();
    let mut at = 0;
    let nodes = block(&lines, &mut at);
    let mut bytes = b"Kaydara FBX Binary  \0\x1a\0".to_vec();
    bytes.extend(7400u32.to_le_bytes());
    for node in &nodes {
        write(node, packed, false, &mut bytes);
    }
    bytes.extend([0; 13]);
    bytes
}

/// The nodes up to a closing brace.
fn block(lines: &[&str], at: &mut usize) -> Vec<Node> {
    let mut nodes = Vec::new();
    while let Some(line) = lines.get(*at) {
        *at += 1;
        if *line == "}" {
            break;
        }
        let (name, rest) = line.split_once(':').unwrap_or((line, ""));
        let rest = rest.trim();
        let (rest, opens) = match rest.strip_suffix('{') {
            Some(rest) => (rest.trim(), true),
            None => (rest, false),
        };
        let mut node = Node {
            name: name.to_owned(),
            values: rest
                .split(',')
                .map(|value| value.trim().to_owned())
                .filter(|value| !value.is_empty())
                .collect(),
            children: Vec::new(),
        };
        if opens {
            node.children = block(lines, at);
        }
        nodes.push(node);
    }
    nodes
}

fn write(node: &Node, packed: bool, in_objects: bool, bytes: &mut Vec<u8>) {
    let start = bytes.len();
    bytes.extend([0; 12]);
    bytes.push(node.name.len() as u8);
    bytes.extend(node.name.as_bytes());
    let values = bytes.len();
    let is_array = node.values.first().is_some_and(|v| v.starts_with('*'));
    let mut count = node.values.len();
    if is_array {
        array(node, packed, bytes);
        count = 1;
    } else {
        for (index, value) in node.values.iter().enumerate() {
            let wide = in_objects && index == 0 || node.name == "C";
            value_bytes(value, wide, bytes);
        }
    }
    let length = bytes.len() - values;
    if !is_array && !node.children.is_empty() {
        let inside = node.name == "Objects";
        for child in &node.children {
            write(child, packed, inside, bytes);
        }
        bytes.extend([0; 13]);
    }
    let end = bytes.len() as u32;
    for (index, word) in [end, count as u32, length as u32].into_iter().enumerate() {
        bytes[start + 4 * index..][..4].copy_from_slice(&word.to_le_bytes());
    }
}

fn value_bytes(value: &str, wide: bool, bytes: &mut Vec<u8>) {
    if let Some(text) = value.strip_prefix('"') {
        let text = text.trim_end_matches('"');
        // Binary files say name and class the other way round.
        let text = match text.split_once("::") {
            Some((class, name)) => format!("{name}\0\x01{class}"),
            None => text.to_owned(),
        };
        bytes.push(b'S');
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
    } else if let (false, Ok(value)) = (wide, value.parse::<i32>()) {
        bytes.push(b'I');
        bytes.extend(value.to_le_bytes());
    } else if let Ok(value) = value.parse::<i64>() {
        bytes.push(b'L');
        bytes.extend(value.to_le_bytes());
    } else {
        bytes.push(b'D');
        bytes.extend(value.parse::<f64>().unwrap_or_default().to_le_bytes());
    }
}

fn array(node: &Node, packed: bool, bytes: &mut Vec<u8>) {
    let texts: Vec<&String> = node.children.iter().flat_map(|a| &a.values).collect();
    let (kind, data): (u8, Vec<u8>) = if FRACTIONS.contains(&node.name.as_str()) {
        let number = |text: &&String| text.parse::<f64>().unwrap_or_default().to_le_bytes();
        (b'd', texts.iter().flat_map(number).collect())
    } else if node.name == "KeyTime" {
        let number = |text: &&String| text.parse::<i64>().unwrap_or_default().to_le_bytes();
        (b'l', texts.iter().flat_map(number).collect())
    } else {
        let number = |text: &&String| text.parse::<i32>().unwrap_or_default().to_le_bytes();
        (b'i', texts.iter().flat_map(number).collect())
    };
    bytes.push(kind);
    bytes.extend((texts.len() as u32).to_le_bytes());
    bytes.extend(u32::from(packed).to_le_bytes());
    let data = if packed {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
        let written = encoder.write_all(&data).and_then(|()| encoder.finish());
        written.unwrap_or_default()
    } else {
        data
    };
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
}
