//! The floor of a dome: what a picture of a place shows below its horizon, projected onto level ground
//! as Kubric's dome does.

use core::f32::consts::{FRAC_PI_2, PI, TAU};

use glam::Vec3;

use crate::{EnvironmentMap, Image, Material, Model, Pixels, TextureRef, Wrap};

use super::ground::{FLOOR_RADIUS, slab};
use super::lathe::circle;
use super::patterns::paint;
use super::surface::{Surface, Vertex};

/// Height over the ground from which the picture is taken to have been shot, metres: a tripod's.
const EYE_HEIGHT: f32 = 1.6;
/// Largest albedo of ground; more is a reflection or a lamp in the picture.
const LARGEST_ALBEDO: f32 = 0.9;
/// Albedo where the picture has no light from above to compare with.
const UNKNOWN_ALBEDO: f32 = 0.2;
/// Rings of the disc, at equal angles seen from the eye, and columns around it.
const RINGS: usize = 96;
const COLUMNS: usize = 128;

/// A disc of radius 200 m at z = 0 facing +Z that shows the lower half of `map` as seen from
/// [`EYE_HEIGHT`] above its middle.
///
/// Its base colour is the albedo that level ground must have to look as in the picture under the light
/// of the picture's upper half and its sun: π L / E, at most [`LARGEST_ALBEDO`]. Lit by these alone the
/// floor therefore goes on seamlessly into what is seen beyond it. Texture coordinates are the azimuthal
/// equidistant projection of the direction from the eye, nadir in the middle, horizon on the circle
/// that touches the sides.
pub(crate) fn projected_floor(map: &EnvironmentMap) -> Model {
    let edge = libm::atanf(FLOOR_RADIUS / EYE_HEIGHT);
    let directions = circle(COLUMNS);
    let mut surface = Surface::default();
    surface.grid(RINGS + 1, COLUMNS + 1, |ring, column| {
        let angle = edge * ring as f32 / RINGS as f32;
        let around = directions[column % COLUMNS];
        let radius = if ring == RINGS {
            FLOOR_RADIUS
        } else {
            EYE_HEIGHT * libm::tanf(angle)
        };
        let [u, v] = [around.x, -around.y].map(|axis| 0.5 + 0.5 * axis * angle / FRAC_PI_2);
        Vertex {
            position: (around * radius).extend(0.0),
            normal: Vec3::Z,
            uv: glam::Vec2::new(u, v),
        }
    });
    Model {
        meshes: vec![surface.into_mesh("floor").into()],
        materials: vec![Material {
            name: "ground".to_owned(),
            base_color: [1.0; 3],
            base_color_texture: Some(TextureRef {
                wrap_u: Wrap::Clamp,
                wrap_v: Wrap::Clamp,
                ..TextureRef::of(0)
            }),
            roughness: 0.9,
            ..Material::default()
        }],
        images: vec![albedo(map)],
        convex_pieces: vec![slab()],
        rig: None,
        motions: Vec::new(),
    }
}

/// The ground's albedo, sRGB-encoded.
fn albedo(map: &EnvironmentMap) -> Image {
    // As fine as the picture, or nearly: a disc of twice its lower half.
    let side = map.image.width.next_power_of_two().clamp(64, 2048);
    let irradiance = map.ground_irradiance();
    let name = format!("ground of {}", map.image.name);
    paint(name, side, |u, v| {
        let (x, y) = (2.0 * u - 1.0, 1.0 - 2.0 * v);
        let length = (x * x + y * y).sqrt();
        // Beyond the circle nothing is seen; the horizon goes on there for the sake of its neighbours.
        let zenith = PI - length.min(1.0) * FRAC_PI_2;
        let radiance = lookup(map, libm::atan2f(y, x), zenith);
        [0, 1, 2].map(|channel| {
            let albedo = PI * radiance[channel] / irradiance[channel];
            encode(if albedo.is_finite() {
                albedo.min(LARGEST_ALBEDO)
            } else {
                UNKNOWN_ALBEDO
            })
        })
    })
}

/// Bilinear radiance of a direction below the horizon; columns go around, rows end at the horizon, so
/// that nothing from above it bleeds into the ground.
fn lookup(map: &EnvironmentMap, azimuth: f32, zenith: f32) -> [f32; 3] {
    let Pixels::RgbF32(pixels) = &map.image.pixels else {
        return [0.0; 3];
    };
    let (width, height) = (map.image.width as usize, map.image.height as usize);
    let x = (0.5 - azimuth / TAU) * width as f32 - 0.5;
    let first = (height / 2) as f32;
    let y = (zenith / PI * height as f32 - 0.5).clamp(first, (height - 1) as f32);
    let (column, row) = (x.floor(), y.floor());
    let (s, t) = (x - column, y - row);
    let at = |dx: i64, dy: usize| {
        let column = (column as i64 + dx).rem_euclid(width as i64) as usize;
        pixels[(row as usize + dy).min(height - 1) * width + column]
    };
    let (a, b, c, d) = (at(0, 0), at(1, 0), at(0, 1), at(1, 1));
    [0, 1, 2].map(|channel| {
        let top = a[channel] + (b[channel] - a[channel]) * s;
        let bottom = c[channel] + (d[channel] - c[channel]) * s;
        top + (bottom - top) * t
    })
}

/// IEC 61966-2-1.
fn encode(linear: f32) -> f32 {
    if linear <= 0.003_130_8 {
        linear * 12.92
    } else {
        1.055 * libm::powf(linear, 1.0 / 2.4) - 0.055
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Radiance below the horizon rises by the azimuth's quarter, above it is 2.
    fn place() -> EnvironmentMap {
        let (width, height) = (64usize, 32usize);
        let pixels = (0..width * height)
            .map(|i| {
                if i / width < height / 2 {
                    return [2.0; 3];
                }
                // Columns run against the azimuth, +X in the middle.
                [[0.1; 3], [0.4, 0.2, 0.0], [0.2; 3], [3.0; 3]][i % width / (width / 4)]
            })
            .collect();
        EnvironmentMap {
            image: Image {
                name: "place".into(),
                width: width as u32,
                height: height as u32,
                pixels: Pixels::RgbF32(pixels),
            },
            sun: None,
            description: String::new(),
            night: false,
        }
    }

    #[test]
    fn a_point_of_the_floor_has_the_albedo_of_its_direction() {
        let model = projected_floor(&place());
        let mesh = &model.meshes[0];
        let image = &model.images[0];
        let Pixels::Rgba8(texels) = &image.pixels else {
            panic!("albedo is 8 bits")
        };
        let mut seen = [0; 4];
        for (position, uv) in mesh.positions.iter().zip(&mesh.uvs) {
            let azimuth = libm::atan2f(position.y, position.x);
            let quarter = (0.5 - azimuth / TAU) * 4.0;
            if position.truncate().length() < 0.2 || (quarter - quarter.round()).abs() < 0.2 {
                continue; // near the nadir, or between two quarters
            }
            let texel = |share: f32| ((share * image.width as f32) as usize).min(63);
            let found = texels[texel(uv.y) * image.width as usize + texel(uv.x)];
            // π L / (π 2), at most 0.9, sRGB-encoded.
            let albedo = [[0.05; 3], [0.2, 0.1, 0.0], [0.1; 3], [0.9; 3]][quarter as usize];
            let expected = albedo.map(|c| (encode(c) * 255.0).round() as i32);
            for (found, expected) in found.into_iter().zip(expected) {
                assert!((i32::from(found) - expected).abs() <= 1, "{position} {uv}");
            }
            seen[quarter as usize] += 1;
        }
        assert!(seen.iter().all(|count| *count > 1000), "{seen:?}");
        let (low, high) = mesh.bounds().unwrap();
        assert!((high.x - 200.0).abs() < 1e-3 && (low.x + 200.0).abs() < 1e-3);
        assert!(low.z == 0.0 && high.z == 0.0);
    }

    #[test]
    fn without_light_from_above_the_ground_is_grey() {
        let mut map = place();
        let Pixels::RgbF32(pixels) = &mut map.image.pixels else {
            panic!("an environment is float")
        };
        pixels.fill([0.0; 3]);
        let image = albedo(&map);
        let Pixels::Rgba8(texels) = &image.pixels else {
            panic!("albedo is 8 bits")
        };
        let grey = (encode(UNKNOWN_ALBEDO) * 255.0 + 0.5) as u8;
        assert!(texels.iter().all(|texel| *texel == [grey, grey, grey, 255]));
    }
}
