//! When a shot is good enough: a rule on measured numbers.

use crate::recipe::RemovalRecipe;

/// What a quick look at the shot found. Frames may be a sample of the clip's, evenly spaced; all
/// lists are over the same ones.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Measurements {
    /// One per world with a removed set (not for layers).
    pub removed: Vec<RemovedSet>,
    /// What the exposure leaves; `None`: not looked at.
    pub brightness: Option<Brightness>,
}

/// How much of one removed set is seen in the full world.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RemovedSet {
    /// Share of the picture covered by the set, per frame.
    pub area: Vec<f64>,
    /// Per object of the set: share of the picture that it shows, with what it holds, per frame. What is held
    /// by another of the set has no entry of its own.
    pub objects: Vec<Vec<f64>>,
}

/// Brightness of the finished picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Brightness {
    /// Share of pixels with a clipped channel.
    pub clipped: f64,
    /// Share of pixels below level 5 of 255.
    pub dark: f64,
}

/// Why one attempt at a shot was not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rejection {
    /// An object found no free place.
    Placement,
    /// Objects did not come to rest on something inside the stage.
    Settling,
    /// Objects overlap too deeply while they move.
    Penetration,
    /// The solver lost an object.
    Divergence,
    /// The camera is inside or right in front of something.
    CameraBlocked,
    /// A removed object is hardly ever seen.
    Hidden,
    /// The removed objects cover too little of the picture.
    MaskSmall,
    /// The removed objects cover too much of the picture.
    MaskLarge,
    /// Too many pixels are clipped.
    TooBright,
    /// Too many pixels are black.
    TooDark,
}

impl Rejection {
    /// The reason in words, as counted in `Shot::attempts`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Placement => "an object found no free place",
            Self::Settling => "objects did not come to rest",
            Self::Penetration => "objects overlap while they move",
            Self::Divergence => "the physics diverged",
            Self::CameraBlocked => "the camera is blocked",
            Self::Hidden => "a removed object is hardly seen",
            Self::MaskSmall => "the mask is too small",
            Self::MaskLarge => "the mask is too large",
            Self::TooBright => "too many pixels are clipped",
            Self::TooDark => "too many pixels are black",
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The rule. `night` lifts the limit on dark pixels.
pub fn accept(
    measurements: &Measurements,
    recipe: &RemovalRecipe,
    night: bool,
) -> Result<(), Rejection> {
    for set in &measurements.removed {
        for shares in &set.objects {
            let visible = shares
                .iter()
                .filter(|share| **share >= recipe.min_removed_area)
                .count() as f64;
            if visible < recipe.min_removed_frames * shares.len() as f64 {
                return Err(Rejection::Hidden);
            }
        }
        let area = mean(&set.area);
        if area < recipe.range_mask_area[0] {
            return Err(Rejection::MaskSmall);
        }
        if area > recipe.range_mask_area[1] {
            return Err(Rejection::MaskLarge);
        }
    }
    if let Some(brightness) = measurements.brightness {
        if brightness.clipped > recipe.max_clipped {
            return Err(Rejection::TooBright);
        }
        if brightness.dark > recipe.max_dark && !night {
            return Err(Rejection::TooDark);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(share: f64, frames: usize, of: usize) -> Vec<f64> {
        (0..of)
            .map(|f| if f < frames { share } else { 0.0 })
            .collect()
    }

    fn measured(area: f64, objects: Vec<Vec<f64>>) -> Measurements {
        Measurements {
            removed: vec![RemovedSet {
                area: vec![area; 10],
                objects,
            }],
            brightness: Some(Brightness {
                clipped: 0.01,
                dark: 0.1,
            }),
        }
    }

    #[test]
    fn the_limits_are_where_the_recipe_says() {
        let recipe = RemovalRecipe::default();
        let judge = |m: &Measurements| accept(m, &recipe, false);
        assert_eq!(judge(&measured(0.02, vec![seen(0.001, 2, 10)])), Ok(()));
        assert_eq!(
            judge(&measured(0.02, vec![seen(0.001, 1, 10)])),
            Err(Rejection::Hidden)
        );
        assert_eq!(
            judge(&measured(
                0.02,
                vec![seen(0.1, 10, 10), seen(0.0009, 10, 10)]
            )),
            Err(Rejection::Hidden)
        );
        assert_eq!(
            judge(&measured(0.004, vec![seen(0.1, 10, 10)])),
            Err(Rejection::MaskSmall)
        );
        assert_eq!(
            judge(&measured(0.51, vec![seen(0.1, 10, 10)])),
            Err(Rejection::MaskLarge)
        );
        let mut bright = measured(0.02, vec![seen(0.1, 10, 10)]);
        bright.brightness = Some(Brightness {
            clipped: 0.06,
            dark: 0.0,
        });
        assert_eq!(judge(&bright), Err(Rejection::TooBright));
        bright.brightness = Some(Brightness {
            clipped: 0.0,
            dark: 0.31,
        });
        assert_eq!(judge(&bright), Err(Rejection::TooDark));
        assert_eq!(accept(&bright, &recipe, true), Ok(()));
    }
}
