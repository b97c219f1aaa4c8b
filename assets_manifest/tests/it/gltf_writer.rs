//! A glTF file made by hand.

/// A glTF document under construction: JSON sections and one buffer.
#[derive(Default)]
pub(crate) struct Writer {
    buffer: Vec<u8>,
    pub(crate) views: Vec<String>,
    accessors: Vec<String>,
    sections: Vec<String>,
}

impl Writer {
    pub(crate) fn accessor(
        &mut self,
        bytes: &[u8],
        component: u32,
        count: usize,
        rest: &str,
    ) -> usize {
        while !self.buffer.len().is_multiple_of(4) {
            self.buffer.push(0);
        }
        self.views.push(format!(
            r#"{{"buffer": 0, "byteOffset": {}, "byteLength": {}}}"#,
            self.buffer.len(),
            bytes.len()
        ));
        self.buffer.extend(bytes);
        self.accessors.push(format!(
            r#"{{"bufferView": {}, "componentType": {component}, "count": {count}, {rest}}}"#,
            self.views.len() - 1
        ));
        self.accessors.len() - 1
    }

    pub(crate) fn floats(&mut self, values: &[f32], width: usize) -> usize {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        let shape = ["", "SCALAR", "VEC2", "VEC3", "VEC4"];
        let shape = shape.get(width).copied().unwrap_or("MAT4");
        self.accessor(
            &bytes,
            5126,
            values.len() / width,
            &format!(r#""type": "{shape}""#),
        )
    }

    pub(crate) fn section(&mut self, text: impl Into<String>) {
        self.sections.push(text.into());
    }

    /// A `.gltf` with its buffer inside.
    pub(crate) fn json(&self) -> String {
        let uri = format!(
            r#", "uri": "data:application/octet-stream;base64,{}""#,
            base64(&self.buffer)
        );
        self.document(&uri)
    }

    /// The same as a `.glb`.
    pub(crate) fn glb(&self) -> Vec<u8> {
        let mut json = self.document("").into_bytes();
        json.resize(json.len().next_multiple_of(4), b' ');
        let mut binary = self.buffer.clone();
        binary.resize(binary.len().next_multiple_of(4), 0);
        let mut bytes = b"glTF\x02\0\0\0".to_vec();
        bytes.extend((28 + json.len() as u32 + binary.len() as u32).to_le_bytes());
        for (kind, chunk) in [(b"JSON", json), (b"BIN\0", binary)] {
            bytes.extend((chunk.len() as u32).to_le_bytes());
            bytes.extend(kind);
            bytes.extend(chunk);
        }
        bytes
    }

    fn document(&self, uri: &str) -> String {
        let mut sections = self.sections.clone();
        sections.push(format!(r#""bufferViews": [{}]"#, self.views.join(",")));
        sections.push(format!(r#""accessors": [{}]"#, self.accessors.join(",")));
        sections.push(format!(
            r#""buffers": [{{"byteLength": {}{uri}}}]"#,
            self.buffer.len()
        ));
        format!(
            r#"{{"asset": {{"version": "2.0"}}, {}}}"#,
            sections.join(",")
        )
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut word = [0u8; 3];
        word[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from_be_bytes([0, word[0], word[1], word[2]]);
        for digit in 0..4 {
            if digit <= chunk.len() {
                let index = bits >> (18 - 6 * digit) & 63;
                text.push(char::from(DIGITS[index as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}
