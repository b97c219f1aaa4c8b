//! The images of one model: each file decoded once, within one budget.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Source, image};
use crate::{AssetError, Image, Pixels};

/// Largest sum of decoded images of one model, bytes (2 GiB).
const MAX_MODEL_BYTES: u64 = 2 << 30;
/// Sum that any model's images may decode to, bytes, and how many more for each byte of its files: a
/// small file may name the same bytes as many pictures.
const FREE_BYTES: u64 = 256 << 20;
const MAX_EXPANSION: u64 = 1024;

/// Collects a model's images.
#[derive(Default)]
pub(super) struct Textures {
    pub(super) images: Vec<Image>,
    index_of: BTreeMap<String, Option<u32>>,
    /// Images by the hash of their encoded bytes: the same picture under two names is kept once.
    index_of_content: BTreeMap<[u8; 32], u32>,
    bytes: u64,
    /// Most that `bytes` may be.
    budget: u64,
}

impl Textures {
    /// Index of the first of `candidates` that exists. `None`, with a warning, when none does: a
    /// texture that was lost on the way costs a look, not the asset. One that is there but cannot be
    /// decoded is an error.
    pub(super) fn load(
        &mut self,
        source: &mut Source,
        candidates: &[String],
    ) -> Result<Option<u32>, AssetError> {
        let Some(wanted) = candidates.first() else {
            return Ok(None);
        };
        if let Some(known) = self.index_of.get(wanted) {
            return Ok(*known);
        }
        let index = if let Some(name) = candidates.iter().find(|name| source.has(name)) {
            let bytes = source.read(name)?;
            let path = source.path_of(name);
            Some(self.decode(source, &bytes, &path)?)
        } else {
            source.missing.insert(wanted.clone());
            source.warnings.push(format!(
                "texture {} is missing; its plain factor is used",
                source.path_of(wanted).display()
            ));
            None
        };
        self.index_of.insert(wanted.clone(), index);
        Ok(index)
    }

    /// Index of an image that is embedded in the model's own file under a unique `key`.
    pub(super) fn embedded(
        &mut self,
        source: &mut Source,
        key: &str,
        bytes: &[u8],
        path: &Path,
    ) -> Result<u32, AssetError> {
        if let Some(Some(known)) = self.index_of.get(key) {
            return Ok(*known);
        }
        let index = self.decode(source, bytes, path)?;
        self.index_of.insert(key.to_owned(), Some(index));
        Ok(index)
    }

    fn decode(
        &mut self,
        source: &mut Source,
        bytes: &[u8],
        path: &Path,
    ) -> Result<u32, AssetError> {
        let content = *blake3::hash(bytes).as_bytes();
        if let Some(known) = self.index_of_content.get(&content) {
            return Ok(*known);
        }
        let image = image::decode(bytes, path, &mut source.warnings)?;
        let held = source.bytes_read.saturating_mul(MAX_EXPANSION);
        self.budget = MAX_MODEL_BYTES.min(held.max(FREE_BYTES));
        let index = self.push(image, path)?;
        self.index_of_content.insert(content, index);
        Ok(index)
    }

    /// Adds a decoded image.
    pub(super) fn push(&mut self, image: Image, path: &Path) -> Result<u32, AssetError> {
        let texel = match image.pixels {
            Pixels::Rgba8(_) => 4,
            Pixels::RgbF32(_) => 12,
        };
        self.bytes += u64::from(image.width) * u64::from(image.height) * texel;
        if self.bytes > self.budget {
            return Err(AssetError::Unusable {
                path: path.to_owned(),
                reason: format!(
                    "with it the model's textures take more than {} MiB",
                    self.budget >> 20
                ),
            });
        }
        self.images.push(image);
        Ok(self.images.len() as u32 - 1)
    }

    /// Adds the glTF packing (roughness in G, metallic in B) of separate grey maps. Where one is
    /// absent its channel is 1, so that the factor alone counts. The result has the size of the
    /// first map given; the other is read at its nearest texel.
    pub(super) fn pack_metallic_roughness(
        &mut self,
        roughness: Option<u32>,
        metallic: Option<u32>,
        path: &Path,
    ) -> Result<Option<u32>, AssetError> {
        let Some(first) = roughness.or(metallic) else {
            return Ok(None);
        };
        let (width, height) = {
            let image = &self.images[first as usize];
            (image.width, image.height)
        };
        let grey = |map: Option<u32>, x: u32, y: u32| -> u8 {
            let Some(map) = map else { return 255 };
            let image = &self.images[map as usize];
            let column = u64::from(x) * u64::from(image.width) / u64::from(width);
            let row = u64::from(y) * u64::from(image.height) / u64::from(height);
            let at = (row * u64::from(image.width) + column) as usize;
            match &image.pixels {
                Pixels::Rgba8(texels) => texels[at][0],
                Pixels::RgbF32(texels) => (texels[at][0].clamp(0.0, 1.0) * 255.0 + 0.5) as u8,
            }
        };
        let mut texels = Vec::with_capacity(width as usize * height as usize);
        for y in 0..height {
            for x in 0..width {
                texels.push([255, grey(roughness, x, y), grey(metallic, x, y), 255]);
            }
        }
        let image = Image {
            name: "roughness and metallic".into(),
            width,
            height,
            pixels: Pixels::Rgba8(texels),
        };
        self.push(image, path).map(Some)
    }
}
