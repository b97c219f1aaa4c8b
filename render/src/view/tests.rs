use diorama_synth::{frame::Plane, shot::View};
use glam::Vec3;

use super::{display, display_f32, display_plane, tetrahedron};

const VIEWS: [View; 4] = [View::Filmic, View::Agx, View::Standard, View::None];

/// Rows of `known_answers.csv`: colour, then Blender's standard, filmic and AgX pixel.
fn known_answers() -> Vec<(Vec3, [[u8; 3]; 3])> {
    include_str!("known_answers.csv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let cell: Vec<&str> = line.split(',').collect();
            let colour = Vec3::from(std::array::from_fn::<f32, 3, _>(|i| {
                cell[i].parse().unwrap()
            }));
            let shown = std::array::from_fn(|view| {
                std::array::from_fn(|i| cell[3 + 3 * view + i].parse().unwrap())
            });
            (colour, shown)
        })
        .collect()
}

/// Mean and largest difference from Blender in 8-bit levels.
fn difference_from_blender(view: View, column: usize) -> (f64, u8) {
    let answers = known_answers();
    assert!(answers.len() > 300);
    let mut sum = 0.0;
    let mut largest = 0;
    for (colour, shown) in &answers {
        let ours = display(view, 1.0, *colour);
        for i in 0..3 {
            let difference = ours[i].abs_diff(shown[column][i]);
            sum += f64::from(difference);
            largest = largest.max(difference);
        }
    }
    (sum / (3 * answers.len()) as f64, largest)
}

#[test]
fn views_give_blenders_pixels() {
    for (view, column) in [(View::Standard, 0), (View::Filmic, 1), (View::Agx, 2)] {
        let (mean, largest) = difference_from_blender(view, column);
        assert!(mean < 0.05, "{view:?}: mean difference {mean} levels");
        assert!(
            largest <= 1,
            "{view:?}: largest difference {largest} levels"
        );
    }
}

#[test]
fn standard_levels_are_the_rounded_curve() {
    let mut state = 1_u32;
    for index in 0..200_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Evenly over what is shown, then over all magnitudes.
        let value = if index % 2 == 0 {
            (state >> 8) as f32 / 16_000_000.0
        } else {
            f32::from_bits(state >> 1)
        };
        let rounded = display_f32(View::Standard, 1.0, Vec3::splat(value)).x * 255.0 + 0.5;
        assert_eq!(
            display(View::Standard, 1.0, Vec3::splat(value)),
            [rounded as u8; 3],
            "{value:e}"
        );
    }
}

#[test]
fn greys_are_neutral_and_monotone_from_black_to_white() {
    for view in VIEWS {
        let mut before = Vec3::ZERO;
        assert_eq!(display(view, 1.0, Vec3::ZERO), [0; 3], "{view:?}");
        for step in 0..4000 {
            let grey = libm::exp2f(-18.0 + step as f32 * 0.007);
            let shown = display_f32(view, 1.0, Vec3::splat(grey));
            assert!(
                shown.max_element() - shown.min_element() < 1.5e-3,
                "{view:?} {grey}: {shown}"
            );
            // A measured 16-bit table may step back by its own rounding.
            assert!(
                (shown - before).min_element() > -2e-5,
                "{view:?} falls at {grey}: {before} to {shown}"
            );
            before = shown;
        }
        assert_eq!(display(view, 1.0, Vec3::splat(1e4)), [255; 3], "{view:?}");
    }
}

#[test]
fn exposure_is_a_factor_of_radiance() {
    let colour = Vec3::new(0.3, 0.1, 0.02);
    for view in VIEWS {
        assert_eq!(
            display_f32(view, 4.0, colour),
            display_f32(view, 1.0, colour * 4.0)
        );
    }
}

#[test]
fn wild_values_stay_inside_the_display() {
    let wild = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        -1.0,
        0.0,
        1e-40,
        1e30,
        f32::MAX,
    ];
    for view in VIEWS {
        for r in wild {
            for g in wild {
                for b in wild {
                    let shown = display_f32(view, 1.0, Vec3::new(r, g, b));
                    assert!(
                        shown.cmpge(Vec3::ZERO).all() && shown.cmple(Vec3::ONE).all(),
                        "{view:?} ({r}, {g}, {b}): {shown}"
                    );
                }
            }
        }
    }
}

#[test]
fn saturated_light_turns_white_without_changing_order() {
    // Desaturation must not make the strongest channel of a bright colour the weakest.
    for view in [View::Filmic, View::Agx] {
        for stop in -8..12 {
            let shown = display_f32(view, libm::exp2f(stop as f32), Vec3::new(1.0, 0.5, 0.1));
            assert!(
                shown.x >= shown.y - 1e-4 && shown.y >= shown.z - 1e-4,
                "{view:?} {stop}: {shown}"
            );
        }
    }
}

#[test]
fn plane_equals_pixels() {
    let mut radiance = Plane::filled(7, 5, Vec3::ZERO);
    for (i, value) in radiance.data.iter_mut().enumerate() {
        *value = Vec3::new(i as f32 * 0.05, 1.0 / (i + 1) as f32, 0.2);
    }
    for view in VIEWS {
        let shown = display_plane(view, 1.5, &radiance);
        assert_eq!((shown.width, shown.height), (7, 5));
        for (value, pixel) in radiance.data.iter().zip(&shown.data) {
            assert_eq!(*pixel, display(view, 1.5, *value));
        }
    }
    let empty = display_plane(View::Agx, 1.0, &Plane::filled(0, 0, Vec3::ZERO));
    assert!(empty.data.is_empty());
}

#[test]
fn tetrahedra_are_barycentric() {
    for position in [
        [0.0; 3],
        [3.0; 3],
        [0.25, 1.5, 2.75],
        [2.5, 2.5, 0.5],
        [3.0, 0.0, 1.0],
    ] {
        let corners = tetrahedron(position, 3);
        let mut sum = 0.0;
        let mut point = [0.0; 3];
        for (corner, weight) in corners {
            assert!(weight >= 0.0);
            sum += weight;
            for axis in 0..3 {
                assert!(corner[axis] <= 3);
                point[axis] += weight * corner[axis] as f32;
            }
        }
        assert!((sum - 1.0_f32).abs() < 1e-6);
        for axis in 0..3 {
            assert!((point[axis] - position[axis]).abs() < 1e-5);
        }
    }
}
