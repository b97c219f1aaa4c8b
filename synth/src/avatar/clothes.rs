//! What characters wear, and in which colours.

use diorama_assets::{Material, Model};

use crate::draw::material::surface_color_word;
use crate::recipe::AvatarRecipe;
use crate::stream::Stream;

/// Parts of material names, and the garments that they mean.
const GARMENTS: [(&str, &str); 15] = [
    ("t-shirt", "t-shirt"),
    ("shirt", "shirt"),
    ("sweater", "sweater"),
    ("jacket", "jacket"),
    ("coat", "coat"),
    ("dress", "dress"),
    ("skirt", "skirt"),
    ("trouser", "trousers"),
    ("pants", "trousers"),
    ("jeans", "jeans"),
    ("shorts", "shorts"),
    ("suit", "suit"),
    ("top", "top"),
    ("shoe", "shoes"),
    ("boot", "boots"),
];

fn garment(material: &Material) -> Option<&'static str> {
    let name = material.name.to_lowercase();
    let known = GARMENTS.iter().find(|(part, _)| name.contains(part));
    known.map(|(_, garment)| *garment)
}

/// The character's materials with other colours where the recipe draws them; empty: its own.
///
/// Only materials that are named as garments change; one with a texture is tinted.
pub(super) fn clothes(recipe: &AvatarRecipe, model: &Model, stream: &mut Stream) -> Vec<Material> {
    if !stream.chance(recipe.prob_recolour) {
        return Vec::new();
    }
    let recolour = |material: &Material| {
        let mut color = || stream.range(0.02, 0.8) as f32;
        let drawn = [color(), color(), color()];
        let mut own = material.clone();
        if garment(material).is_some() {
            own.base_color = drawn;
        }
        own
    };
    model.materials.iter().map(recolour).collect()
}

/// Garments by the names of materials, with the word of their colour where that is plain: `blue shirt`.
pub(crate) fn garments(materials: &[Material]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for material in materials {
        let Some(garment) = garment(material) else {
            continue;
        };
        if found.iter().any(|known| known.ends_with(garment)) {
            continue;
        }
        found.push(match material.base_color_texture {
            None => match surface_color_word(material.base_color) {
                Some(color) => format!("{color} {garment}"),
                None => garment.to_owned(),
            },
            Some(_) => garment.to_owned(),
        });
    }
    found
}
