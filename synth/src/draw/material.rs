//! Random Principled materials, and the words a caption may use for them.

use diorama_assets::{AlphaMode, Image, Material, Model, Pixels};

use super::sample::uniform;
use crate::recipe::RemovalRecipe;
use crate::stream::Stream;

/// The inputs of a Principled surface that the recipe draws at random.
pub(super) struct RandomInputs {
    /// A saturated random hue.
    pub(super) hue: [f32; 3],
    specular: f32,
    specular_tint: f32,
    roughness: f32,
    transmission: f32,
    transmission_roughness: f32,
    ior: f32,
    metallic: f32,
    alpha: f32,
}

impl RandomInputs {
    pub(super) fn draw(stream: &mut Stream, recipe: &RemovalRecipe) -> Self {
        Self {
            hue: saturated(stream.unit()),
            specular: uniform(stream, recipe.range_material_specular),
            specular_tint: uniform(stream, recipe.range_material_specular_tint),
            roughness: uniform(stream, recipe.range_material_roughness),
            transmission: uniform(stream, recipe.range_material_transmission),
            transmission_roughness: uniform(stream, recipe.range_material_transmission_roughness),
            ior: uniform(stream, recipe.range_material_ior),
            metallic: uniform(stream, recipe.range_material_metallic),
            alpha: uniform(stream, recipe.range_material_alpha),
        }
    }

    /// The inputs on a surface that keeps its own colour, normal map and alpha.
    pub(super) fn over(&self, own: &Material) -> Material {
        Material {
            name: own.name.clone(),
            base_color: own.base_color,
            base_color_texture: own.base_color_texture,
            normal_texture: own.normal_texture,
            normal_scale: own.normal_scale,
            alpha: own.alpha,
            alpha_mode: own.alpha_mode,
            metallic: self.metallic,
            roughness: self.roughness,
            ior: self.ior,
            specular: self.specular,
            specular_tint: if own.base_color_texture.is_some() {
                [1.0; 3]
            } else {
                tint(own.base_color, self.specular_tint)
            },
            transmission: self.transmission,
            transmission_roughness: Some(self.transmission_roughness),
            ..Material::default()
        }
    }

    /// The inputs on an untextured surface of the drawn hue, alpha included.
    pub(super) fn plain(&self, name: &str) -> Material {
        Material {
            name: name.to_owned(),
            alpha: self.alpha,
            alpha_mode: AlphaMode::Blend,
            ..self.over(&Material {
                base_color: self.hue,
                ..Material::default()
            })
        }
    }
}

/// A colour of full saturation and value; `hue` in [0, 1).
fn saturated(hue: f64) -> [f32; 3] {
    let channel = |shift: f64| {
        let phase = (hue + shift).fract() * 6.0;
        ((phase - 3.0).abs() - 1.0).clamp(0.0, 1.0) as f32
    };
    [channel(0.0), channel(2.0 / 3.0), channel(1.0 / 3.0)]
}

/// White moved by `share` towards `color` at the same luminance, at most 1.
fn tint(color: [f32; 3], share: f32) -> [f32; 3] {
    let luminance = luminance(color);
    if luminance <= 0.0 {
        return [1.0; 3];
    }
    color.map(|c| 1.0 + share * ((c / luminance).min(1.0) - 1.0))
}

pub(crate) fn luminance([r, g, b]: [f32; 3]) -> f32 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Words for what is seen: the finish, then `known` (the library's words for pattern and colour), or
/// the mean colour when there are none.
pub(crate) fn adjectives(known: Vec<String>, model: &Model, material: &Material) -> Vec<String> {
    let mut words: Vec<String> = finish(material).map(str::to_owned).into_iter().collect();
    if known.is_empty() {
        let color = own_color(model, material).and_then(color_word);
        words.extend(color.map(str::to_owned));
    } else {
        words.extend(known);
    }
    words
}

/// How the surface takes light, in a word.
fn finish(material: &Material) -> Option<&'static str> {
    let metallic = material.metallic.clamp(0.0, 1.0);
    let transmission = material.transmission * (1.0 - metallic);
    if material.emission_strength > 0.0 && material.emission.iter().any(|e| *e > 0.0) {
        return Some("glowing");
    }
    if transmission > 0.5 {
        return Some(if material.roughness < 0.2 {
            "glass"
        } else {
            "frosted"
        });
    }
    match (metallic > 0.5, material.roughness) {
        (true, r) if r < 0.1 => Some("mirror-like"),
        (true, r) if r < 0.3 => Some("shiny metallic"),
        (true, _) => Some("brushed metallic"),
        (false, r) if r < 0.3 => Some("glossy"),
        (false, r) if r > 0.7 => Some("matte"),
        (false, _) => None,
    }
}

/// Mean base colour, sRGB-encoded.
fn own_color(model: &Model, material: &Material) -> Option<[f32; 3]> {
    let encoded = encoded(material.base_color);
    let Some(texture) = material.base_color_texture else {
        return Some(encoded);
    };
    let image = model.images.get(texture.image as usize)?;
    let mean = mean_srgb(image)?;
    Some([0, 1, 2].map(|k| mean[k] * encoded[k]))
}

/// Mean of at most a few thousand pixels.
fn mean_srgb(image: &Image) -> Option<[f32; 3]> {
    let Pixels::Rgba8(pixels) = &image.pixels else {
        return None;
    };
    let stride = (pixels.len() / 4096).max(1);
    let mut sum = [0u64; 3];
    let mut count = 0u64;
    for pixel in pixels.iter().step_by(stride) {
        for k in 0..3 {
            sum[k] += u64::from(pixel[k]);
        }
        count += 1;
    }
    (count > 0).then(|| sum.map(|s| (s as f64 / count as f64 / 255.0) as f32))
}

/// A linear colour, sRGB-encoded.
fn encoded(color: [f32; 3]) -> [f32; 3] {
    color.map(srgb_of_linear)
}

fn srgb_of_linear(value: f32) -> f32 {
    let value = value.clamp(0.0, 1.0);
    if value <= 0.003_130_8 {
        value * 12.92
    } else {
        1.055 * libm::powf(value, 1.0 / 2.4) - 0.055
    }
}

/// A plain word for the linear colour of a surface; `None` for what has no clear one.
pub(crate) fn surface_color_word(color: [f32; 3]) -> Option<&'static str> {
    color_word(encoded(color))
}

/// A plain word for an sRGB colour; `None` for what has no clear one.
fn color_word([r, g, b]: [f32; 3]) -> Option<&'static str> {
    let high = r.max(g).max(b);
    let low = r.min(g).min(b);
    let chroma = high - low;
    if high < 0.18 {
        return Some("black");
    }
    if chroma < 0.12 {
        return Some(match high {
            v if v > 0.82 => "white",
            v if v > 0.3 => "gray",
            _ => "dark gray",
        });
    }
    if chroma / high < 0.25 {
        return None;
    }
    // Hue in sixths of the circle, 0 at red.
    let sixths = if high == r {
        ((g - b) / chroma + 6.0) % 6.0
    } else if high == g {
        (b - r) / chroma + 2.0
    } else {
        (r - g) / chroma + 4.0
    };
    Some(match sixths {
        h if !(0.25..5.5).contains(&h) => {
            if low > 0.5 {
                "pink"
            } else {
                "red"
            }
        }
        h if h < 0.75 => {
            if high < 0.65 && chroma < 0.45 * high {
                "beige"
            } else if high < 0.65 {
                "brown"
            } else {
                "orange"
            }
        }
        h if h < 1.25 => {
            if high < 0.5 {
                "olive"
            } else {
                "yellow"
            }
        }
        h if h < 2.5 => "green",
        h if h < 3.25 => "turquoise",
        h if h < 4.3 => {
            if high < 0.4 {
                "navy"
            } else {
                "blue"
            }
        }
        h if h < 5.1 => "purple",
        _ => "pink",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_stay_in_the_ranges_of_the_recipe() {
        let recipe = RemovalRecipe::default();
        let mut stream = Stream::new(2, "material", "ranges");
        for _ in 0..200 {
            let plain = RandomInputs::draw(&mut stream, &recipe).plain("wall");
            assert!((0.8..=1.0).contains(&plain.metallic));
            assert!((0.0..=0.6).contains(&plain.roughness));
            assert!((1.0..=2.5).contains(&plain.ior));
            assert!((0.7..=1.0).contains(&plain.alpha));
            assert!(plain.specular_tint.iter().all(|t| (0.0..=1.0).contains(t)));
            let (low, high) = (
                plain.base_color.iter().copied().fold(1.0, f32::min),
                plain.base_color.iter().copied().fold(0.0, f32::max),
            );
            assert!(
                low == 0.0 && high == 1.0,
                "saturated: {:?}",
                plain.base_color
            );
        }
    }

    #[test]
    fn a_textured_surface_keeps_its_texture_and_its_alpha() {
        let recipe = RemovalRecipe::default();
        let mut stream = Stream::new(2, "material", "texture");
        let own = Material {
            base_color_texture: Some(diorama_assets::TextureRef::of(0)),
            emission: [5.0; 3],
            ..Material::default()
        };
        let drawn = RandomInputs::draw(&mut stream, &recipe).over(&own);
        assert_eq!(drawn.base_color_texture, own.base_color_texture);
        assert_eq!(drawn.alpha, 1.0);
        assert_eq!(drawn.emission, [0.0; 3]);
        assert_eq!(drawn.specular_tint, [1.0; 3]);
    }

    #[test]
    fn colours_have_the_word_everyone_uses() {
        for (color, word) in [
            ([1.0, 0.0, 0.0], Some("red")),
            ([0.0, 1.0, 0.0], Some("green")),
            ([0.1, 0.2, 0.9], Some("blue")),
            ([0.17, 0.22, 0.34], Some("navy")),
            ([0.36, 0.36, 0.24], Some("olive")),
            ([0.6, 0.52, 0.38], Some("beige")),
            ([0.9, 0.9, 0.1], Some("yellow")),
            ([0.9, 0.5, 0.1], Some("orange")),
            ([0.45, 0.28, 0.12], Some("brown")),
            ([0.5, 0.5, 0.5], Some("gray")),
            ([0.95, 0.95, 0.95], Some("white")),
            ([0.05, 0.05, 0.05], Some("black")),
            ([0.1, 0.8, 0.8], Some("turquoise")),
            ([0.6, 0.1, 0.9], Some("purple")),
        ] {
            assert_eq!(color_word(color), word, "{color:?}");
        }
    }

    #[test]
    fn words_follow_the_material_and_the_texture() {
        let chrome = Material {
            base_color: [0.0, 0.0, 1.0],
            metallic: 1.0,
            roughness: 0.2,
            ..Material::default()
        };
        assert_eq!(
            adjectives(vec![], &Model::default(), &chrome),
            ["shiny metallic", "blue"]
        );
        assert_eq!(
            adjectives(
                vec!["striped".into(), "red".into()],
                &Model::default(),
                &chrome
            ),
            ["shiny metallic", "striped", "red"]
        );
    }
}
