//! Exact passes that a sample may hold as EXR files, one multi-layer file per frame.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A pass that can be written as layers of `passes/00000.exr`, full float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    /// `full − removed`, linear radiance before exposure.
    Effect,
    /// Linear radiance of the full world.
    RgbFull,
    /// Linear radiance of the removed world.
    RgbRemoved,
    /// 1 where some path met something that is not in both worlds.
    Touched,
    /// Soft coverage: background, keep, remove.
    Coverage,
    /// z along the camera axis, metres; infinity: environment.
    Depth,
    /// Along the ray, metres; infinity: environment.
    Distance,
    /// Shading normal, world.
    Normal,
    /// Geometric normal, world.
    NormalGeometric,
    /// Base colour, linear.
    Albedo,
    /// First UV set.
    Uv,
    /// Object id (u32), 0 = environment.
    Instance,
    /// Object id in the removed world.
    InstanceRemoved,
    /// 1-based index into `semantic_classes` of sample.json; 0: environment.
    Semantic,
    /// Instance, primitive, barycentrics.
    Surface,
    /// Pixels to the same surface point in the next and in the previous frame, and occlusion bits.
    Flow,
    /// What is seen through glass: id, distance, normal, surface and transmittance.
    SecondLayer,
}

impl Pass {
    /// Every pass, in the order of their layers.
    pub const ALL: [Self; 17] = [
        Self::Effect,
        Self::RgbFull,
        Self::RgbRemoved,
        Self::Touched,
        Self::Coverage,
        Self::Depth,
        Self::Distance,
        Self::Normal,
        Self::NormalGeometric,
        Self::Albedo,
        Self::Uv,
        Self::Instance,
        Self::InstanceRemoved,
        Self::Semantic,
        Self::Surface,
        Self::Flow,
        Self::SecondLayer,
    ];

    /// Name on the command line and of the layer.
    pub fn name(self) -> &'static str {
        match self {
            Self::Effect => "effect",
            Self::RgbFull => "rgb_full",
            Self::RgbRemoved => "rgb_removed",
            Self::Touched => "touched",
            Self::Coverage => "coverage",
            Self::Depth => "depth",
            Self::Distance => "distance",
            Self::Normal => "normal",
            Self::NormalGeometric => "normal_geometric",
            Self::Albedo => "albedo",
            Self::Uv => "uv",
            Self::Instance => "instance",
            Self::InstanceRemoved => "instance_removed",
            Self::Semantic => "semantic",
            Self::Surface => "surface",
            Self::Flow => "flow",
            Self::SecondLayer => "second_layer",
        }
    }
}

impl FromStr for Pass {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = text.replace('-', "_");
        Self::ALL
            .into_iter()
            .find(|pass| pass.name() == wanted)
            .ok_or_else(|| {
                let known: Vec<&str> = Self::ALL.iter().map(|pass| pass.name()).collect();
                format!("there is no pass `{text}` (known: {})", known.join(", "))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip_through_the_command_line_and_json() {
        for pass in Pass::ALL {
            assert_eq!(pass.name().replace('_', "-").parse(), Ok(pass));
            let json = serde_json::to_string(&pass).unwrap();
            assert_eq!(json, format!("\"{}\"", pass.name()));
        }
        assert!(
            "colour"
                .parse::<Pass>()
                .unwrap_err()
                .contains("effect, rgb_full")
        );
    }
}
