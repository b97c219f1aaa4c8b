//! The `das` picture of a filmed clip, whose points a tracker followed.

use diorama_synth::frame::Plane;
use glam::DVec2;

use super::dots::{Dot, half_sizes, paint};
use super::view::PointState;
use super::{FirstFrameColours, InverseRange, Occluded, TrackingOptions, TrackingRule, query_grid};
use crate::error::{PostprocError, Result};

/// Colours and sizes of the dots, fixed by the frame of the queries.
#[derive(Debug, Clone)]
pub struct ClipPainter {
    resolution: [u32; 2],
    occluded: Occluded,
    query_frame: u32,
    positions: Vec<DVec2>,
    colours: FirstFrameColours,
    codes: Vec<[u8; 3]>,
    half_sizes: Vec<f64>,
    later_half_size: f64,
}

impl ClipPainter {
    /// For the query grid of `options` at frame `query_frame`; `depths` of its points there, above 0 (any
    /// unit, infinity included).
    ///
    /// # Errors
    /// A rule that needs surfaces (only `das` has points), a grid out of range, or depths of another
    /// number.
    pub fn new(
        resolution: [u32; 2],
        options: &TrackingOptions,
        query_frame: u32,
        depths: &[f64],
    ) -> Result<Self> {
        options.check()?;
        if options.rule != TrackingRule::Das {
            return Err(PostprocError::Option {
                option: "--tracking",
                reason: "a filmed clip has points only: its rule is `das`".into(),
            });
        }
        let positions = query_grid(resolution, options.grid_size);
        if depths.len() != positions.len() {
            return Err(PostprocError::Option {
                option: "--depth",
                reason: format!("{} depths for {} points", depths.len(), positions.len()),
            });
        }
        let blue = InverseRange::of(depths.iter().map(|z| 1.0 / z));
        let colours = FirstFrameColours::new(options.rule, resolution, options.grid_size, blue);
        let places: Vec<(DVec2, f64)> = positions
            .iter()
            .copied()
            .zip(depths.iter().copied())
            .collect();
        let codes = places
            .iter()
            .map(|(p, z)| colours.colour(*p, *z, *z))
            .collect();
        let (half_sizes, later_half_size) = half_sizes(&places);
        Ok(Self {
            resolution,
            occluded: options.occluded,
            query_frame,
            positions,
            colours,
            codes,
            half_sizes,
            later_half_size,
        })
    }

    /// Frame of the queries.
    pub fn query_frame(&self) -> u32 {
        self.query_frame
    }

    /// The grid, pixels.
    pub fn positions(&self) -> &[DVec2] {
        &self.positions
    }

    /// The rule with its numbers.
    pub fn colours(&self) -> &FirstFrameColours {
        &self.colours
    }

    /// Of each point.
    pub fn codes(&self) -> &[[u8; 3]] {
        &self.codes
    }

    /// The picture of frame `frame`, in which the points are at `states`.
    pub fn picture(&self, frame: u32, states: &[PointState]) -> Plane<[u8; 3]> {
        let dots = states.iter().enumerate().filter_map(|(i, state)| {
            let is_drawn = match self.occluded {
                Occluded::Hide => state.is_visible,
                Occluded::Draw => state.position.is_finite(),
            };
            is_drawn.then(|| Dot {
                position: state.position,
                depth: state.depth,
                half_size: if frame == self.query_frame {
                    self.half_sizes[i]
                } else {
                    self.later_half_size
                },
                colour: self.codes[i],
            })
        });
        let [width, height] = self.resolution;
        paint(width, height, dots.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_keep_their_colour_and_hidden_ones_are_drawn_on_request() {
        let options = TrackingOptions {
            grid_size: 9,
            ..TrackingOptions::default()
        };
        let depths: Vec<f64> = (0..81).map(|i| 1.0 + f64::from(i)).collect();
        let painter = ClipPainter::new([96, 64], &options, 0, &depths).unwrap();
        let states = |dx: f64| -> Vec<PointState> {
            let places = painter.positions().iter().zip(&depths);
            let mut states: Vec<PointState> = places
                .map(|(position, depth)| PointState {
                    position: *position + DVec2::new(dx, 0.0),
                    depth: *depth,
                    is_visible: true,
                    ..PointState::default()
                })
                .collect();
            states[40].is_visible = dx == 0.0;
            states
        };
        let middle = painter.codes()[40];
        assert_eq!([middle[0], middle[1]], [128, 128]);
        assert_eq!(*painter.picture(0, &states(0.0)).at(48, 32), middle);
        assert_eq!(*painter.picture(1, &states(3.0)).at(51, 32), [0; 3]);
        let drawn = TrackingOptions {
            occluded: Occluded::Draw,
            ..options
        };
        let painter = ClipPainter::new([96, 64], &drawn, 0, &depths).unwrap();
        assert_eq!(*painter.picture(1, &states(3.0)).at(51, 32), middle);
        assert!(
            painter.codes()[0][2] > painter.codes()[80][2],
            "near is blue"
        );
        assert!(ClipPainter::new([96, 64], &drawn, 0, &depths[1..]).is_err());
        let dense = TrackingOptions {
            rule: TrackingRule::DasDense,
            ..options
        };
        assert!(ClipPainter::new([96, 64], &dense, 0, &depths).is_err());
    }
}
