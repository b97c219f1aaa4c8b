//! The outer shell of glTF 2.0: GLB chunks, the JSON document, buffers, data URIs.

use serde::Deserialize;

use super::schema::Root;
use crate::AssetError;
use crate::decode::Source;

const GLB_MAGIC: &[u8] = b"glTF";
const CHUNK_JSON: u32 = 0x4e4f_534a;
const CHUNK_BIN: u32 = 0x004e_4942;

/// Extensions that a file may require. The others change geometry or images so that nothing right
/// could be shown without them.
const SUPPORTED_REQUIRED: [&str; 16] = [
    "EXT_texture_webp",
    "KHR_lights_punctual",
    "KHR_materials_clearcoat",
    "KHR_materials_dispersion",
    "KHR_materials_emissive_strength",
    "KHR_materials_ior",
    "KHR_materials_pbrSpecularGlossiness",
    "KHR_materials_sheen",
    "KHR_materials_specular",
    "KHR_materials_transmission",
    "KHR_materials_unlit",
    "KHR_materials_variants",
    "KHR_materials_volume",
    "KHR_mesh_quantization",
    "KHR_texture_transform",
    "KHR_animation_pointer",
];

/// Extensions whose absence changes nothing that is seen at rest: no warning.
const WITHOUT_EFFECT: [&str; 4] = [
    "KHR_xmp",
    "KHR_xmp_json_ld",
    "GODOT_single_root",
    "FB_ngon_encoding",
];

/// A parsed document with all its buffers in memory.
pub(super) struct Document {
    pub(super) root: Root,
    pub(super) buffers: Vec<Vec<u8>>,
}

/// What is looked at before anything else is understood.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Preamble {
    asset: PreambleAsset,
    extensions_required: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PreambleAsset {
    version: String,
}

/// Reads `.glb` or `.gltf`, told apart by content. Required extensions are checked before buffers
/// or anything else.
pub(super) fn open(source: &mut Source, name: &str) -> Result<Document, AssetError> {
    let bytes = source.read(name)?;
    let path = source.path_of(name);
    let bad = |reason: String| AssetError::Decode {
        path: path.clone(),
        reason,
    };
    let (json, mut binary) = if bytes.starts_with(GLB_MAGIC) {
        let (json, binary) = glb_chunks(&bytes).map_err(bad)?;
        (json, binary.map(<[u8]>::to_vec))
    } else {
        // The format says no byte order mark; some exporters write one.
        (bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes), None)
    };
    let preamble: Preamble = serde_json::from_slice(json)
        .map_err(|error| bad(format!("its JSON is broken: {error}")))?;
    if let Some(extension) = preamble
        .extensions_required
        .iter()
        .find(|required| !SUPPORTED_REQUIRED.contains(&required.as_str()))
    {
        return Err(AssetError::UnsupportedExtension {
            path,
            extension: extension.clone(),
        });
    }
    if !preamble.asset.version.starts_with("2.") {
        return Err(bad(format!(
            "it is glTF version `{}`; only 2.x is read",
            preamble.asset.version
        )));
    }
    let root: Root = serde_json::from_slice(json)
        .map_err(|error| bad(format!("its JSON is broken: {error}")))?;
    for extension in &root.extensions_used {
        if !SUPPORTED_REQUIRED.contains(&extension.as_str())
            && !WITHOUT_EFFECT.contains(&extension.as_str())
        {
            source.warnings.push(format!(
                "{}: extension {extension} is ignored",
                path.display()
            ));
        }
    }

    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut buffers = Vec::with_capacity(root.buffers.len());
    for (index, buffer) in root.buffers.iter().enumerate() {
        let content = match &buffer.uri {
            Some(uri) => resolve(source, folder, uri, &format!("buffer {index}"))?,
            None => binary
                .take()
                .filter(|_| index == 0)
                .ok_or_else(|| bad(format!("buffer {index} has no data")))?,
        };
        if content.len() < buffer.byte_length {
            return Err(bad(format!(
                "buffer {index} has {} bytes of {}: the file is truncated",
                content.len(),
                buffer.byte_length
            )));
        }
        buffers.push(content);
    }
    Ok(Document { root, buffers })
}

/// JSON and binary chunk of a GLB.
fn glb_chunks(bytes: &[u8]) -> Result<(&[u8], Option<&[u8]>), String> {
    let word = |at: usize| -> Option<u32> {
        Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    };
    let version = word(4).ok_or("it is truncated")?;
    if version != 2 {
        return Err(format!(
            "it is a binary glTF of version {version}; only 2 is read"
        ));
    }
    let (mut json, mut binary) = (None, None);
    let mut at = 12;
    while let (Some(length), Some(kind)) = (word(at), word(at + 4)) {
        let start = at + 8;
        let chunk = start
            .checked_add(length as usize)
            .and_then(|end| bytes.get(start..end))
            .ok_or("a chunk is truncated")?;
        match kind {
            CHUNK_JSON if json.is_none() => json = Some(chunk),
            CHUNK_BIN if binary.is_none() => binary = Some(chunk),
            _ => {}
        }
        at = start + chunk.len();
    }
    Ok((json.ok_or("it has no JSON chunk")?, binary))
}

/// Bytes behind a data URI or a relative one.
pub(super) fn resolve(
    source: &mut Source,
    folder: &str,
    uri: &str,
    what: &str,
) -> Result<Vec<u8>, AssetError> {
    match uri.strip_prefix("data:") {
        Some(data) => decode_data(data).ok_or_else(|| AssetError::Decode {
            path: source.path_of(what),
            reason: "its data URI is no base64".into(),
        }),
        None => source.read(&file_name(folder, uri)),
    }
}

/// The file that a relative URI names.
pub(super) fn file_name(folder: &str, uri: &str) -> String {
    let name = percent_decoded(uri);
    if folder.is_empty() {
        name
    } else {
        format!("{folder}/{name}")
    }
}

fn decode_data(data: &str) -> Option<Vec<u8>> {
    let (header, payload) = data.split_once(',')?;
    if !header.ends_with(";base64") {
        return Some(percent_decoded(payload).into_bytes());
    }
    let mut bytes = Vec::with_capacity(payload.len() / 4 * 3);
    let (mut bits, mut count) = (0u32, 0);
    for symbol in payload.bytes() {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            b'\n' | b'\r' | b' ' => continue,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0x00ff_ffff;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        if let Some(byte) = escaped {
            decoded.push(byte);
            at += 3;
        } else {
            decoded.push(bytes[at]);
            at += 1;
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_uris_decode() {
        assert_eq!(
            decode_data("application/octet-stream;base64,SGVsbG8=").unwrap(),
            b"Hello"
        );
        assert_eq!(decode_data("x;base64,SGVsbG8h").unwrap(), b"Hello!");
        assert_eq!(decode_data("text/plain,a%20b").unwrap(), b"a b");
        assert!(decode_data("x;base64,SGV*").is_none());
        assert!(decode_data("nothing").is_none());
    }

    #[test]
    fn uris_are_percent_decoded() {
        assert_eq!(file_name("", "my%20file%C3%A9.bin"), "my fileé.bin");
        assert_eq!(file_name("a", "100%.bin"), "a/100%.bin");
    }

    #[test]
    fn chunks_that_reach_past_the_end_are_errors() {
        let mut glb = b"glTF\x02\0\0\0\xff\0\0\0".to_vec();
        glb.extend(u32::MAX.to_le_bytes());
        glb.extend(CHUNK_JSON.to_le_bytes());
        assert!(glb_chunks(&glb).is_err());
        assert!(glb_chunks(b"glTF").is_err());
        assert!(
            glb_chunks(b"glTF\x01\0\0\0")
                .unwrap_err()
                .contains("version 1")
        );
    }
}
